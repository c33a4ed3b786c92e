package workers

import (
	"context"
	"math"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers/delivery"
)

// resolve finds the user of each request and makes the store's part of it. It
// fences unfenced requests, and all requests of a session that has unfenced ones
// on the stream, up to the earliest of their bounds.
func (r *Revoker) resolve(ctx context.Context, b *batch) error {
	var late []*item
	var fences []store.Fence
	for _, it := range b.items {
		at, isLate, err := r.bound(ctx, it.request)
		if err != nil {
			return err
		}
		if !isLate {
			it.revocation = revocation(it.request)
			continue
		}
		it.request.Cutoff = at
		late, fences = append(late, it), append(fences, r.fence(it.request))
	}
	if len(fences) == 0 {
		return nil
	}
	results, err := r.Store.Fence(ctx, fences)
	if err != nil {
		return err
	}
	for i, it := range late {
		it.asked.Cutoff = it.request.Cutoff
		if err := results[i].Err; err != nil {
			b.fail(it, &delivery.Failure{Class: delivery.Transient, Code: delivery.CodeStore, Err: err})
			continue
		}
		r.countTombstone(fences[i], results[i])
		applyFence(it, results[i])
		it.asked.Cutoff = it.request.Cutoff
	}
	return nil
}

// bound returns the latest cutoff that a request can have if it has to be fenced
// now: its own, or that of another request of the session if that is earlier.
func (r *Revoker) bound(ctx context.Context, request messages.Request) (at events.Time, late bool, err error) {
	at, listed := r.unfenced.earliest(request.SessionID)
	if request.Fenced && !listed {
		return events.Time{}, false, nil
	}
	own := request.Cutoff
	if own.IsZero() && !listed {
		clocks, err := r.unfenced.clocks(ctx)
		if err != nil {
			return events.Time{}, false, err
		}
		own = clocks.Bound(request)
	}
	return messages.EarlierOf(own, at), true, nil
}

func (r *Revoker) fence(request messages.Request) store.Fence {
	f := store.Fence{RequestID: request.ID, SessionID: request.SessionID, At: request.Cutoff.Time}
	if f.SessionID == "" {
		f.User, f.DeviceID = user(request), request.DeviceID
	}
	f.EndUnknown = !request.Fenced && f.SessionID != "" && r.tombstones.Tokens() >= 1
	return f
}

// countTombstone counts the tombstone of a session that the store does not know.
func (r *Revoker) countTombstone(f store.Fence, fenced store.Fenced) {
	switch {
	case fenced.Outcome != store.FenceUnknown:
	case f.EndUnknown:
		r.tombstones.Allow()
		r.Metrics.tombstones.WithLabelValues("written").Inc()
	default:
		r.Metrics.tombstones.WithLabelValues("refused").Inc()
	}
}

// applyFence adopts what the store knows. It does not put user and device into
// the request itself: they may be bytes that JSON cannot encode.
func applyFence(it *item, fenced store.Fenced) {
	if writable(fenced.Cutoff) && !fenced.Cutoff.IsZero() {
		it.request.Cutoff = events.At(fenced.Cutoff)
	}
	if fenced.Outcome == store.FenceUnknown {
		if it.request.Fenced { // the store has forgotten it since
			it.revocation = revocation(it.request)
		}
		return
	}
	it.revocation = revocation(it.request)
	if it.revocation == nil {
		it.revocation = &store.Revocation{
			RequestID: it.request.ID, Scope: store.Scope(it.request.Scope), SessionID: it.request.SessionID,
		}
	}
	it.revocation.Cutoff = fenced.Cutoff
	if it.request.SessionID == "" {
		return
	}
	session := fenced.Session
	it.revocation.User, it.revocation.DeviceID, it.revocation.AppID = session.User, session.DeviceID, session.AppID
	it.revocation.AuthenticatedAt = session.AuthenticatedAt
	it.request.UserID, it.request.TenantID = session.User.ID, session.User.TenantID
	it.request.DeviceID, it.request.AppID = session.DeviceID, session.AppID
}

// revocation returns the store's part of a request whose user is known, nil
// otherwise.
func revocation(request messages.Request) *store.Revocation {
	if request.UserID == "" {
		return nil
	}
	return &store.Revocation{
		RequestID: request.ID, Scope: store.Scope(request.Scope), SessionID: request.SessionID,
		User: user(request), DeviceID: request.DeviceID, AppID: request.AppID,
		AuthenticatedAt: request.AuthenticatedAt.Time, Cutoff: request.Cutoff.Time,
	}
}

func user(request messages.Request) store.User {
	return store.User{TenantID: request.TenantID, ID: request.UserID}
}

// public returns the public event of a request.
func (r *Revoker) public(it *item) events.Revoked {
	request := it.request
	e := events.Revoked{
		Scope: request.Scope, RequestID: request.ID, Dialect: request.Dialect,
		Initiator: request.Initiator, Reason: request.Reason,
		UserID: request.UserID, TenantID: request.TenantID, AppID: request.AppID, DeviceID: request.DeviceID,
		RequestedAt: request.RequestedAt, CompletedAt: it.finished,
	}
	if it.revocation == nil { // its sessions are kept elsewhere
		e.SessionIDs = []string{request.SessionID}
		e.RevokedBefore = request.Cutoff
		e.DenylistTTLSeconds = int64(r.unknownTTL().Seconds())
		return e
	}
	revoked := it.revoked
	e.SessionIDs = append([]string{}, revoked.SessionIDs...)
	e.Truncated = revoked.Sessions > len(revoked.SessionIDs)
	e.RevokedBefore = events.At(revoked.Cutoff)
	e.RefreshTokens, e.PushRegistrations = revoked.RefreshTokens, len(revoked.PushRegistrations)
	e.DenylistTTLSeconds = denylistTTL(revoked.LatestExpiry, it.finished.Time)
	if r.PublishUnknown { // the user may have sessions that the store does not know
		e.DenylistTTLSeconds = max(e.DenylistTTLSeconds, int64(r.unknownTTL().Seconds()))
	}
	return e
}

func denylistTTL(expiry, now time.Time) int64 {
	if expiry.IsZero() {
		return 0
	}
	return max(0, int64(math.Ceil(expiry.Sub(now).Seconds())))
}
