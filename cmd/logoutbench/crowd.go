package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/logoutd/logoutd/store"
)

// numberWidth is how many digits the number of a token has.
const numberWidth = 10

// tokenSeries names tokens by numbers: a prefix of its own, and the number at
// a fixed width.
type tokenSeries string

func (s tokenSeries) append(b []byte, n int) []byte {
	b = append(b, s...)
	b = append(b, "0000000000"...)
	putNumber(b[len(b)-numberWidth:], n)
	return b
}

func (s tokenSeries) token(n int) string { return string(s.append(nil, n)) }

// putNumber writes n into the first ten bytes of b.
func putNumber(b []byte, n int) {
	for i := numberWidth - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// crowd is users who are registered and then log out, once each. User n has
// the sessions n*Sessions and those that follow, and logs out with the first.
type crowd struct {
	sessions tokenSeries
	refresh  tokenSeries
	users    string // prefix of their ids

	// What a user has. Refresh tokens are bound to the sessions in turn; each
	// push registration is on a device of its own.
	Sessions, RefreshTokens, PushRegistrations int

	authenticated time.Time
	expires       time.Time
	registered    atomic.Int64 // users
	gone          atomic.Int64 // users who have logged out
}

// pushProvider is the provider that push registrations name.
const pushProvider = "bench"

// newCrowd returns a crowd of users with one session each.
func newCrowd() *crowd {
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails (crypto/rand, Go 1.24)
	name := hex.EncodeToString(random)
	now := time.Now().UTC()
	return &crowd{
		sessions: tokenSeries("bench-session-" + name + "-"), refresh: tokenSeries("bench-refresh-" + name + "-"),
		users: "bench-" + name + "-", Sessions: 1,
		authenticated: now.Add(-time.Minute), expires: now.Add(12 * time.Hour),
	}
}

// next returns the number of the session with which the next user logs out,
// or that none is left.
func (c *crowd) next() (session int, ok bool) {
	user := c.gone.Add(1) - 1
	if user >= c.registered.Load() {
		c.gone.Add(-1)
		return 0, false
	}
	return int(user) * c.Sessions, true
}

// left is how many users are still logged in.
func (c *crowd) left() int { return int(c.registered.Load() - c.gone.Load()) }

func (c *crowd) sessionID(session int) string { return store.TokenID(c.sessions.token(session)) }

func (c *crowd) userID(user int) string { return fmt.Sprintf("%s%d", c.users, user) }

// endless is for targets that know no sessions.
func endless() func() (int, bool) {
	var n atomic.Int64
	return func() (int, bool) { return int(n.Add(1)), true }
}
