// Package api is the HTTP face of the service: JSON in, JSON out.
package api

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime/pprof"
	"strconv"
	"time"

	"orders/internal/catalog"
	"orders/internal/pricing"
	"orders/internal/store"
)

// API answers requests with the help of the catalogue, the prices and the stored orders.
type API struct {
	Catalog *catalog.Catalog
	Pricing *pricing.Engine
	Store   *store.Store
}

type orderRequest struct {
	Customer uint32 `json:"customer"`
	Note     string `json:"note"`
	Lines    []struct {
		SKU      string `json:"sku"`
		Quantity uint32 `json:"quantity"`
	} `json:"lines"`
}

// Routes adds the service's paths to mux. The CPU samples of each carry the label endpoint.
func (a *API) Routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /orders", labelled("place-order", a.placeOrder))
	mux.HandleFunc("GET /customers/{id}/orders", labelled("recent-orders", a.recentOrders))
	mux.HandleFunc("GET /search", labelled("search", a.search))
	mux.HandleFunc("GET /bestsellers", labelled("bestsellers", a.bestSellers))
	mux.HandleFunc("GET /counters", a.counters)
}

func labelled(endpoint string, handle http.HandlerFunc) http.HandlerFunc {
	labels := pprof.Labels("endpoint", endpoint)
	return func(w http.ResponseWriter, r *http.Request) {
		pprof.Do(r.Context(), labels, func(ctx context.Context) { handle(w, r.WithContext(ctx)) })
	}
}

func (a *API) placeOrder(w http.ResponseWriter, r *http.Request) {
	var req orderRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	order := store.Order{Customer: req.Customer, At: time.Now(), Items: make([]store.Item, 0, len(req.Lines))}
	for _, line := range req.Lines {
		product, ok := a.Catalog.Find(line.SKU)
		if !ok {
			http.Error(w, "unknown sku "+line.SKU, http.StatusUnprocessableEntity)
			return
		}
		quote := a.Pricing.Discount(pricing.Line{
			Customer: req.Customer,
			Segment:  req.Customer % pricing.Segments,
			Product:  product.ID,
			Category: product.Category,
			Quantity: line.Quantity,
		})
		cents := product.PriceCents * int64(line.Quantity) * int64(100-min(quote.Percent, 40)) / 100
		order.Items = append(order.Items, store.Item{SKU: line.SKU, Quantity: line.Quantity, PriceCents: cents, Percent: quote.Percent})
		order.TotalCents += cents
	}
	order.ID = a.Store.Add(order)
	respond(w, order)
}

func (a *API) recentOrders(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 32)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	respond(w, a.Store.Recent(uint32(id)))
}

func (a *API) search(w http.ResponseWriter, r *http.Request) {
	respond(w, a.Catalog.Search(r.URL.Query().Get("q"), 20))
}

func (a *API) bestSellers(w http.ResponseWriter, _ *http.Request) {
	respond(w, a.Store.BestSellers(10))
}

func (a *API) counters(w http.ResponseWriter, _ *http.Request) {
	hits, misses, kept := a.Pricing.Counters()
	respond(w, map[string]any{"hits": hits, "misses": misses, "kept": kept})
}

func respond(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	// A failed write means that the client went away; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}
