package workers

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// A pause is told again every few seconds. A broker that refuses it, say for a
// full disk, is warned of once, and again when the failure changes or returns.
func TestPauseThatCannotBeToldIsWarnedOfOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	n := newNotice(eventstest.Start(t).JS, slog.New(slog.NewTextHandler(&log, nil)), messages.StepPush, "http")
	full, other := errors.New("no space left on device"), errors.New("no leader")
	for i, step := range []struct {
		err  error
		want int // lines so far
	}{{full, 1}, {full, 1}, {other, 2}, {other, 2}, {nil, 2}, {other, 3}} {
		n.do(t.Context(), broker.Paused{}, func(context.Context, jetstream.JetStream, broker.Paused) error { return step.err })
		if got := strings.Count(log.String(), "level=WARN"); got != step.want {
			t.Errorf("attempt %d (%v): %d warnings, want %d", i, step.err, got, step.want)
		}
	}
}
