//go:build !after

package pricing

// cacheKey names exactly what the rules look at.
type cacheKey struct {
	segment  uint32
	category uint32
	band     uint32
}

func keyOf(line Line) cacheKey {
	return cacheKey{line.Segment, line.Category, quantityBand(line.Quantity)}
}
