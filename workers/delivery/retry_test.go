package delivery

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/internal/messages"
)

func TestDelaysDoubleUpToTheLongest(t *testing.T) {
	r := Retry{Initial: time.Second, Max: 10 * time.Second}
	var waited time.Duration
	var got []time.Duration
	for range 6 {
		d := r.delay(waited)
		waited += d
		got = append(got, d)
	}
	want := []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
}

func TestJitterStaysWithinATenth(t *testing.T) {
	for range 1000 {
		if d := jitter(time.Second); d < 900*time.Millisecond || d > 1100*time.Millisecond {
			t.Fatalf("jitter(1s) = %v", d)
		}
	}
}

func TestHistoryGrowsUntilItIsGivenUp(t *testing.T) {
	r := Retry{GiveUpAfter: 10 * time.Second, Initial: time.Second}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := &Failure{Class: Transient, Code: "http_500", Err: errors.New("broken")}
	var h messages.History
	retry := true
	failures := 0
	for retry {
		failures++
		h, retry = r.Next(h.Failed(f.Attempted("http", 3, 1, now)), f, 0, now)
		if h.Attempts != 3*failures {
			t.Fatalf("after %d failures: %d attempts", failures, h.Attempts)
		}
		if failures > 100 {
			t.Fatal("never given up")
		}
		if retry && h.NotBefore.Before(now) {
			t.Fatalf("not before %v, at %v", h.NotBefore, now)
		}
		now = now.Add(time.Hour) // time that passes in a pause does not count
	}
	if h.WaitedFor() != 10*time.Second {
		t.Errorf("waited %v, want all of 10s", h.WaitedFor())
	}
	if failures < 4 || h.Code != "http_500" || h.Error != "broken" || !h.FirstFailedAt.Before(h.LastFailedAt.Time) {
		t.Errorf("after %d failures: %+v", failures, h)
	}
}

func TestPermanentFailureIsGivenUpAtOnce(t *testing.T) {
	if _, retry := (Retry{}).Next(messages.History{}, &Failure{Class: Permanent, Err: errors.New("no")}, 0, time.Now()); retry {
		t.Error("a permanent failure is tried again")
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	now := time.Now()
	f := &Failure{Class: Throttled, RetryAfter: time.Minute, Err: errors.New("slow down")}
	h, retry := Retry{}.Next(messages.History{}, f, 0, now)
	if wait := h.NotBefore.Sub(now); !retry || wait < 59*time.Second {
		t.Errorf("retry %v after %v, want after a minute", retry, wait)
	}
}

func TestReplayStartsAnew(t *testing.T) {
	r := Retry{GiveUpAfter: time.Second}
	now, f := time.Now(), &Failure{Err: errors.New("again")}
	before := messages.Attempted{Step: "http", Attempts: 7}
	h := messages.History{Replays: 1, Log: []messages.Attempted{before}}.Failed(f.Attempted("http", 1, 1, now))
	h, retry := r.Next(h, f, 0, now)
	if !retry || h.Attempts != 1 || h.Replays != 1 || h.FirstFailedAt.IsZero() || len(h.Log) != 2 {
		t.Errorf("history after the first failure of a replay: %+v", h)
	}
}
