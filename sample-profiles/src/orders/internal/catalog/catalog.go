// Package catalog holds the products of the shop. It is built once and then only read, so it needs no lock.
package catalog

import (
	"fmt"
	"sort"
	"strings"
)

// Product is one article of the catalogue. Prices are in cents.
type Product struct {
	ID         uint32   `json:"id"`
	SKU        string   `json:"sku"`
	Name       string   `json:"name"`
	Category   uint32   `json:"category"`
	PriceCents int64    `json:"price_cents"`
	Tags       []string `json:"tags"`
}

// Catalog finds products by SKU and by words of their name.
type Catalog struct {
	products []Product
	bySKU    map[string]int
	byWord   map[string][]int
}

// Categories is the number of product categories; category numbers are 0..Categories-1.
const Categories = 24

var (
	materials = []string{"oak", "steel", "linen", "glass", "wool", "brass", "cork", "slate"}
	things    = []string{"lamp", "chair", "shelf", "bowl", "table", "clock", "rug", "vase", "stool", "mirror"}
	styles    = []string{"plain", "round", "tall", "folding", "nordic", "rustic", "slim", "wide"}
)

// New makes a catalogue of materials x things x styles = 640 products.
func New() *Catalog {
	c := &Catalog{bySKU: make(map[string]int), byWord: make(map[string][]int)}
	for m, material := range materials {
		for t, thing := range things {
			for s, style := range styles {
				id := len(c.products)
				p := Product{
					ID:         uint32(id),
					SKU:        fmt.Sprintf("%s-%s-%04d", strings.ToUpper(thing[:3]), strings.ToUpper(material[:2]), id),
					Name:       style + " " + material + " " + thing,
					Category:   uint32((m*7 + t*3 + s) % Categories),
					PriceCents: int64(900 + (id*7919)%24000),
					Tags:       []string{style, material, thing},
				}
				c.products = append(c.products, p)
				c.bySKU[p.SKU] = id
				for _, tag := range p.Tags {
					c.byWord[tag] = append(c.byWord[tag], id)
				}
			}
		}
	}
	return c
}

// All returns every product; the caller must not change them.
func (c *Catalog) All() []Product { return c.products }

// Find returns the product with this SKU.
func (c *Catalog) Find(sku string) (*Product, bool) {
	i, ok := c.bySKU[sku]
	if !ok {
		return nil, false
	}
	return &c.products[i], true
}

// Search returns at most limit products whose names have the most words of the query, best first.
func (c *Catalog) Search(query string, limit int) []Product {
	score := make(map[int]int)
	for _, word := range strings.Fields(strings.ToLower(query)) {
		for _, id := range c.byWord[word] {
			score[id]++
		}
	}
	found := make([]int, 0, len(score))
	for id := range score {
		found = append(found, id)
	}
	sort.Slice(found, func(i, j int) bool {
		a, b := found[i], found[j]
		if score[a] != score[b] {
			return score[a] > score[b]
		}
		return c.products[a].PriceCents < c.products[b].PriceCents
	})
	if len(found) > limit {
		found = found[:limit]
	}
	out := make([]Product, len(found))
	for i, id := range found {
		out[i] = c.products[id]
	}
	return out
}
