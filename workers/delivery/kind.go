package delivery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// Kind is a kind of target.
type Kind struct {
	// Name is what the setting kind says, and the step of failures and metrics.
	Name string
	// Provider tells that targets of the kind are push providers: the names
	// that push registrations give as their provider.
	Provider bool
	// Configure reads the settings of one target with decode, which takes a
	// pointer to a struct that embeds [Settings] inline. The error names every
	// fault.
	Configure func(decode func(any) error) (Settings, Target, error)
	// Describe returns what operators can see of a delivery's payload: no
	// credential.
	Describe func(payload jsontext.Value) []messages.Detail
}

// Target is one outside system.
type Target interface {
	// Plan returns what the target has to be told of a revocation.
	Plan(Revocation) ([]Planned, error)
	// Obsolete reports whether a delivery must not be sent any more, because a
	// newer login would suffer. An error that wraps [store.ErrUnavailable] means
	// that nobody knows now.
	Obsolete(context.Context, store.Store, messages.Delivery) (bool, error)
	// Send tells the target. An error that is a *[Failure] says what to do; its
	// text is shown to operators and holds no credential.
	Send(context.Context, messages.Delivery) error
}

// Revocation is a request that was carried out.
type Revocation struct {
	Request messages.Request
	// Event is the public event.
	Event events.Revoked
	// PushRegistrations are those that were deleted.
	PushRegistrations []store.PushRegistration
}

// Planned is one thing that a target has to be told.
type Planned struct {
	Key             string // distinguishes it from others of the request and target
	AppID, DeviceID string // what it is about, where that is narrower than the request
	Payload         jsontext.Value
}

// Settings are those that every target has.
type Settings struct {
	Name string `yaml:"name"`
	Kind string `yaml:"kind"`
	// Concurrency is how many attempts are made at once. Default 32.
	Concurrency int `yaml:"concurrency"`
	// Rate is how many attempts are made a second. Default unlimited.
	Rate float64 `yaml:"rate"`
	// Timeout bounds one attempt. Default 5 s.
	Timeout time.Duration `yaml:"timeout"`
	// Retry overrides the retry policy of all workers.
	Retry Retry `yaml:"retry"`
}

var targetName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Check returns every fault.
func (s Settings) Check() error {
	var faults []error
	if !targetName.MatchString(s.Name) {
		faults = append(faults, fmt.Errorf("name: %q must be 1 to 64 letters, digits, - and _", s.Name))
	}
	if s.Concurrency < 0 || s.Concurrency > 1000 {
		faults = append(faults, errors.New("concurrency: must be 1 to 1000"))
	}
	if s.Rate < 0 {
		faults = append(faults, errors.New("rate: must not be negative"))
	}
	if s.Timeout < 0 {
		faults = append(faults, errors.New("timeout: must not be negative"))
	}
	return errors.Join(append(faults, s.Retry.Check())...)
}

// AttemptTimeout returns Timeout or its default.
func (s Settings) AttemptTimeout() time.Duration { return or(s.Timeout, 5*time.Second) }

func (s Settings) concurrency() int {
	if s.Concurrency == 0 {
		return 32
	}
	return s.Concurrency
}

// Configured is a target with its settings.
type Configured struct {
	Settings
	Kind   Kind
	Target Target
}

// Plan returns the messages that tell a target of a revocation.
func (c Configured) Plan(r Revocation) ([]messages.Delivery, error) {
	planned, err := c.Target.Plan(r)
	if err != nil {
		return nil, fmt.Errorf("planning for target %s: %w", c.Name, err)
	}
	deliveries := make([]messages.Delivery, len(planned))
	for i, p := range planned {
		d := messages.NewDelivery(r.Request, r.Event.RevokedBefore, c.Kind.Name, c.Name, p.Key)
		d.AppID, d.DeviceID, d.Payload = p.AppID, p.DeviceID, p.Payload
		deliveries[i] = d
	}
	return deliveries, nil
}

// Hide returns enough of a long token to recognise it by, and nothing of a short
// one.
func Hide(token string) string {
	const ends, long = 4, 32
	if len(token) < long {
		return "…"
	}
	return token[:ends] + "…" + token[len(token)-ends:]
}
