// Command forms writes Go's text profiles of itself: forms FOLDER writes the debug=1 and debug=2 texts, forms panic dies with a dump.
//
// What stands in them is chosen for readers: labels that need quotes, inlined and recursive functions, a generic type, goroutines that
// wait in different ways, one that is locked to its thread, threads without a stack.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"
)

// keep holds memory that is live when the heap is written.
var keep [][]byte

// Box allocates for a generic type.
type Box[T any] struct{ items []T }

// Fill puts n items into the box.
func (b *Box[T]) Fill(n int) {
	b.items = make([]T, n)
}

//go:noinline
func allocate(depth int) {
	if depth > 0 {
		allocate(depth - 1)
		return
	}
	keep = append(keep, small(), make([]byte, 300_000))
	for range 50 {
		_ = append([]byte(nil), make([]byte, 2_000)...)
	}
}

// small is inlined into allocate.
func small() []byte { return make([]byte, 100) }

// contend makes two goroutines wait for one lock.
func contend(rounds int) {
	var lock sync.Mutex
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for range rounds {
				lock.Lock()
				time.Sleep(200 * time.Microsecond)
				lock.Unlock()
			}
		})
	}
	group.Wait()
}

// wait starts goroutines that wait for ever, each in its own way.
func wait() {
	labelled := pprof.Labels("tenant", `a "b", c`, "empty", "")
	never := make(chan int)
	for range 3 {
		go pprof.Do(context.Background(), labelled, func(context.Context) { receive(never) })
	}
	go func() { var none chan int; <-none }()
	go func() { select {} }()
	go func() { var lock sync.Mutex; lock.Lock(); lock.Lock() }()
	go func() { cond := sync.NewCond(&sync.Mutex{}); cond.L.Lock(); cond.Wait() }()
	go func() { runtime.LockOSThread(); time.Sleep(time.Hour) }()
	go func() {
		for {
			runtime.Gosched()
			time.Sleep(time.Millisecond)
		}
	}()
}

func receive(from chan int) { <-from }

func main() {
	runtime.MemProfileRate = 4096
	runtime.SetMutexProfileFraction(5)
	runtime.SetBlockProfileRate(1)
	wait()
	var box Box[int64]
	for n := range 20 {
		allocate(n % 4)
		box.Fill(10_000)
	}
	contend(40)
	runtime.GC()
	time.Sleep(20 * time.Millisecond)
	if os.Args[1] == "panic" {
		debug.SetTraceback("system")
		panic(fmt.Sprint("the worst has happened to ", len(box.items), " items"))
	}
	own := pprof.NewProfile("forms.example/files")
	own.Add(1, 0)
	own.Add(2, 0)
	for _, kind := range []string{"heap", "mutex", "block", "goroutine", "threadcreate", "forms.example/files"} {
		write(kind, 1)
	}
	write("goroutine", 2)
}

func write(kind string, level int) {
	name := filepath.Base(kind)
	if kind == "forms.example/files" {
		name = "own"
	}
	file, err := os.Create(filepath.Join(os.Args[1], fmt.Sprintf("forms-%s-debug%d.txt", name, level)))
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if err := pprof.Lookup(kind).WriteTo(file, level); err != nil {
		panic(err)
	}
}
