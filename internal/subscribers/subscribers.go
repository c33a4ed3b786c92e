package subscribers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
)

// MaxConsumers is how many durable consumers a subscriber can have: enough for
// a service with one for each of its parts. Each costs the broker some KiB and
// an fsync for each acknowledgement.
const MaxConsumers = 32

// Errors of what was asked for. Every other error wraps
// [events.ErrUnavailable].
var (
	ErrName = errors.New("a subscriber's name is 1 to 32 of a-z, 0-9 and \"-\", without \"-\" at its ends, " +
		"and none of admin, front, logoutd, worker")
	ErrConsumers    = fmt.Errorf("a subscriber has 1 to %d consumers", MaxConsumers)
	ErrExists       = errors.New("there is a subscriber of that name; if it is revoked, revoke it once more")
	ErrConsumer     = errors.New("a consumer of that name exists on " + events.StreamEvents + " and belongs to no subscriber: delete it, or choose another name")
	ErrNoSubscriber = errors.New("no such subscriber")
)

var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// reserved are the users of the broker that are not subscribers.
var reserved = []string{"admin", "front", "logoutd", "worker"}

func checkName(name string) error {
	if !validName.MatchString(name) || slices.Contains(reserved, name) {
		return ErrName
	}
	return nil
}

// consumersOf returns the names of a subscriber's consumers: its own name, or
// where it has several, <name>_1 to <name>_<n>. No name has a "_", so that no two
// subscribers have a consumer of the same name.
func consumersOf(name string, n int) []string {
	if n == 1 {
		return []string{name}
	}
	var names []string
	for i := range n {
		names = append(names, name+"_"+strconv.Itoa(i+1))
	}
	return names
}

// Subscriber is a subscriber without its password, which nobody knows but its
// holder.
type Subscriber struct {
	Name      string
	Consumers []string
	CreatedAt time.Time // of the process that created it, in UTC
	CreatedBy string    // the name of a token
	// Revoked says that it was revoked, and that its consumers could not be
	// deleted yet: revoke it once more.
	Revoked bool
}

// Credential is what a new subscriber connects with.
type Credential struct {
	Subscriber
	Password string // kept nowhere
	// Account is what to add to "accounts" in the configuration of a
	// nats-server; empty on an embedded broker. It holds a hash of the password.
	Account string
}

// Config is what subscribers are kept in.
type Config struct {
	JetStream jetstream.JetStream
	// Apply tells an embedded broker who the subscribers are. Nil: the broker
	// has them in a configuration file of its own.
	Apply func([]broker.Subscriber) error
	// Logger gets which records cannot be read. Default: none.
	Logger *slog.Logger
}

// Subscribers are the subscribers of one broker. It is safe for concurrent
// use.
type Subscribers struct {
	config Config
	// changing is held while a subscriber comes or goes: the broker, when it is
	// configured again, does not answer for a moment.
	changing sync.Mutex
	// applying is held while the embedded broker is told who the subscribers
	// are: a list that was read before another one must not be told after it.
	applying sync.Mutex
}

// New returns the subscribers of a broker.
func New(c Config) *Subscribers {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Subscribers{config: c}
}

// Load tells the embedded broker who the subscribers are, which opens its
// listener. Without an embedded broker it does nothing.
func (s *Subscribers) Load(ctx context.Context) error {
	if s.config.Apply == nil {
		return nil
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	all, err := s.read(ctx)
	if err != nil {
		return err
	}
	var current []broker.Subscriber
	for _, r := range all {
		if !r.Revoked {
			current = append(current, r.account())
		}
	}
	return s.config.Apply(current)
}

// Create makes a subscriber with n consumers. On an embedded broker it can
// connect at once. Errors: [ErrName], [ErrConsumers], [ErrExists], [ErrConsumer].
// After one that wraps [events.ErrUnavailable] there may be a subscriber of that
// name whose password nobody knows: revoke it.
func (s *Subscribers) Create(ctx context.Context, name string, n int, by string) (Credential, error) {
	if err := checkName(name); err != nil {
		return Credential{}, err
	}
	if n < 1 || n > MaxConsumers {
		return Credential{}, ErrConsumers
	}
	password := broker.NewPassword()
	hash, err := broker.HashPassword(password)
	if err != nil {
		return Credential{}, err
	}
	r := record{
		Name: name, PasswordHash: hash, Consumers: consumersOf(name, n),
		CreatedAt: time.Now().UTC().Truncate(time.Millisecond), CreatedBy: by,
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	if err := s.store(ctx, r); err != nil {
		return Credential{}, err
	}
	if made, err := s.createConsumers(ctx, r); err != nil {
		if undone := s.deleteConsumers(ctx, made); undone != nil {
			return Credential{}, errors.Join(err, undone) // the record stays, so that it can be revoked
		}
		return Credential{}, errors.Join(err, s.erase(ctx, name))
	}
	if err := s.Load(ctx); err != nil {
		return Credential{}, err
	}
	c := Credential{Subscriber: r.shown(), Password: password}
	if s.config.Apply == nil {
		c.Account = r.account().Account()
	}
	return c, nil
}

// Revoke ends a subscriber and deletes its consumers. An embedded broker
// disconnects it; on a nats-server it can connect until its account is removed
// from the configuration, and reads by direct get until then. Errors:
// [ErrNoSubscriber], or one that wraps [events.ErrUnavailable]: revoke it once
// more.
func (s *Subscribers) Revoke(ctx context.Context, name string) error {
	if checkName(name) != nil {
		return ErrNoSubscriber
	}
	s.changing.Lock()
	defer s.changing.Unlock()
	r, err := s.markRevoked(ctx, name)
	if err != nil {
		return err
	}
	if err := s.Load(ctx); err != nil {
		return err
	}
	if err := s.deleteConsumers(ctx, r.Consumers); err != nil {
		return err
	}
	return s.erase(ctx, name)
}

// External reports whether the users of the broker are in a configuration
// file of its own.
func (s *Subscribers) External() bool { return s.config.Apply == nil }

// List returns the subscribers, by name. An error wraps
// [events.ErrUnavailable].
func (s *Subscribers) List(ctx context.Context) ([]Subscriber, error) {
	all, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Subscriber, 0, len(all))
	for _, r := range all {
		list = append(list, r.shown())
	}
	slices.SortFunc(list, func(a, b Subscriber) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}
