package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// accept lets a logout of now take effect, and returns once that is certain. It
// goes on when the client hangs up: once fenced, a logout has to be published.
func (f *front) accept(r *http.Request, dialect string, l logout, now time.Time) outcome {
	a := &arrival{logout: l, dialect: dialect, traceParent: traceParentOf(r), at: now}
	queue := f.queue
	if a.large() {
		queue = f.large
	}
	f.callers.waiting.Add(1)
	defer f.callers.waiting.Add(-1)
	_ = queue.Do(context.WithoutCancel(r.Context()), a) // the outcome tells
	return a.outcome
}

// judge decides what becomes of a candidate. A skipped fence cannot tell what
// kind a session is, so that one which needs a CSRF token has to wait.
func (f *front) judge(c candidate, fenced store.Fenced) outcome {
	switch {
	case fenced.Err != nil && c.refuseBrowser:
		return outcomeUnavailable
	case fenced.Err != nil:
		return outcomeAccepted
	case fenced.Outcome == store.FenceRefused:
		return outcomeRefused
	case fenced.Outcome == store.FenceUnknown && !f.publishUnknown:
		return outcomeUnknown
	default:
		return outcomeAccepted
	}
}

func (f *front) publish(ctx context.Context, requests []messages.Request) error {
	if len(requests) == 0 {
		return nil
	}
	if err := f.publisher.Requests(ctx, requests...); err != nil {
		f.trouble(ctx, &f.publishTrouble, "logout not published", err)
		return err
	}
	if !f.log.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	for _, r := range requests {
		f.log.DebugContext(ctx, "logout accepted", "request_id", r.ID, "session_id", r.SessionID, "user_id", r.UserID)
	}
	return nil
}

// newRequest returns the request for one session of a logout. Where the store
// has given no cutoff there is none: a worker finds out when the broker had the
// request. The front's clock bounds nothing.
func newRequest(a *arrival, sessionID string, fenced store.Fenced) messages.Request {
	r := messages.Request{
		ID:      messages.RequestID(string(a.scope), sessionID),
		Dialect: a.dialect, Initiator: messages.InitiatorUser,
		Scope: string(a.scope), SessionID: sessionID,
		Cutoff: events.At(fenced.Cutoff), RequestedAt: events.At(a.at),
		Fenced: fenced.Err == nil && !fenced.Cutoff.IsZero(), TraceParent: a.traceParent,
	}
	s := fenced.Session
	if !readable(s.AuthenticatedAt) || !readable(fenced.Cutoff) {
		r.Fenced, r.Cutoff = false, events.Time{}
		return r
	}
	if !writable(s.User.ID, s.User.TenantID, s.DeviceID, s.AppID) {
		r.Fenced = false
		return r
	}
	r.UserID, r.TenantID, r.DeviceID, r.AppID = s.User.ID, s.User.TenantID, s.DeviceID, s.AppID
	r.AuthenticatedAt = events.At(s.AuthenticatedAt)
	return r
}

// fold returns the requests of one logout with those of sessions that nothing
// is known of as few entries: a logout may present thousands.
func fold(requests []messages.Request) []messages.Request {
	type what struct {
		fenced bool
		cutoff events.Time
	}
	var folded []messages.Request
	entries := map[what]int{}
	for _, r := range requests {
		if r.UserID != "" {
			folded = append(folded, r)
			continue
		}
		same := what{r.Fenced, r.Cutoff}
		i, found := entries[same]
		if !found {
			i = len(folded)
			entries[same] = i
			entry := r
			entry.ID, entry.SessionID = messages.NewID(), ""
			folded = append(folded, entry)
		}
		folded[i].Candidates = append(folded[i].Candidates, r.SessionID)
	}
	return folded
}

// maxIDs is how long the ids in a request are together, in bytes: well above
// what the admin API registers, and far below a message. A longer one would make
// the requests of others that share its message fail with it.
const maxIDs = 64 << 10

// writable reports whether a request can carry the ids. One that was written to
// the store directly may be any bytes; then the worker asks the store for it.
func writable(ids ...string) bool {
	size := 0
	for _, id := range ids {
		size += len(id)
		if size > maxIDs || !utf8.ValidString(id) {
			return false
		}
	}
	return true
}

// readable reports whether JSON can carry the time (RFC 3339 has years of four
// digits). A service that writes microseconds to the store by mistake makes
// others.
func readable(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }
