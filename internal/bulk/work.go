package bulk

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/outcomes"
	"github.com/logoutd/logoutd/store"
)

// dialect is what the requests of operators are called in events.
const dialect = "admin"

// batchTimeout is how long store and broker have for a batch, each.
const batchTimeout = 10 * time.Second

// What became of an item, in the counts of a job.
const (
	requested = "requested" // fenced, and on its way to a worker
	unfenced  = "unfenced"  // on its way; the store could not fence it: it takes effect when a worker does it
	gone      = "gone"      // the store no longer knows the session
)

// work makes logout requests of items.
type work struct {
	store     store.Store
	publisher *broker.Publisher
	log       *slog.Logger
	js        jetstream.JetStream
}

// Mark implements [jobs.Follower].
func (w work) Mark(ctx context.Context) (json.RawMessage, error) {
	return outcomes.TakeMark(ctx, w.js)
}

// Follow implements [jobs.Follower]. The ids of a job's requests begin with its
// own.
func (w work) Follow(job jobs.Job, mark json.RawMessage) (jobs.Look, error) {
	handed := job.Counts[requested] + job.Counts[unfenced]
	return outcomes.Follow(w.js, mark, handed, func(p outcomes.Piece) string {
		if strings.HasPrefix(p.RequestID, job.ID+"-") {
			return p.RequestID
		}
		return ""
	})
}

// Do makes the requests of a batch: dead in checks first, then on disk at the
// broker. Done again, they are the same requests with the same cutoff.
func (w work) Do(ctx context.Context, job jobs.Job, items []jobs.Item) (map[string]int, error) {
	requests, err := requestsOf(job, items)
	if err != nil {
		return nil, err
	}
	fenced, err := w.fence(ctx, requests)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	known := requests[:0]
	for i, f := range fenced {
		outcome := w.complete(&requests[i], f)
		if counts[outcome]++; outcome != gone {
			known = append(known, requests[i])
		}
	}
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	if err := w.publisher.Requests(ctx, known...); err != nil {
		return nil, err
	}
	return counts, nil
}

func requestsOf(job jobs.Job, items []jobs.Item) ([]messages.Request, error) {
	cutoff, err := cutoffOf(job.Query)
	if err != nil {
		return nil, err
	}
	now := events.At(time.Now())
	requests := make([]messages.Request, len(items))
	for i, encoded := range items {
		it, err := decodeItem(encoded)
		if err != nil {
			return nil, err
		}
		requests[i] = messages.Request{
			ID: requestID(job.ID, encoded), Dialect: dialect, Initiator: messages.InitiatorAdmin,
			Scope: string(store.ScopeUser), Reason: job.Reason, SessionID: it.SessionID,
			UserID: it.UserID, TenantID: it.TenantID, Cutoff: cutoff, RequestedAt: now,
		}
		if it.SessionID != "" {
			requests[i].Scope = string(store.ScopeSession)
		}
	}
	return requests, nil
}

func (w work) fence(ctx context.Context, requests []messages.Request) ([]store.Fenced, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	fences := make([]store.Fence, len(requests))
	for i, r := range requests {
		fences[i] = store.Fence{
			RequestID: r.ID, SessionID: r.SessionID,
			User: store.User{TenantID: r.TenantID, ID: r.UserID}, At: r.Cutoff.Time,
		}
	}
	fenced, err := w.store.Fence(ctx, fences)
	if err != nil {
		return nil, fmt.Errorf("fencing: %w", err)
	}
	return fenced, nil
}

// complete adds what the store knows to a request, and returns what became of
// the item. A session that had ended is requested too: the batch may have been
// broken off after its fence.
func (w work) complete(r *messages.Request, f store.Fenced) string {
	switch {
	case f.Err != nil:
		w.log.Warn("revocation is not fenced: it takes effect when a worker does it",
			"request_id", r.ID, "session_id", r.SessionID, "user_id", r.UserID, "err", f.Err)
		return unfenced
	case f.Outcome == store.FenceUnknown:
		return gone
	case r.SessionID != "" && !writable(f.Session):
		return requested // and the worker asks the store for the ids
	case r.SessionID != "":
		r.UserID, r.TenantID = f.Session.User.ID, f.Session.User.TenantID
		r.DeviceID, r.AppID = f.Session.DeviceID, f.Session.AppID
		r.AuthenticatedAt = events.At(f.Session.AuthenticatedAt)
	}
	r.Fenced, r.Cutoff = true, events.At(f.Cutoff)
	return requested
}

// writable reports whether JSON can carry the session's ids. A login service
// that writes to the store itself may use any bytes.
func writable(s store.Session) bool {
	for _, id := range []string{s.User.ID, s.User.TenantID, s.DeviceID, s.AppID} {
		if !utf8.ValidString(id) {
			return false
		}
	}
	return true
}
