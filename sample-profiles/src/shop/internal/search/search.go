// Package search finds products by pattern and orders what it found.
package search

import (
	"regexp"
	"sort"
	"strings"

	"shop/internal/cost"
)

// Index holds the words.
type Index struct {
	text        string
	pattern     *regexp.Regexp
	scans, runs int
	order       []int
	keys        []uint32
}

// New makes an index; 2 scans a question and 2 runs of sorting an answer, or as many as asked.
func New() *Index {
	words := []string{"oak", "steel", "linen", "glass", "wool", "brass", "lamp", "chair", "shelf", "bowl", "table", "clock"}
	var text strings.Builder
	for i := range 60 {
		text.WriteString(words[i*5%12])
		text.WriteByte(' ')
		text.WriteString(words[i*7%12])
		text.WriteByte('\n')
	}
	x := &Index{
		text: text.String(), pattern: regexp.MustCompile(`(?m)^(oak|wool) (sh?elf|cl[oa]ck)$`),
		scans: cost.Units("search.Match", 2), runs: cost.Units("search.Rank", 2),
	}
	seed := uint32(88172645)
	for i := range 160 {
		seed ^= seed << 13
		seed ^= seed >> 17
		seed ^= seed << 5
		x.keys = append(x.keys, seed)
		x.order = append(x.order, i)
	}
	return x
}

// Match counts the products that fit the pattern, once a scan.
//
//go:noinline
func (x *Index) Match() int {
	count := 0
	for range x.scans {
		count += len(x.pattern.FindAllStringIndex(x.text, -1))
	}
	return count
}

// Rank orders the products by a key that depends on the question, once a run.
//
//go:noinline
func (x *Index) Rank(question uint32) int {
	for run := range x.runs {
		for i := range x.order {
			x.order[i] = i
		}
		mask := question * 2654435761 >> run
		sort.Slice(x.order, func(i, j int) bool { return x.keys[x.order[i]]^mask < x.keys[x.order[j]]^mask })
	}
	return x.order[0]
}
