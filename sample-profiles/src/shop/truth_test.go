package main

import (
	"encoding/json"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"unsafe"

	"shop/internal/codec"
	"shop/internal/cost"
	"shop/internal/pricing"
	"shop/internal/receipt"
	"shop/internal/report"
	"shop/internal/search"
	"shop/internal/session"
	"shop/internal/stock"
	"shop/internal/tax"
)

// threadTime is the processor time of this thread in nanoseconds.
func threadTime() float64 {
	const clockThreadCPU = 3
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPU, uintptr(unsafe.Pointer(&now)), 0)
	return float64(now.Nano())
}

// lowDecile is the value that a tenth of all stay below: what else the machine does only ever adds time.
func lowDecile(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/10]
}

// TestTruth measures, without any profile, how much more each slowed function costs than the unchanged one: both are called in turns, in
// 30 blocks of 150 short turns each. A block gives the ratio of both low deciles; the blocks give the mean and its 95 % interval (Student).
func TestTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for minutes")
	}
	body := []byte(`{"customer": 12345, "note": "leave it at the door", "lines": [4021, 60123, 812345, 250]}`)
	lines := []uint32{4021, 60123, 812345, 250}
	// What a call needs is made anew after cost.Set, so that both versions stand beside each other.
	made := map[string]func() func(uint32){
		"pricing.Score":  func() func(uint32) { e := pricing.New(); return func(i uint32) { e.Score(i) } },
		"session.Sign":   func() func(uint32) { s := session.New(); return func(i uint32) { s.Sign(body) } },
		"stock.Reserve":  func() func(uint32) { s := stock.New(); return func(i uint32) { s.Reserve(i*7919, 4) } },
		"receipt.Render": func() func(uint32) { p := receipt.New(); return func(i uint32) { p.Render(uint64(i), lines) } },
		"search.Rank":    func() func(uint32) { x := search.New(); return func(i uint32) { x.Rank(i * 7919) } },
		"search.Match":   func() func(uint32) { x := search.New(); return func(i uint32) { x.Match() } },
		"report.Pack":    func() func(uint32) { p := report.New(); return func(i uint32) { p.Pack() } },
		"tax.Rate":       func() func(uint32) { x := tax.New(); return func(i uint32) { x.ForOrder(float64(i)) } },
		"codec.Decode":   func() func(uint32) { d := codec.New(); return func(i uint32) { d.Decode(body) } },
	}
	type truth struct {
		Cost   string  `json:"cost"`
		Ratio  float64 `json:"ratio"`
		Low    float64 `json:"ratio_lo"`
		High   float64 `json:"ratio_hi"`
		Blocks int     `json:"blocks"`
	}
	var all []truth
	runtime.LockOSThread()
	for _, planted := range []struct {
		name    string
		percent int
	}{
		{"pricing.Score", 102}, {"pricing.Score", 105}, {"pricing.Score", 110}, {"pricing.Score", 150},
		{"session.Sign", 200}, {"stock.Reserve", 150}, {"receipt.Render", 150}, {"search.Rank", 200}, {"search.Match", 150},
		{"report.Pack", 150}, {"tax.Rate", 200}, {"codec.Decode", 150},
	} {
		cost.Set(planted.name + "=100")
		unchanged := made[planted.name]()
		cost.Set(planted.name + "=" + strconv.Itoa(planted.percent))
		slowed := made[planted.name]()
		time := func(call func(uint32), calls uint32) float64 {
			begin := threadTime()
			for i := range calls {
				call(i)
			}
			return threadTime() - begin
		}
		calls := uint32(1)
		for time(unchanged, calls) < 2e5 {
			calls *= 2
		}
		var ratios []float64
		for range 30 {
			var before, after []float64
			for turn := range 150 {
				// The one that goes first changes from turn to turn.
				if turn%2 == 0 {
					before = append(before, time(unchanged, calls))
				}
				after = append(after, time(slowed, calls))
				if turn%2 == 1 {
					before = append(before, time(unchanged, calls))
				}
			}
			ratios = append(ratios, lowDecile(after)/lowDecile(before))
		}
		n := float64(len(ratios))
		mean, squares := 0.0, 0.0
		for _, ratio := range ratios {
			mean += ratio / n
		}
		for _, ratio := range ratios {
			squares += (ratio - mean) * (ratio - mean)
		}
		half := 2.045 * math.Sqrt(squares/(n-1)/n)
		all = append(all, truth{planted.name + "=" + strconv.Itoa(planted.percent), mean, mean - half, mean + half, len(ratios)})
	}
	out := json.NewEncoder(os.Stdout)
	for _, row := range all {
		out.Encode(row)
	}
}
