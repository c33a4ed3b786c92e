package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
)

// load is clients that log out one session after the other, each in one of the
// dialects. Where a logout is not accepted they try it again, as clients do.
type load struct {
	t    *testing.T
	at   atomic.Pointer[instance] // where they log out
	next nextLogin
	stop context.CancelFunc
	done sync.WaitGroup

	mu       sync.Mutex
	accepted []acceptedLogout
	answers  map[string]int // what else was answered: by dialect, status, and whether there was Retry-After
}

type acceptedLogout struct {
	login
	requestID string
}

// nextLogin returns the login that a client logs out as its nth, or that there
// is none yet.
type nextLogin func(at *instance, client, n int) (login, bool)

func startLoad(t *testing.T, at *instance, clients int, next nextLogin) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{t: t, next: next, stop: cancel, answers: map[string]int{}}
	l.at.Store(at)
	for client := range clients {
		l.done.Go(func() { l.run(ctx, client) })
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) run(ctx context.Context, client int) {
	for n := 0; ctx.Err() == nil; pause(ctx) {
		if who, ok := l.next(l.at.Load(), client, n); ok {
			l.logOut(ctx, dialectCalls[client%len(dialectCalls)], who)
			n++
		}
	}
}

func (l *load) logOut(ctx context.Context, d dialectCall, who login) {
	for ctx.Err() == nil {
		a := l.at.Load().logOut(d, who.session)
		l.record(d, who, a)
		if a.ok() {
			return
		}
		pause(ctx)
	}
}

func (l *load) record(d dialectCall, who login, a answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.ok() {
		l.accepted = append(l.accepted, acceptedLogout{who, messages.RequestID(d.scope, who.id())})
		return
	}
	l.answers[fmt.Sprintf("%s %d %v", d.name, a.status, a.header.Get("Retry-After") != "")]++
}

// pause is how long a client waits before it logs out the next time.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(20 * time.Millisecond):
	}
}

// end stops the clients and waits for them.
func (l *load) end() {
	l.stop()
	l.done.Wait()
}

func (l *load) logouts() []acceptedLogout {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]acceptedLogout{}, l.accepted...)
}

// awaitLogouts waits until so many more logouts are accepted.
func (l *load) awaitLogouts(more int) {
	l.t.Helper()
	before := len(l.logouts())
	eventually(l.t, fmt.Sprint(more, " more logouts"), func() bool { return len(l.logouts()) >= before+more })
}

// expectNoRefusals: everything is accepted, but for logouts of Elvis whose
// fence takes too long, because then nobody knows whether a CSRF token is due.
func (l *load) expectNoRefusals(when string) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for what, times := range l.answers {
		if what != "elvis 503 true" {
			l.t.Errorf("answered %s: %s, %d times", when, what, times)
		}
	}
}

// answered returns how often something else than acceptance was answered.
func (l *load) answered(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers[what]
}

// expectComplete waits until all that was accepted is done: the sessions and
// refresh tokens are dead, the push provider knows, subscribers know, once an
// id, and nothing was given up.
func (l *load) expectComplete(at *instance, provider *provider) {
	l.t.Helper()
	accepted := l.logouts()
	eventually(l.t, "push provider told of everything", func() bool {
		for _, a := range accepted {
			if provider.times(a.push) == 0 {
				return false
			}
		}
		return true
	})
	l.expectAnnounced(at, accepted)
	for _, a := range accepted {
		if !at.dead(a.login) {
			l.t.Errorf("session or refresh token of %s is active", a.device)
		}
	}
	if letters := at.mustCLI("failed", "list", "--output", "json"); letters != "" {
		l.t.Errorf("dead letters: %s", letters)
	}
}

// expectAnnounced reads the public events with logoutd events. An event may
// be there more than once, but under one id.
func (l *load) expectAnnounced(at *instance, accepted []acceptedLogout) {
	l.t.Helper()
	ids := map[string]bool{}
	for _, a := range accepted {
		ids[a.requestID] = true
	}
	tail := at.command("", "events", "--since", "1h")
	var seen map[string]events.Revoked
	eventually(l.t, "public events", func() bool {
		if strings.Count(tail.stdout.String(), "\n") < len(ids) {
			return false
		}
		seen = l.revoked(tail.stdout.String())
		for id := range ids {
			if _, ok := seen[id]; !ok {
				return false
			}
		}
		return true
	})
	tail.signal(syscall.SIGINT)
	tail.exit(patience)
	for _, a := range accepted {
		if e := seen[a.requestID]; len(e.SessionIDs) != 1 || e.SessionIDs[0] != a.id() || e.RefreshTokens != 1 || e.PushRegistrations != 1 {
			l.t.Errorf("event %s tells of sessions %v, %d refresh tokens, %d push registrations", a.requestID, e.SessionIDs, e.RefreshTokens, e.PushRegistrations)
		}
	}
}

// revoked returns the data of events by request.
func (l *load) revoked(lines string) map[string]events.Revoked {
	l.t.Helper()
	seen := map[string]events.Revoked{}
	for line := range strings.Lines(lines) {
		if !strings.HasSuffix(line, "\n") {
			break // still being written
		}
		var e events.Event[events.Revoked]
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			l.t.Fatalf("event %q: %v", line, err)
		}
		if e.ID != e.Data.RequestID {
			l.t.Errorf("event %s is of request %s", e.ID, e.Data.RequestID)
		}
		seen[e.ID] = e.Data
	}
	return seen
}
