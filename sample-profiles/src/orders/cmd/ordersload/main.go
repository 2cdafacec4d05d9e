// Command ordersload sends a fixed number of requests to ordersd at a fixed mean rate, whatever the answers' delay
// (open loop, exponential gaps, fixed seed), over keep-alive connections. The same seed sends the same requests.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net/http"
	"slices"
	"sync"
	"time"

	"orders/internal/catalog"
)

type request struct {
	due    time.Duration
	method string
	path   string
	body   []byte
}

func main() {
	base := flag.String("url", "http://127.0.0.1:18080", "service")
	rate := flag.Float64("rate", 2000, "mean requests per second")
	count := flag.Int("n", 40_000, "number of requests")
	connections := flag.Int("c", 16, "connections")
	seed := flag.Int64("seed", 1, "random seed")
	flag.Parse()

	requests := plan(*count, *rate, *seed)
	transport := &http.Transport{MaxIdleConns: *connections, MaxIdleConnsPerHost: *connections, MaxConnsPerHost: *connections, DisableCompression: true}
	client := &http.Client{Transport: transport}
	queue := make(chan request, len(requests))
	latencies := make([][]time.Duration, *connections)
	var wait sync.WaitGroup
	start := time.Now()
	for worker := range *connections {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for r := range queue {
				if err := send(client, *base, r); err != nil {
					log.Fatal(err)
				}
				latencies[worker] = append(latencies[worker], time.Since(start)-r.due)
			}
		}()
	}
	for _, r := range requests {
		time.Sleep(r.due - time.Since(start))
		queue <- r
	}
	close(queue)
	wait.Wait()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	fmt.Printf("%d requests in %.2f s, latency from the planned time: median %v, p99 %v, worst %v\n",
		len(all), time.Since(start).Seconds(), all[len(all)/2].Round(time.Microsecond),
		all[len(all)*99/100].Round(time.Microsecond), all[len(all)-1].Round(time.Microsecond))
}

func send(client *http.Client, base string, r request) error {
	req, err := http.NewRequest(r.method, base+r.path, bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", r.method, r.path, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// plan makes the requests: 75 % orders of 16 lines, 10 % recent orders, 10 % searches, 5 % best sellers.
func plan(count int, rate float64, seed int64) []request {
	type line struct {
		SKU      string `json:"sku"`
		Quantity int    `json:"quantity"`
	}
	random := rand.New(rand.NewSource(seed))
	products := catalog.New().All()
	requests := make([]request, count)
	var due time.Duration
	for i := range requests {
		due += time.Duration(random.ExpFloat64() / rate * float64(time.Second))
		r := request{due: due, method: "GET"}
		customer := random.Intn(5000)
		switch kind := random.Intn(100); {
		case kind < 75:
			lines := make([]line, 16)
			for l := range lines {
				lines[l] = line{products[random.Intn(len(products))].SKU, 1 + random.Intn(14)}
			}
			body, err := json.Marshal(map[string]any{"customer": customer, "note": "please ring twice", "lines": lines})
			if err != nil {
				log.Fatal(err)
			}
			r.method, r.path, r.body = "POST", "/orders", body
		case kind < 85:
			r.path = fmt.Sprintf("/customers/%d/orders", customer)
		case kind < 95:
			p := products[random.Intn(len(products))]
			r.path = "/search?q=" + p.Tags[0] + "+" + p.Tags[2]
		default:
			r.path = "/bestsellers"
		}
		requests[i] = r
	}
	return requests
}
