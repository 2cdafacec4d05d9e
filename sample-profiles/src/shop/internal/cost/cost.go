// Package cost says how much work each function that can be slowed down does, in percent of the unchanged program.
package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// percent holds what was asked for; every function that is not named does 100 %.
var percent = map[string]int{}

// Set reads "name=percent,…", for example "pricing.Score=110".
func Set(text string) error {
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' }) {
		name, value, found := strings.Cut(part, "=")
		number, err := strconv.Atoi(value)
		if !found || err != nil || number < 1 {
			return fmt.Errorf("%q is not name=percent", part)
		}
		percent[name] = number
	}
	return nil
}

// Units is the number of equal pieces of work that a function does where the unchanged program does base pieces.
func Units(name string, base int) int {
	if asked, ok := percent[name]; ok {
		if base*asked%100 != 0 {
			panic(fmt.Sprintf("%s does %d pieces of work: %d %% of it is no whole number", name, base, asked))
		}
		return base * asked / 100
	}
	return base
}
