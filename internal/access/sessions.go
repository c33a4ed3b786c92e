package access

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"
)

// How many sessions there are at most. Beyond it, the one that was not used for
// the longest time ends.
const (
	maxTokenSessions = 20   // of one token: browsers of a person, or of a team that shares it
	maxSessions      = 1000 // of all tokens
)

// lookupsPerSecond bounds what made-up cookies cost the broker. What is beyond
// it is not known here until the broker tells of it, which takes milliseconds.
const lookupsPerSecond = 20

// sessionIDLength is that of a SHA-256 in base64url.
const sessionIDLength = 43

// SessionsConfig is what sessions are kept in.
type SessionsConfig struct {
	JetStream jetstream.JetStream
	Tokens    *Tokens
	// Logger gets why the sessions cannot be followed or written. Default: none.
	Logger *slog.Logger
}

// Sessions are the sessions of the console, in all admin processes on one
// broker. Those that a process knows can be used, begun and ended while the
// broker is down: it is told once it is back. It is safe for concurrent use.
type Sessions struct {
	config SessionsConfig
	bucket *bucket

	// writing is held while the broker is written or read, so that neither
	// overtakes the other. It is locked before mu.
	writing sync.Mutex
	wake    chan struct{}
	lookups *rate.Limiter // of sessions that are not known here
	loaded  atomic.Bool   // all were read from the broker

	mu    sync.Mutex
	all   map[string]*heldSession // by id
	saved chan struct{}           // closed after each round of writing, then made again
}

// NewSessions returns the sessions on a broker.
func NewSessions(c SessionsConfig) *Sessions {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Sessions{
		config: c, wake: make(chan struct{}, 1), lookups: rate.NewLimiter(lookupsPerSecond, lookupsPerSecond), all: map[string]*heldSession{}, saved: make(chan struct{}),
		bucket: &bucket{js: c.JetStream, name: "logoutd_sessions", description: "console sessions", lifetime: SessionAge},
	}
}

// Begin opens a session for who has presented a token, and returns its secret,
// which is kept nowhere. It waits a moment for the broker to have it.
func (s *Sessions) Begin(ctx context.Context, token Hash, caller Caller, address string) (secret string, _ Session) {
	secret, id := newSessionSecret()
	now := time.Now().UTC().Truncate(time.Millisecond)
	h := newHeld(Session{ID: id, Token: caller.Name, Role: caller.Role, Address: address, CreatedAt: now, SeenAt: now}, token)
	h.unsaved = true
	begun := h.Session // from now on others change h
	s.mu.Lock()
	s.makeRoom(token)
	s.all[id] = h
	s.mu.Unlock()
	s.settle(ctx, id)
	return secret, begun
}

// makeRoom ends sessions so that there is room for one more of a token. The
// caller holds mu.
func (s *Sessions) makeRoom(token Hash) {
	var same, all []*heldSession
	for _, h := range s.all {
		if h.ended {
			continue
		}
		all = append(all, h)
		if h.token == token {
			same = append(same, h)
		}
	}
	oldest := func(a, b *heldSession) int { return a.SeenAt.Compare(b.SeenAt) }
	if len(same) >= maxTokenSessions {
		s.endHeld(slices.MinFunc(same, oldest))
	} else if len(all) >= maxSessions {
		s.endHeld(slices.MinFunc(all, oldest))
	}
}

// Use returns the session that a secret opens, and who it belongs to, and notes
// that it was used, if touch is set. renewed tells that this was noted: a
// cookie should be renewed too. The session is over where its time is, where
// its token is revoked, or has another role. alive ends with the session.
func (s *Sessions) Use(ctx context.Context, secret string, touch bool) (u Usage, ok bool) {
	id, now := sessionID(secret), time.Now()
	s.mu.Lock()
	h := s.all[id]
	s.mu.Unlock()
	if h == nil && secret != "" {
		h = s.fetch(ctx, id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h == nil || !s.stands(h, now) {
		return Usage{}, false
	}
	if touch && now.Sub(h.SeenAt) >= sessionRenewal {
		h.SeenAt, h.unsaved, u.Renewed = now.UTC().Truncate(time.Millisecond), true, true
		s.ask()
	}
	u.Session, u.Alive = h.Session, h.alive
	u.Caller = Caller{Name: h.Token, Role: h.Role}
	return u, true
}

// Usage is a session that is used.
type Usage struct {
	Session Session
	Caller  Caller
	Alive   context.Context // ends with the session
	Renewed bool
}

// stands reports whether a session is open. The caller holds mu.
func (s *Sessions) stands(h *heldSession, now time.Time) bool {
	caller, known := s.config.Tokens.Standing(h.token)
	return !h.ended && !h.expired(now) && known && caller == Caller{Name: h.Token, Role: h.Role}
}

// End ends the session with an id, at once here, and in the other processes as
// soon as the broker has told them; it waits a moment for that. It reports
// whether the session was open.
func (s *Sessions) End(ctx context.Context, id string) (Session, bool) {
	return s.EndFor(ctx, Caller{Role: Operator}, id)
}

// EndFor is [Sessions.End] for a caller, who can end the sessions of its own
// token, or as an operator those of all tokens.
func (s *Sessions) EndFor(ctx context.Context, caller Caller, id string) (Session, bool) {
	s.mu.Lock()
	h := s.all[id]
	s.mu.Unlock()
	if h == nil {
		h = s.fetch(ctx, id)
	}
	if h == nil {
		return Session{}, false
	}
	s.mu.Lock()
	if !caller.sees(h.Session) {
		s.mu.Unlock()
		return Session{}, false
	}
	ended, stood := h.Session, s.stands(h, time.Now())
	s.endHeld(h)
	s.mu.Unlock()
	s.settle(ctx, id)
	return ended, stood
}

// endHeld ends a session. The caller holds mu.
func (s *Sessions) endHeld(h *heldSession) {
	if !h.ended {
		h.ended, h.unsaved = true, true
		h.end()
		s.ask()
	}
}

// Complete reports whether the sessions of all processes are known here: the
// broker was asked, and is connected.
func (s *Sessions) Complete() bool { return s.loaded.Load() && s.bucket.js.Conn().IsConnected() }

// List returns the open sessions that a caller can see, the last used first: those
// of its own token, or, for an operator, all.
func (s *Sessions) List(caller Caller) []Session {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var open []Session
	for _, h := range s.all {
		if s.stands(h, now) && caller.sees(h.Session) {
			open = append(open, h.Session)
		}
	}
	slices.SortFunc(open, func(a, b Session) int {
		return cmp.Or(b.SeenAt.Compare(a.SeenAt), strings.Compare(a.ID, b.ID))
	})
	return open
}

// ask has what is unsaved written.
func (s *Sessions) ask() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
