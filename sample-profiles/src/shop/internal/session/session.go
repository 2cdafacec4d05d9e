// Package session signs what leaves the service: the time goes into the standard library's SHA-256.
package session

import (
	"crypto/sha256"

	"shop/internal/cost"
)

// Signer signs with a fixed key.
type Signer struct {
	key    [32]byte
	rounds int
}

// New makes a signer of 100 rounds, or as many as asked.
func New() *Signer {
	return &Signer{key: sha256.Sum256([]byte("sample")), rounds: cost.Units("session.Sign", 100)}
}

// Sign hashes the text with the key, round after round.
//
//go:noinline
func (s *Signer) Sign(text []byte) [32]byte {
	buffer := make([]byte, 0, 512)
	sum := s.key
	for range s.rounds {
		buffer = append(append(buffer[:0], sum[:]...), text...)
		sum = sha256.Sum256(buffer[:min(len(buffer), 256)])
	}
	return sum
}
