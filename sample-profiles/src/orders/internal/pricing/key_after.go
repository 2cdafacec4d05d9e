//go:build after

package pricing

// cacheKey is the planted regression: it names the customer and the product, which no rule looks at. Almost every
// question is then a new one: the rules are walked again, under the lock, and the cache grows without end.
type cacheKey struct {
	customer uint32
	product  uint32
	quantity uint32
}

func keyOf(line Line) cacheKey {
	return cacheKey{line.Customer, line.Product, line.Quantity}
}
