// Package tax computes taxes for orders and for reports. Only what orders ask for can be slowed down.
package tax

import "shop/internal/cost"

// Table holds the rates.
type Table struct {
	rates         [64]float64
	forOrder, all int
}

// New makes a table of 50 steps a question; for orders as many as asked.
func New() *Table {
	t := &Table{forOrder: cost.Units("tax.Rate", 50), all: 50}
	for i := range t.rates {
		t.rates[i] = 1 + float64(i)/4096
	}
	return t
}

// ForOrder asks for one order.
//
//go:noinline
func (t *Table) ForOrder(cents float64) float64 { return t.Rate(cents, t.forOrder) + 1 }

// ForReport asks for a report.
//
//go:noinline
func (t *Table) ForReport(cents float64) float64 { return t.Rate(cents, t.all) + 2 }

// Rate applies all rates, step after step.
//
//go:noinline
func (t *Table) Rate(cents float64, steps int) float64 {
	for range steps {
		for _, rate := range t.rates {
			cents = cents*rate/1.0078125 + 0.25
		}
	}
	return cents
}
