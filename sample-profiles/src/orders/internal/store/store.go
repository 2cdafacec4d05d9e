// Package store keeps the latest orders of every customer in memory.
package store

import (
	"sort"
	"sync"
	"time"
)

// Item is one priced line of an order. Amounts are in cents.
type Item struct {
	SKU        string `json:"sku"`
	Quantity   uint32 `json:"quantity"`
	PriceCents int64  `json:"price_cents"`
	Percent    int32  `json:"discount_percent"`
}

// Order is a stored order.
type Order struct {
	ID         uint64    `json:"id"`
	Customer   uint32    `json:"customer"`
	At         time.Time `json:"at"`
	Items      []Item    `json:"items"`
	TotalCents int64     `json:"total_cents"`
}

// keepPerCustomer bounds the memory: older orders of a customer are dropped.
const keepPerCustomer = 2

// Store is safe for concurrent use.
type Store struct {
	mu     sync.Mutex
	nextID uint64
	orders map[uint32][]Order
	sold   map[string]uint64
}

// New makes an empty store.
func New() *Store {
	return &Store{orders: make(map[uint32][]Order), sold: make(map[string]uint64)}
}

// Add stores an order and returns its number.
//
//go:noinline
func (s *Store) Add(order Order) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextID++
	order.ID = s.nextID
	for _, item := range order.Items {
		s.sold[item.SKU] += uint64(item.Quantity)
	}
	list := append(s.orders[order.Customer], order)
	if len(list) > keepPerCustomer {
		list = append([]Order(nil), list[len(list)-keepPerCustomer:]...)
	}
	s.orders[order.Customer] = list
	return order.ID
}

// Recent returns a customer's orders, newest first.
func (s *Store) Recent(customer uint32) []Order {
	s.mu.Lock()
	list := append([]Order(nil), s.orders[customer]...)
	s.mu.Unlock()
	sort.Slice(list, func(i, j int) bool { return list[i].ID > list[j].ID })
	return list
}

// Seller is a product and how many of it were sold.
type Seller struct {
	SKU  string `json:"sku"`
	Sold uint64 `json:"sold"`
}

// BestSellers returns the n products sold most.
//
//go:noinline
func (s *Store) BestSellers(n int) []Seller {
	s.mu.Lock()
	all := make([]Seller, 0, len(s.sold))
	for sku, sold := range s.sold {
		all = append(all, Seller{sku, sold})
	}
	s.mu.Unlock()
	sort.Slice(all, func(i, j int) bool {
		if all[i].Sold != all[j].Sold {
			return all[i].Sold > all[j].Sold
		}
		return all[i].SKU < all[j].SKU
	})
	return all[:min(n, len(all))]
}
