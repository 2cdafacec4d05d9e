// Command ordersd is a small order service with the usual profiling endpoints under /debug/pprof/.
package main

import (
	"flag"
	"log"
	"net/http"
	"net/http/pprof"
	"runtime"

	"orders/internal/api"
	"orders/internal/catalog"
	"orders/internal/pricing"
	"orders/internal/store"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:18080", "address to listen on")
	rules := flag.Int("rules", 2000, "number of discount rules")
	mutexFraction := flag.Int("mutex-fraction", 0, "runtime.SetMutexProfileFraction; 0 = off")
	blockRate := flag.Int("block-rate", 0, "runtime.SetBlockProfileRate, nanoseconds; 0 = off")
	flag.Parse()
	runtime.SetMutexProfileFraction(*mutexFraction)
	runtime.SetBlockProfileRate(*blockRate)

	mux := http.NewServeMux()
	service := &api.API{Catalog: catalog.New(), Pricing: pricing.New(*rules), Store: store.New()}
	service.Routes(mux)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	log.Fatal(http.ListenAndServe(*addr, mux))
}
