// Package stock keeps how many pieces of each product are left, in a map.
package stock

import (
	"strconv"

	"shop/internal/cost"
)

// Stock is used by one goroutine.
type Stock struct {
	left   map[string]int
	names  []string
	rounds int
}

// New makes a stock of 4,096 products; a reservation looks at each line 20 times, or as often as asked.
func New() *Stock {
	s := &Stock{left: make(map[string]int), rounds: cost.Units("stock.Reserve", 20)}
	for i := range 4096 {
		name := "product-" + strconv.Itoa(i*7919)
		s.names = append(s.names, name)
		s.left[name] = 1 << 40
	}
	return s
}

// Reserve takes pieces of the product and of its neighbours.
//
//go:noinline
func (s *Stock) Reserve(product uint32, pieces int) int {
	left := 0
	for round := range s.rounds {
		for line := range uint32(8) {
			name := s.names[(product+line*37+uint32(round)*101)%4096]
			left = s.left[name] - pieces
			s.left[name] = left
		}
	}
	return left
}
