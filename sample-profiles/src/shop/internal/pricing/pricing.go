// Package pricing computes prices: plain arithmetic over a table, no allocation.
package pricing

import "shop/internal/cost"

// Engine holds the table of weights. It is only read once it is made.
type Engine struct {
	weights [512]uint32
	rounds  int
}

// New makes an engine that goes over the table 100 times a price, or as often as asked.
func New() *Engine {
	e := &Engine{rounds: cost.Units("pricing.Score", 100)}
	x := uint32(2463534242)
	for i := range e.weights {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		e.weights[i] = x
	}
	return e
}

// Score mixes the key with the table, once a round.
//
//go:noinline
func (e *Engine) Score(key uint32) uint32 {
	sum := key
	for range e.rounds {
		for i := range e.weights {
			sum = (sum ^ e.weights[i]) * 16777619
		}
	}
	return sum
}
