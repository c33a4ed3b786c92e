package overview

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// backlog is what waits for the workers, by whom it waits for.
type backlog struct {
	broker     *streams
	configured int      // queues, the store's included
	queues     []*queue // the store's first
	paused     map[pauseKey]broker.Paused
	disabled   map[pauseKey]broker.Disabled
	asked      int // times
}

type pauseKey struct{ step, target string }

func newBacklog(b *streams, configured []messages.TargetName) *backlog {
	queues := []*queue{storeQueue()}
	for _, t := range configured {
		queues = append(queues, targetQueue(t, true))
	}
	return &backlog{broker: b, configured: len(queues), queues: queues}
}

// ask asks the store's queue each time, and one other in turn: however many
// targets there are, the broker is asked as little. A queue that is new is
// asked at once.
func (b *backlog) ask(ctx context.Context) ([]Target, error) {
	if b.asked%seldom == 0 {
		if err := b.survey(ctx); err != nil {
			return nil, err
		}
	}
	turn := 1 + b.asked%max(len(b.queues)-1, 1)
	for i, q := range b.queues {
		if i != 0 && i != turn && q.told {
			continue
		}
		if err := q.ask(ctx, b.broker); err != nil {
			return nil, err
		}
	}
	b.asked++
	return b.targets(), nil
}

// askAll asks everything at once.
func (b *backlog) askAll(ctx context.Context) ([]Target, error) {
	if err := b.survey(ctx); err != nil {
		return nil, err
	}
	for _, q := range b.queues {
		if err := q.ask(ctx, b.broker); err != nil {
			return nil, err
		}
	}
	return b.targets(), nil
}

// survey finds the targets that have tasks without being configured, and what
// is paused or disabled.
func (b *backlog) survey(ctx context.Context) error {
	subjects, err := b.broker.subjects(ctx, messages.StreamTasks, messages.SubjectTasks+">")
	if err != nil {
		return err
	}
	paused, err := broker.AllPaused(ctx, b.broker.js)
	if err != nil {
		return err
	}
	b.paused = map[pauseKey]broker.Paused{}
	for _, p := range paused {
		b.paused[pauseKey{p.Step, p.Target}] = p
	}
	disabled, err := broker.AllDisabled(ctx, b.broker.js)
	if err != nil {
		return err
	}
	b.disabled = map[pauseKey]broker.Disabled{}
	for _, d := range disabled {
		b.disabled[pauseKey{d.Kind, d.Target}] = d
	}
	b.findStranded(subjects)
	return nil
}

// findStranded takes in the queues of targets that are not configured, and
// drops those that are empty by now.
func (b *backlog) findStranded(tasks map[string]uint64) {
	b.queues = slices.DeleteFunc(b.queues, func(q *queue) bool {
		return !q.target.Configured && tasks[q.subject] == 0
	})
	known := map[string]bool{}
	for _, q := range b.queues {
		known[q.subject] = true
	}
	for subject := range tasks {
		if kind, name, ok := messages.TargetOf(subject); ok && !known[subject] {
			b.queues = append(b.queues, targetQueue(messages.TargetName{Kind: kind, Name: name}, false))
		}
	}
	slices.SortFunc(b.queues[b.configured:], func(x, y *queue) int {
		return cmp.Or(strings.Compare(x.target.Name, y.target.Name), strings.Compare(x.target.Step, y.target.Step))
	})
}

// targets returns what was told. Done tasks that are not purged yet make no
// target of one that is not configured.
func (b *backlog) targets() []Target {
	targets := make([]Target, 0, len(b.queues))
	for _, q := range b.queues {
		t := q.target
		if !t.Configured && t.Pending == 0 {
			continue
		}
		if p, ok := b.paused[pauseKey{t.Step, t.Name}]; ok {
			t.Paused, t.PausedSince, t.PausedCode, t.Refused = true, p.Since.Time, p.Code, p.Refused
		}
		if d, ok := b.disabled[pauseKey{t.Step, t.Name}]; ok {
			t.Disabled, t.DisabledSince, t.DisabledReason = true, d.Since.Time, d.Reason
		}
		targets = append(targets, t)
	}
	return targets
}

// total returns how much waits for all targets, and the longest wait.
func total(targets []Target) (messages int, oldest time.Duration) {
	for _, t := range targets {
		messages += t.Pending
		oldest = max(oldest, t.Oldest)
	}
	return messages, oldest
}
