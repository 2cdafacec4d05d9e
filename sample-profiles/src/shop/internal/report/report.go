// Package report packs reports with the standard library's flate.
package report

import (
	"bytes"
	"compress/flate"
	"strconv"

	"shop/internal/cost"
)

// Packer packs reports.
type Packer struct {
	writer *flate.Writer
	text   []byte
	out    bytes.Buffer
	passes int
}

// New makes a packer of 2 passes a report, or as many as asked.
func New() *Packer {
	p := &Packer{passes: cost.Units("report.Pack", 2)}
	for i := range 300 {
		p.text = strconv.AppendInt(append(p.text, "sold "...), int64(i*i*31), 10)
		p.text = append(p.text, '\n')
	}
	p.writer, _ = flate.NewWriter(&p.out, 5)
	return p
}

// Pack writes the report, pass after pass.
//
//go:noinline
func (p *Packer) Pack() int {
	for range p.passes {
		p.out.Reset()
		p.writer.Reset(&p.out)
		p.writer.Write(p.text)
		p.writer.Close()
	}
	return p.out.Len()
}
