// Command shop answers a fixed list of requests through its HTTP handlers, in this process, and writes a CPU profile of itself.
//
// The work of a run is known: the same requests in the same order, and one function that does as many percent of its pieces of work as
// -cost says. Printed as JSON: requests, processor time (getrusage) and time on the clock while the profile ran.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"syscall"
	"time"

	"shop/internal/audit"
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

type service struct {
	codec   *codec.Decoder
	pricing *pricing.Engine
	stock   *stock.Stock
	tax     *tax.Table
	receipt *receipt.Printer
	session *session.Signer
	audit   *audit.Log
	search  *search.Index
	report  *report.Packer
	orders  uint64
}

func (s *service) checkout(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	body.ReadFrom(r.Body)
	order, err := s.codec.Decode(body.Bytes())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.orders++
	cents := s.pricing.Score(order.Customer)
	s.stock.Reserve(order.Customer, len(order.Lines))
	total := s.tax.ForOrder(float64(cents))
	text := s.receipt.Render(s.orders, order.Lines)
	sign := s.session.Sign([]byte(text))
	s.audit.Append(s.orders)
	fmt.Fprintf(w, "%x %.0f\n%s", sign[:4], total, text)
}

func (s *service) find(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.ParseUint(r.URL.Query().Get("q"), 10, 32)
	fmt.Fprintln(w, s.search.Match(), s.search.Rank(uint32(id)), s.pricing.Score(uint32(id)))
}

func (s *service) daily(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintln(w, s.report.Pack(), s.tax.ForReport(1e6), s.pricing.Score(7))
}

func processorTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		log.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func main() {
	costs := flag.String("cost", "", "name=percent of the unchanged work, for example pricing.Score=110")
	requests := flag.Int("requests", 10000, "requests to answer while the profile runs")
	rate := flag.Int("rate", 250, "samples a second of processor time")
	out := flag.String("out", "", "file of the CPU profile; empty = none")
	flag.Parse()
	if err := cost.Set(*costs); err != nil {
		log.Fatal(err)
	}
	s := &service{
		codec.New(), pricing.New(), stock.New(), tax.New(), receipt.New(), session.New(), audit.New(), search.New(), report.New(), 0,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /checkout", s.checkout)
	mux.HandleFunc("GET /search", s.find)
	mux.HandleFunc("GET /daily", s.daily)
	seed := uint32(1)
	answer := func(n int) {
		for range n {
			seed = seed*1664525 + 1013904223
			var request *http.Request
			switch seed >> 28 % 4 {
			case 0:
				request = httptest.NewRequest("GET", "/search?q="+strconv.Itoa(int(seed>>8)), nil)
			case 1:
				request = httptest.NewRequest("GET", "/daily", nil)
			default:
				body := fmt.Sprintf(`{"customer": %d, "note": "leave it at the door", "lines": [%d, %d, %d, 250]}`, seed>>8, seed>>20, seed>>16, seed>>12)
				request = httptest.NewRequest("POST", "/checkout", bytes.NewReader([]byte(body)))
			}
			recorder := httptest.NewRecorder()
			mux.ServeHTTP(recorder, request)
			if recorder.Code != http.StatusOK {
				log.Fatal(recorder.Body.String())
			}
		}
	}
	answer(*requests / 20)
	if *out != "" {
		file, err := os.Create(*out)
		if err != nil {
			log.Fatal(err)
		}
		defer file.Close()
		// StartCPUProfile cannot change a rate that is set and complains once; the profile says the rate that was set.
		runtime.SetCPUProfileRate(*rate)
		if err := pprof.StartCPUProfile(file); err != nil {
			log.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	begin, used := time.Now(), processorTime()
	answer(*requests)
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"cost": *costs, "requests": *requests, "cpu_nanos": processorTime() - used, "wall_nanos": time.Since(begin),
	})
}
