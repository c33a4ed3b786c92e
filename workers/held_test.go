package workers

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func TestHeldMessagesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		release := h.keep()
		kept, done := &stubMsg{}, &stubMsg{}
		h.add([]jetstream.Msg{kept, done}, h.reserve(t.Context()))
		h.remove(done)
		time.Sleep(ackWait)
		if kept.kept.Load() < 2 || done.kept.Load() != 0 {
			t.Errorf("within the time to acknowledge, kept %d times, and %d times what is done; want 2 at least, and none",
				kept.kept.Load(), done.kept.Load())
		}
		release()
		before := kept.kept.Load()
		time.Sleep(ackWait)
		if kept.kept.Load() != before {
			t.Error("kept after the release")
		}
	})
}

// A target that is full takes single tasks, one for each that leaves.
func TestNoMoreIsHeldThanThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		var msgs []jetstream.Msg
		for len(msgs) < maxHeld {
			places := h.reserve(t.Context())
			var pulled []jetstream.Msg
			for range places {
				pulled = append(pulled, &stubMsg{})
			}
			h.add(pulled, places)
			msgs = append(msgs, pulled...)
		}
		ctx, cancel := context.WithCancel(t.Context())
		reserved := make(chan int, 1)
		go func() { reserved <- h.reserve(ctx) }()
		synctest.Wait()
		select {
		case n := <-reserved:
			t.Fatalf("%d places beyond %d", n, maxHeld)
		default:
		}
		h.remove(msgs[0])
		if n := <-reserved; n != 1 {
			t.Errorf("%d places where one became free", n)
		}
		cancel()
		if n := h.reserve(ctx); n != 0 {
			t.Errorf("%d places after the end", n)
		}
	})
}
