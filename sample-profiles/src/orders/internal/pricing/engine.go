// Package pricing decides the discount of an order line and remembers its decisions for a short time.
package pricing

import (
	"slices"
	"sync"
	"time"
)

// Line is what the price of one order line depends on. Every rule looks at Segment, Category and Quantity only.
type Line struct {
	Customer uint32 // who buys
	Segment  uint32 // customer group, 0..Segments-1
	Product  uint32 // product number
	Category uint32 // product category
	Quantity uint32
}

// Quote is a decision: the discount in percent and the rules that made it.
type Quote struct {
	Percent int32
	Rules   [3]uint16
}

// Segments is the number of customer groups.
const Segments = 6

// lifetime is how long a decision stays valid, so that a changed rule reaches customers soon.
const lifetime = 200 * time.Millisecond

type rule struct {
	id          uint16
	segments    uint32 // bit set
	categories  uint32 // bit set
	minQuantity uint32
	percent     int32
	priority    int32
}

type entry struct {
	quote      Quote
	validUntil int64 // nanoseconds since start
}

type candidate struct {
	priority int32
	percent  int32
	rule     uint16
}

// Engine holds the rules and the decisions taken with them. It is safe for concurrent use.
type Engine struct {
	start time.Time
	rules []rule

	mu    sync.Mutex
	cache map[cacheKey]entry
	hits  uint64
	miss  uint64
}

// New makes an engine with n rules.
func New(n int) *Engine {
	e := &Engine{start: time.Now(), cache: make(map[cacheKey]entry)}
	x := uint32(12345)
	next := func() uint32 {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		return x
	}
	for i := range n {
		e.rules = append(e.rules, rule{
			id:          uint16(i),
			segments:    next() & next(),
			categories:  next() & next() & next(),
			minQuantity: next() % 12,
			percent:     int32(next() % 15),
			priority:    int32(next() % 1000),
		})
	}
	return e
}

// quantityBand groups quantities that every rule treats alike.
func quantityBand(quantity uint32) uint32 {
	switch {
	case quantity < 4:
		return 0
	case quantity < 10:
		return 4
	default:
		return 10
	}
}

// Discount returns the discount for a line: the remembered decision if it is still valid, else the sum of the three
// matching rules of highest priority.
//
//go:noinline
func (e *Engine) Discount(line Line) Quote {
	now := int64(time.Since(e.start))
	key := keyOf(line)
	e.mu.Lock()
	if known, ok := e.cache[key]; ok && known.validUntil > now {
		e.hits++
		e.mu.Unlock()
		return known.quote
	}
	e.miss++
	band := quantityBand(line.Quantity)
	matching := make([]candidate, 0, len(e.rules)/16)
	for i := range e.rules {
		r := &e.rules[i]
		if r.segments>>(line.Segment&31)&1 == 0 || r.categories>>(line.Category&31)&1 == 0 || r.minQuantity > band {
			continue
		}
		matching = append(matching, candidate{r.priority, r.percent, r.id})
	}
	slices.SortFunc(matching, func(a, b candidate) int {
		if a.priority != b.priority {
			return int(b.priority) - int(a.priority)
		}
		return int(a.rule) - int(b.rule)
	})
	var quote Quote
	for i, c := range matching[:min(len(matching), len(quote.Rules))] {
		quote.Percent += c.percent
		quote.Rules[i] = c.rule
	}
	e.cache[key] = entry{quote: quote, validUntil: now + int64(lifetime)}
	e.mu.Unlock()
	return quote
}

// Counters returns how many decisions were remembered and how many had to be taken, and how many are kept.
func (e *Engine) Counters() (hits, misses uint64, kept int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hits, e.miss, len(e.cache)
}
