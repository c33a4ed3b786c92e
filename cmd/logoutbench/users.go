package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
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

// users are registered and then log out, once each. User n has the sessions
// n*Sessions and those that follow, and logs out with the first.
type users struct {
	sessions tokenSeries
	refresh  tokenSeries
	prefix   string // of user ids

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

// newUsers returns users with one session each.
func newUsers() *users {
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails (crypto/rand, Go 1.24)
	name, now := hex.EncodeToString(random), time.Now().UTC()
	return &users{
		sessions: tokenSeries("bench-session-" + name + "-"), refresh: tokenSeries("bench-refresh-" + name + "-"),
		prefix: "bench-" + name + "-", Sessions: 1,
		authenticated: now.Add(-time.Minute), expires: now.Add(12 * time.Hour),
	}
}

// next returns the number of the session with which the next user logs out,
// or false where none is left.
func (u *users) next() (session int, ok bool) {
	user := u.gone.Add(1) - 1
	if user >= u.registered.Load() {
		u.gone.Add(-1)
		return 0, false
	}
	return int(user) * u.Sessions, true
}

func (u *users) sessionID(session int) string { return store.TokenID(u.sessions.token(session)) }

func (u *users) userID(user int) string { return fmt.Sprintf("%s%d", u.prefix, user) }

// endless numbers tokens for servers that know no sessions.
func endless() func() (int, bool) {
	var n atomic.Int64
	return func() (int, bool) { return int(n.Add(1)), true }
}

const (
	// linesPerImport is about how many registrations one call makes.
	linesPerImport = 20_000
	// imports is how many calls are made at once: logoutd reads one while the
	// store works on the other.
	imports = 2
)

// provide registers users until n are left, and waits until the system has
// nothing else to do.
func (u *users) provide(ctx context.Context, s *system, n int) error {
	from, to := int(u.registered.Load()), int(u.gone.Load())+n
	step := max(linesPerImport/(u.Sessions+u.RefreshTokens+u.PushRegistrations), 1)
	importing, importCtx := errgroup.WithContext(ctx)
	importing.SetLimit(imports)
	for user := from; user < to; user += step {
		importing.Go(func() error { return s.importLines(importCtx, u.lines(user, min(user+step, to))) })
	}
	if err := importing.Wait(); err != nil {
		return err
	}
	u.registered.Store(int64(max(from, to)))
	return s.settled(ctx)
}

// lines returns the NDJSON that registers some users, sorted by kind: logoutd
// registers neighbours of one kind together.
func (u *users) lines(from, to int) []byte {
	var b []byte
	expires, authenticated := u.expires.Format(time.RFC3339), u.authenticated.Format(time.RFC3339)
	for session := from * u.Sessions; session < to*u.Sessions; session++ {
		b = append(b, `{"type":"session","session_token":"`...)
		b = u.sessions.append(b, session)
		b = u.appendUser(b, session/u.Sessions)
		b = append(b, `","authenticated_at":"`+authenticated+`","expires_at":"`+expires+"\"}\n"...)
	}
	for token := from * u.RefreshTokens; token < to*u.RefreshTokens; token++ {
		user := token / u.RefreshTokens
		session := user*u.Sessions + token%u.RefreshTokens%u.Sessions
		b = append(b, `{"type":"refresh_token","refresh_token":"`...)
		b = u.refresh.append(b, token)
		b = append(b, `","session_id":"`+u.sessionID(session)...)
		b = u.appendUser(b, user)
		b = append(b, `","expires_at":"`+expires+"\"}\n"...)
	}
	for push := from * u.PushRegistrations; push < to*u.PushRegistrations; push++ {
		number := strconv.Itoa(push)
		b = append(b, `{"type":"push_registration","provider":"`+pushProvider+`","device_id":"`+number+`","push_token":"`+number...)
		b = u.appendUser(b, push/u.PushRegistrations)
		b = append(b, "\"}\n"...)
	}
	return b
}

func (u *users) appendUser(b []byte, user int) []byte {
	b = append(b, `","user_id":"`+u.prefix...)
	return strconv.AppendInt(b, int64(user), 10)
}

// requests returns the logout requests of the next n users, as a front end
// publishes them.
func (u *users) requests(d dialect, n int) ([]messages.Request, error) {
	requests := make([]messages.Request, n)
	now := events.At(time.Now())
	for i := range requests {
		session, ok := u.next()
		if !ok {
			return nil, fmt.Errorf("only %d of %d users are left", i, n)
		}
		id := u.sessionID(session)
		requests[i] = messages.Request{
			ID: messages.RequestID(string(d.scope), id), Dialect: d.name, Initiator: messages.InitiatorUser,
			Scope: string(d.scope), SessionID: id, UserID: u.userID(session / u.Sessions),
			AuthenticatedAt: events.At(u.authenticated), Cutoff: now, Fenced: true, RequestedAt: now,
		}
	}
	return requests, nil
}
