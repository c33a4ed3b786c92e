package audit

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// Actions. The jobs' are <kind>.start.
const (
	ActionLogin             = "login"
	ActionLogout            = "logout"
	ActionSessionEnd        = "session.end"
	ActionRefused           = "access.refused"
	ActionTokenCreate       = "token.create"
	ActionTokenRevoke       = "token.revoke"
	ActionSubscriberCreate  = "subscriber.create"
	ActionSubscriberRevoke  = "subscriber.revoke"
	ActionDamageAcknowledge = "damage.acknowledge"
	ActionTargetEnable      = "target.enable"
	ActionTargetDiscard     = "target.discard"
	ActionTargetMove        = "target.move"
	ActionReplayStart       = "replay.start"
	ActionDiscardStart      = "discard.start"
	ActionRevokeStart       = "revoke.start"
	ActionJobPause          = "job.pause"
	ActionJobResume         = "job.resume"
	ActionJobCancel         = "job.cancel"
	ActionJobFinish         = "job.finish"
	ActionRevocationCreate  = "revocation.create"
)

// Entry is one action of an operator.
type Entry struct {
	// ID names the entry: what is appended twice under one ID within two
	// minutes is one entry. Empty: a fresh one.
	ID string
	// At is when it was done, cut to the millisecond. Zero: now.
	At time.Time
	// By is the name of the operator's token.
	By string
	// Action is one of the constants: words of a-z joined by ".".
	Action string
	Reason string
	JobID  string
	// Selection is what was acted on, as it was asked for. Whoever appends
	// sees to it that no credential is in it: everybody who can read the log
	// reads it.
	Selection json.RawMessage
	// Counts are what came of it, by outcome.
	Counts map[string]int
	// Address is that of the operator's client, where it is known.
	Address string
}

// named returns the entry with what its zero values stand for.
func (e Entry) named() Entry {
	if e.ID == "" {
		e.ID = messages.NewID()
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	return e
}

// Log is the log of all processes on one broker. It is safe for concurrent
// use.
type Log struct {
	js jetstream.JetStream

	mu      sync.Mutex
	waiting []Entry       // written by Run
	arrived chan struct{} // one of them
}

// New returns the log kept by the broker behind js, in the stream that
// [events.Setup] makes.
func New(js jetstream.JetStream) *Log { return &Log{js: js, arrived: make(chan struct{}, 1)} }

// Append puts an entry on the log and returns once it is acknowledged: on
// disk. An error that wraps [events.ErrUnavailable] leaves
// open whether the entry is there: append it again under its ID. Any other
// means that it cannot be written: its action or selection cannot be, or the
// selection is longer than [events.MaxBatchBytes].
func (l *Log) Append(ctx context.Context, e Entry) error {
	e = e.named()
	entry, err := messages.OperatorActed{
		Action: e.Action, By: e.By, Reason: e.Reason, JobID: e.JobID,
		Selection: e.Selection, Counts: e.Counts, Address: e.Address, At: events.At(e.At),
	}.Message(e.ID)
	if err != nil {
		return err
	}
	if err := l.publish(ctx, entry); err != nil {
		return broker.Unavailable("appending audit entry", err)
	}
	return nil
}

// Record is [Log.Append] until the broker takes the entry, or ctx ends: for an
// action that has taken effect, and must not go unrecorded.
func (l *Log) Record(ctx context.Context, e Entry) error {
	e = e.named()
	return backoff.Retry(func() error {
		err := l.Append(ctx, e)
		if err != nil && !errors.Is(err, broker.ErrUnavailable) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(backoff.NewExponentialBackOff(backoff.WithMaxElapsedTime(0)), ctx))
}

func (l *Log) publish(ctx context.Context, msg *nats.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, broker.AckWait)
	defer cancel()
	_, err := l.js.PublishMsg(ctx, msg)
	return err
}
