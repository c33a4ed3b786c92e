package overview_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/overview"
)

// away is a broker that is not there.
type away struct{ jetstream.JetStream }

func (away) Conn() *nats.Conn { return nil }

func (away) Stream(context.Context, string) (jetstream.Stream, error) {
	return nil, errors.New("not there")
}

// TestHistoryIsOfTenMinutes: a sample a second, and not more for ever.
func TestHistoryIsOfTenMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := overview.New(overview.Config{JetStream: away{}})
		begin := time.Now()
		run(t, o.Run)
		advance(t, 3*time.Second)
		if n := len(o.History(time.Time{})); n != 4 {
			t.Errorf("%d samples after 3 seconds, want 4", n)
		}
		if n := len(o.History(begin.Add(time.Second))); n != 2 {
			t.Errorf("%d samples after the second one, want 2", n)
		}
		advance(t, 20*time.Minute)
		samples := o.History(time.Time{})
		if n := len(samples); n != int(overview.Kept/time.Second) {
			t.Errorf("%d samples are kept, want %d", n, overview.Kept/time.Second)
		}
		if age := time.Since(samples[0].At); age > overview.Kept {
			t.Errorf("a sample is kept for %s", age)
		}
		if last := samples[len(samples)-1]; last != o.Now().Sample || !last.Stale {
			t.Errorf("the last sample is %+v, the snapshot's %+v", last, o.Now().Sample)
		}
	})
}

// mute is a broker that does not answer.
type mute struct{ jetstream.JetStream }

func (mute) Conn() *nats.Conn { return nil }

func (mute) Stream(ctx context.Context, _ string) (jetstream.Stream, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestMuteBroker: it is not waited for long, and not at all by a shutdown.
func TestMuteBroker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := overview.New(overview.Config{JetStream: mute{}, Store: &pinged{}})
		stop := run(t, o.Run)
		advance(t, 11*time.Second)
		if n := len(o.History(time.Time{})); n != 5 {
			t.Errorf("%d samples in 11 seconds, want 5", n)
		}
		if s := o.Now(); !s.Stale || s.BrokerOK || !s.StoreOK {
			t.Errorf("the store answers, the broker does not: %+v", s)
		}
		begin := time.Now()
		stop()
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the shutdown took %s", waited)
		}
		if n := len(o.History(time.Time{})); n != 5 {
			t.Error("the sample that was interrupted is told")
		}
	})
}

// TestSubscribersGetTheLatest: who does not read is not waited for.
func TestSubscribersGetTheLatest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := overview.New(overview.Config{JetStream: away{}})
		ctx, cancel := context.WithCancel(t.Context())
		slow, swift := o.Subscribe(ctx), o.Subscribe(t.Context())
		run(t, o.Run)
		for range 5 {
			if s, want := <-swift, time.Now(); !s.At.Equal(want) {
				t.Errorf("a sample of %s at %s", s.At, want)
			}
		}
		synctest.Wait()
		if s := <-slow; s != o.Now().Sample {
			t.Errorf("a slow reader gets %+v, the latest is %+v", s, o.Now().Sample)
		}
		cancel()
		synctest.Wait()
		if _, open := <-slow; open {
			t.Error("not closed with its context")
		}
		<-swift // goes on
	})
}

// advance lets time pass in a bubble.
func advance(t *testing.T, d time.Duration) {
	t.Helper()
	<-time.After(d)
	synctest.Wait()
}
