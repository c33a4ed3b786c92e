package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logoutd/logoutd/internal/access"
)

var (
	attacker = netip.MustParseAddr("2001:db8::1")
	neighbor = netip.MustParseAddr("2001:db8::2") // of the same network
	operator = netip.MustParseAddr("192.0.2.1")
)

// guess presents wrong tokens until it is slowed down.
func guess(t *testing.T, attempts *access.Attempts, from netip.Addr) {
	t.Helper()
	for i := range 1000 {
		switch _, err := attempts.Authenticate(from, fmt.Sprint("raw-guess-", i)); {
		case errors.Is(err, access.ErrThrottled):
			return
		case !errors.Is(err, access.ErrWrong):
			t.Fatal(err)
		}
	}
	t.Fatal("1000 guesses are not slowed down")
}

func TestGuessesAreSlowedDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		attempts := access.NewAttempts(access.New(access.Config{Root: root}), nil, nil)
		guess(t, attempts, attacker)
		if _, err := attempts.Authenticate(neighbor, "raw-another-guess"); !errors.Is(err, access.ErrThrottled) {
			t.Errorf("a guess from a network that is over its limit: %v", err)
		}
		if _, err := attempts.Authenticate(neighbor, root); err != nil {
			t.Errorf("the right token from there, for the first time: %v", err)
		}
		if _, err := attempts.Authenticate(operator, "raw-another-guess"); !errors.Is(err, access.ErrWrong) {
			t.Errorf("a guess from elsewhere: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := attempts.Authenticate(neighbor, "raw-one-more"); !errors.Is(err, access.ErrWrong) {
			t.Errorf("a second later: %v", err)
		}
	})
}

// TestTheSameWrongTokenIsNoGuess: a service that goes on with a token that was
// revoked is slowed down, and nobody else at its address.
func TestTheSameWrongTokenIsNoGuess(t *testing.T) {
	t.Parallel()
	tokens := access.New(access.Config{Root: root})
	attempts := access.NewAttempts(tokens, nil, nil)
	for range 100 {
		_, _ = attempts.Authenticate(attacker, "raw-revoked")
	}
	if _, err := attempts.Authenticate(attacker, root); err != nil {
		t.Errorf("the right token from there: %v", err)
	}
}

// TestRefusalsAreReported: the first at once, a flood a few times, in few
// lines, by address and by the name of a token that was revoked.
func TestRefusalsAreReported(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	tokens := b.ready()
	secret := create(t, tokens, "night", access.Viewer)
	revoke(t, tokens, "night")
	synctest.Test(t, func(t *testing.T) {
		reports := make(chan access.Refusals, 100)
		attempts := access.NewAttempts(tokens, func(r access.Refusals) { reports <- r }, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = attempts.Run(ctx) }()
		_, _ = attempts.Authenticate(attacker, secret)
		time.Sleep(2 * time.Second)
		if len(reports) != 1 {
			t.Fatalf("%d reports of the first", len(reports))
		}
		r := <-reports
		if r.Total != 1 || r.Addresses["2001:db8::1"] != 1 || r.Reasons["revoked"] != 1 || len(r.Tokens) != 1 || r.Tokens[0] != "night" {
			t.Errorf("reported %+v", r)
		}
		for i := range 24 * 60 * 60 {
			from := operator
			for range i % 20 {
				from = from.Next()
			}
			_, _ = attempts.Authenticate(from, fmt.Sprint("raw-", i))
			time.Sleep(time.Second)
		}
		if len(reports) < 5 || len(reports) > 40 {
			t.Errorf("a day's flood makes %d reports", len(reports))
		}
		for len(reports) > 0 {
			if r := <-reports; len(r.Addresses) > 10 {
				t.Errorf("%d addresses in a report", len(r.Addresses))
			}
		}
	})
}
