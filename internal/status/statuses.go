package status

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/store"
)

// Config is where a [Statuses] looks; all is required.
type Config struct {
	Store     store.Store
	Letters   *deadletters.Letters
	JetStream jetstream.JetStream
}

// Statuses finds out what became of logouts.
type Statuses struct {
	Config
}

// New returns what looks in all these places.
func New(c Config) *Statuses { return &Statuses{c} }

// How much is looked at for one answer.
const (
	maxLetters = 100
	maxPending = 100_000 // requests
	maxEvents  = 100_000
	// maxHolders is how many users are looked at for one of the same id in
	// another tenant: the store finds users by tenant and id only.
	maxHolders  = 20_000
	holdersPage = 1000
)

// Request tells of one logout request, by its id: a UUIDv7, or that of a
// client's request (events.RequestID), which names the session, or that of a
// request of a job, which begins with the job's.
//
// Here and below, where the store or the broker cannot be asked the answer says
// so in NotAsked and in its Note. That nothing was found is then not known to be
// so: see [Status.NotAsked].
func (s *Statuses) Request(ctx context.Context, id string) (Status, error) {
	q := s.inquire(ctx)
	q.RequestID = id
	session, err := q.presented(id)
	if err == nil {
		err = q.request(session)
	}
	return q.answer("telling the status of a request", err)
}

// Session tells of the session with the id, and of the logout that ended it.
func (s *Statuses) Session(ctx context.Context, sessionID string) (Status, error) {
	q := s.inquire(ctx)
	q.SessionID = sessionID
	return q.answer("telling the status of a session", q.session())
}

// User tells what of a user is live, and of the logouts that are pending or
// have failed. tenant is empty for the default one.
func (s *Statuses) User(ctx context.Context, tenant, user string) (Status, error) {
	q := s.inquire(ctx)
	q.TenantID, q.UserID = tenant, user
	return q.answer("telling the status of a user", q.user())
}

// inquiry is a status that is being found out.
type inquiry struct {
	*Statuses
	ctx context.Context
	Status
	said       []string // the sentences of the note
	storeDown  bool     // it was the store
	brokerDown bool     // it was the broker
}

func (s *Statuses) inquire(ctx context.Context) *inquiry {
	return &inquiry{Statuses: s, ctx: ctx, Status: Status{State: Unknown}}
}

// answer ends the inquiry.
func (q *inquiry) answer(doing string, err error) (Status, error) {
	if err != nil {
		return Status{}, fmt.Errorf("%s: %w", doing, err)
	}
	if q.State == Unknown {
		q.RequestID = "" // what was given for an id may be a credential
		if len(q.NotAsked) > 0 {
			q.note(notFoundForNow)
		}
	}
	q.Note = strings.Join(q.said, " ")
	return q.Status, nil
}
