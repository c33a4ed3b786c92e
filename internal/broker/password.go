package broker

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"regexp"

	"golang.org/x/crypto/bcrypt"
)

// passwordPrefix makes passwords recognizable to people and to secret scanners.
const passwordPrefix = "logoutd_sub_"

// passwords finds passwords of subscribers in a text.
var passwords = regexp.MustCompile(passwordPrefix + `[A-Za-z0-9_-]+`)

// RedactPasswords replaces passwords of subscribers in a text.
func RedactPasswords(text string) string { return passwords.ReplaceAllString(text, "[REDACTED]") }

// NewPassword returns a new password of a subscriber: 256 random bits, as text.
func NewPassword() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails (crypto/rand, Go 1.24)
	return passwordPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// HashPassword returns the hash of a password as nats-server reads it. It has
// bcrypt's lowest cost, 1 ms: 256 random bits are too many to guess at any
// cost, and strangers who guess must not take the CPU away.
func HashPassword(password string) (string, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return "", fmt.Errorf("hashing password: %w", err)
	}
	return string(hash), nil
}
