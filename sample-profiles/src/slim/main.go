// Command slim leaves functions in a pprof file and takes lines and addresses out, so that equal stacks are one sample: slim IN OUT (not compressed).
//
// It uses the package that the Go toolchain itself carries for `go tool pprof`; capture.sh puts a copy beside it.
package main

import (
	"log"
	"os"

	"github.com/google/pprof/profile"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	in, err := os.Open(os.Args[1])
	check(err)
	p, err := profile.Parse(in)
	check(err)
	check(p.Aggregate(true, true, false, false, false, false))
	p, err = profile.Merge([]*profile.Profile{p})
	check(err)
	out, err := os.Create(os.Args[2])
	check(err)
	check(p.WriteUncompressed(out))
	check(out.Close())
}
