package handlers

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/store"
)

// accept fences what a logout of now names and publishes it. It goes on when
// the client hangs up: once fenced, a logout has to be published.
func (f *front) accept(r *http.Request, dialect string, l logout, now time.Time) outcome {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), f.acceptTimeout)
	defer cancel()

	var requests []events.Request
	var whole outcome
	traceParent := traceParentOf(r)
	for i, fenced := range f.fence(ctx, l) {
		c := l.candidates[i]
		o := f.judge(c, fenced)
		whole = max(whole, o)
		if o == outcomeAccepted {
			request := newRequest(dialect, l.scope, c.sessionID, fenced, now)
			request.TraceParent = traceParent
			requests = append(requests, request)
		}
	}
	if err := f.publish(ctx, requests); err != nil {
		return outcomeUnavailable
	}
	return whole
}

// fence fences all candidates in one call. Where the store fails as a whole,
// that is the failure of each.
func (f *front) fence(ctx context.Context, l logout) []store.Fenced {
	fences := make([]store.Fence, len(l.candidates))
	for i, c := range l.candidates {
		fences[i] = store.Fence{
			RequestID: events.RequestID(string(l.scope), c.sessionID),
			SessionID: c.sessionID, RefuseBrowser: c.refuseBrowser,
		}
	}
	ctx, cancel := context.WithTimeout(ctx, f.fenceTimeout)
	defer cancel()
	results, err := f.store.Fence(ctx, fences)
	if err != nil {
		results = make([]store.Fenced, len(fences))
		for i := range results {
			results[i].Err = err
		}
	}
	f.observeFence(ctx, results)
	return results
}

// fenceSkipped is how metrics call a fence that failed.
const fenceSkipped store.FenceOutcome = "skipped"

func (f *front) observeFence(ctx context.Context, results []store.Fenced) {
	for _, fenced := range results {
		o := fenced.Outcome
		if fenced.Err != nil {
			o = fenceSkipped
			f.trouble(ctx, &f.fenceTrouble, "fence skipped", fenced.Err)
		}
		f.metrics.fences.WithLabelValues(string(o)).Inc()
	}
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

func (f *front) publish(ctx context.Context, requests []events.Request) error {
	if len(requests) == 0 {
		return nil
	}
	if err := f.publisher.Requests(ctx, requests...); err != nil {
		f.trouble(ctx, &f.publishTrouble, "logout not published", err)
		return err
	}
	for _, r := range requests {
		f.log.DebugContext(ctx, "logout accepted", "request_id", r.ID, "session_id", r.SessionID, "user_id", r.UserID)
	}
	return nil
}

// newRequest returns the request for one session. Where there is no cutoff of
// the store's, the front's clock gives one: an upper bound, which the worker
// lowers.
func newRequest(dialect string, scope store.Scope, sessionID string, fenced store.Fenced, now time.Time) events.Request {
	r := events.Request{
		ID:      events.RequestID(string(scope), sessionID),
		Dialect: dialect, Initiator: events.InitiatorUser,
		Scope: string(scope), SessionID: sessionID,
		Cutoff: events.At(fenced.Cutoff), RequestedAt: events.At(now),
		Fenced: fenced.Err == nil,
	}
	if r.Cutoff.IsZero() {
		r.Cutoff = events.At(now)
	}
	s := fenced.Session
	if !writable(s.User.ID, s.User.TenantID, s.DeviceID, s.AppID) {
		r.Fenced = false
		return r
	}
	if !readable(s.AuthenticatedAt) || !readable(fenced.Cutoff) {
		r.Fenced, r.Cutoff = false, events.At(now)
		return r
	}
	r.UserID, r.TenantID, r.DeviceID, r.AppID = s.User.ID, s.User.TenantID, s.DeviceID, s.AppID
	r.AuthenticatedAt = events.At(s.AuthenticatedAt)
	return r
}

// writable reports whether JSON can carry the ids. One that was written to the
// store directly may be any bytes; then the worker asks the store for it.
func writable(ids ...string) bool {
	for _, id := range ids {
		if !utf8.ValidString(id) {
			return false
		}
	}
	return true
}

// readable reports whether JSON can carry the time (RFC 3339 has years of four
// digits). A service that writes microseconds to the store by mistake makes
// others.
func readable(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }
