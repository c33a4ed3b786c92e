package workers

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers/delivery"
)

// pulled is a message of requests that the revoker works on.
type pulled struct {
	msg        jetstream.Msg
	seq        uint64    // in its stream
	deliveries uint64    // with this one
	appended   time.Time // by the broker's clock
	requests   []messages.Request
}

// read reads a message. It returns false if there is nothing to do: the message
// is not due yet, or it is a dead letter now because it cannot be read.
func (r *Revoker) read(ctx context.Context, msg jetstream.Msg) (pulled, bool) {
	d := pulled{msg: msg}
	meta, err := msg.Metadata()
	if err != nil {
		r.Logger.Error("message without metadata", "step", messages.StepRevoke, "err", err)
		return d, false
	}
	d.seq, d.deliveries, d.appended = meta.Sequence.Stream, meta.NumDelivered, meta.Timestamp
	d.requests, err = messages.ReadRequests(msg)
	if err != nil {
		if r.persist(ctx, func(ctx context.Context) error {
			return r.Metrics.RecordUndecodable(ctx, r.Publisher, msg, meta, err)
		}) {
			ack(msg)
		}
		return d, false
	}
	if len(d.requests) == 0 { // a front end has probed the broker
		ack(msg)
		return d, false
	}
	if d.deliveries > 1 && notDue(d.requests[0].History.NotBefore) {
		// It came early again. A new message has no deliveries yet, so it
		// will not look like one that crashes the process when it is due.
		r.handBack(ctx, []pulled{d})
		return d, false
	}
	return d, !deferred(msg, d.requests[0].History.NotBefore)
}

func notDue(notBefore events.Time) bool {
	return !notBefore.IsZero() && time.Until(notBefore.Time) > 0
}

// deferred returns a message to the broker that is not due yet, to be delivered
// when it is.
func deferred(msg jetstream.Msg, notBefore events.Time) bool {
	if !notDue(notBefore) {
		return false
	}
	_ = msg.NakWithDelay(time.Until(notBefore.Time))
	return true
}

// ack acknowledges a message whose consequences are all on disk. If the
// acknowledgement is lost, the message is delivered again, which changes nothing.
func ack(msg jetstream.Msg) { _ = msg.Ack() }

// giveUp makes a request a dead letter. Its history ends with f. The dead letter
// holds what the fence answered.
func (r *Revoker) giveUp(ctx context.Context, d pulled, request messages.Request, f *delivery.Failure) bool {
	r.Logger.Error("request given up", "step", messages.StepRevoke, "request_id", request.ID,
		"delivered", d.deliveries, "err", f)
	return r.persist(ctx, func(ctx context.Context) error {
		fenced, err := r.keepFence(ctx, d, request)
		if err != nil {
			return err
		}
		letter := delivery.NewDeadLetter(messages.StepRevoke, request.ID, request.History)
		letter.Request = &fenced
		return r.Metrics.Record(ctx, r.Publisher, letter, d.seq)
	})
}

// keepFence makes the store write the fence of a request to disk that is about to
// be given up. After a crash the store restores fences in memory from the pending
// requests, and a dead letter is not pending any more. It returns the request with
// what the fence answered. An error means that the store or the broker is down. A
// fence that fails by itself, or may crash the process, is left out.
func (r *Revoker) keepFence(ctx context.Context, d pulled, request messages.Request) (messages.Request, error) {
	if d.deliveries > maxFenceDeliveries {
		return request, nil
	}
	if err := r.unfenced.look(ctx, []pulled{d}); err != nil {
		return request, err
	}
	if at, late, err := r.bound(ctx, request); err != nil {
		return request, err
	} else if late {
		request.Cutoff = at
	}
	f := r.fence(request)
	f.Durable = true
	results, err := r.Store.Fence(ctx, []store.Fence{f})
	if errors.Is(err, store.ErrUnavailable) {
		return request, err
	}
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		r.Logger.Error("fence of a dead letter cannot be kept", "step", messages.StepRevoke,
			"request_id", request.ID, "session_id", request.SessionID, "err", err)
		return request, nil
	}
	r.countTombstone(f, results[0])
	return asFenced(request, results[0]), nil
}

// asFenced returns a request with what its fence answered, if JSON can encode
// that. Otherwise the store has to be asked for its user again.
func asFenced(request messages.Request, fenced store.Fenced) messages.Request {
	session := fenced.Session
	if fenced.Outcome == store.FenceUnknown || !writable(fenced.Cutoff) || !writable(session.AuthenticatedAt) {
		return request
	}
	request.Cutoff = events.At(fenced.Cutoff)
	if request.SessionID == "" {
		request.Fenced = true
		return request
	}
	for _, id := range []string{session.User.ID, session.User.TenantID, session.DeviceID, session.AppID} {
		if !utf8.ValidString(id) {
			return request
		}
	}
	request.Fenced, request.AuthenticatedAt = true, events.At(session.AuthenticatedAt)
	request.UserID, request.TenantID = session.User.ID, session.User.TenantID
	request.DeviceID, request.AppID = session.DeviceID, session.AppID
	return request
}

// writable reports whether JSON can encode the time.
func writable(t time.Time) bool { return t.Year() >= 0 && t.Year() <= 9999 }
