package workers

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// stubMsg counts how often it is kept from being delivered again.
type stubMsg struct {
	jetstream.Msg
	kept atomic.Int32
}

func (m *stubMsg) InProgress() error {
	m.kept.Add(1)
	return nil
}

func TestWhoStepsAsideHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	waiting, other := &stubMsg{}, &stubMsg{}
	worked := make(chan struct{})
	c := newCrew(1, 2, func(msg jetstream.Msg, aside func()) {
		if msg == waiting {
			aside()
			<-worked
			return
		}
		close(worked)
	})
	c.msgs <- waiting
	c.msgs <- other
	c.finish() // hangs unless the other is worked on while one waits
	select {
	case <-worked:
	default:
		t.Error("a message was not worked on")
	}
}

func TestCrewDoesNotGrow(t *testing.T) {
	t.Parallel()
	const members = 3
	var atWork, most, done atomic.Int32
	c := newCrew(members, 10, func(_ jetstream.Msg, aside func()) {
		now := atWork.Add(1)
		for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
		}
		runtime.Gosched() // to whoever else is at work
		atWork.Add(-1)
		aside()
		aside()
		done.Add(1)
	})
	for range 1000 {
		c.msgs <- &stubMsg{}
	}
	c.finish()
	if done.Load() != 1000 || most.Load() > members {
		t.Errorf("%d of 1000 messages worked on, by up to %d at once; want all, by %d", done.Load(), most.Load(), members)
	}
}
