package delivery

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
)

// Retry is the policy for messages that fail by themselves.
type Retry struct {
	// GiveUpAfter is how long a message's retries wait in total before it
	// becomes a dead letter: the time that it spends failing and waiting
	// between its own failures. Pauses of a target do not count, and a replay
	// starts from zero. Default 24 h.
	GiveUpAfter time.Duration `yaml:"give_up_after"`
	// Initial is the delay after the first failure; each further one about
	// doubles it. Default 500 ms.
	Initial time.Duration `yaml:"initial"`
	// Max is the longest delay. Default 10 min.
	Max time.Duration `yaml:"max"`
}

// Check returns every fault.
func (r Retry) Check() error {
	var faults []error
	for name, d := range map[string]time.Duration{"give_up_after": r.GiveUpAfter, "initial": r.Initial, "max": r.Max} {
		if d < 0 {
			faults = append(faults, fmt.Errorf("retry.%s: must not be negative", name))
		}
	}
	if r.Max > 0 && r.Initial > r.Max {
		faults = append(faults, errors.New("retry.initial: must not be longer than retry.max"))
	}
	return errors.Join(faults...)
}

// Or returns the policy with the fields that are zero taken from another one.
func (r Retry) Or(fallback Retry) Retry {
	return Retry{
		GiveUpAfter: or(r.GiveUpAfter, fallback.GiveUpAfter), Initial: or(r.Initial, fallback.Initial), Max: or(r.Max, fallback.Max),
	}
}

func (r Retry) giveUpAfter() time.Duration { return or(r.GiveUpAfter, 24*time.Hour) }
func (r Retry) initial() time.Duration     { return or(r.Initial, 500*time.Millisecond) }
func (r Retry) max() time.Duration         { return or(r.Max, 10*time.Minute) }

func or(d, fallback time.Duration) time.Duration { return cmp.Or(d, fallback) }

// delay returns how long to wait after a failure of a message whose retries
// have waited so far. Waiting as long as before and Initial on top doubles it
// each time, without a count of failures.
func (r Retry) delay(waited time.Duration) time.Duration {
	return min(r.initial()+waited, r.max())
}

// jitter spreads d by a tenth either way, so that what failed together does
// not come back together.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}

// Next puts off a message with its latest failure, which took so long, in its
// history. It returns false where the message is to be given up.
func (r Retry) Next(h messages.History, f *Failure, took time.Duration, now time.Time) (messages.History, bool) {
	waited := h.WaitedFor() + took
	if f.Class == Permanent || waited >= r.giveUpAfter() {
		return h, false
	}
	delay := jitter(r.delay(waited))
	delay = max(f.RetryAfter, delay)
	delay = min(delay, r.giveUpAfter()-waited) // one last attempt at the end
	h.Waited = (waited + delay).Milliseconds()
	h.NotBefore = events.At(now.Add(delay))
	return h, true
}
