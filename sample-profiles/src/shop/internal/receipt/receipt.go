// Package receipt writes receipts: formatting and many small allocations.
package receipt

import (
	"fmt"
	"strings"

	"shop/internal/cost"
)

// Printer writes receipts.
type Printer struct{ copies int }

// New makes a printer of 6 copies a receipt, or as many as asked.
func New() *Printer { return &Printer{cost.Units("receipt.Render", 6)} }

// Render writes all copies and returns the last.
//
//go:noinline
func (p *Printer) Render(order uint64, lines []uint32) string {
	text := ""
	for copyNumber := range p.copies {
		parts := make([]string, 0, len(lines)+1)
		parts = append(parts, fmt.Sprintf("order %d copy %d", order, copyNumber))
		for at, cents := range lines {
			parts = append(parts, fmt.Sprintf("%3d  %8d.%02d", at, cents/100, cents%100))
		}
		text = strings.Join(parts, "\n")
	}
	return text
}
