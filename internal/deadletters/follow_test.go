package deadletters_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
)

func (w *world) wantHeld(want ...uint64) {
	w.Helper()
	if diff := cmp.Diff(want, w.held()); diff != "" {
		w.Error(diff)
	}
	if n, err := w.Count(context.Background(), deadletters.Filter{}); err != nil || n != len(want) {
		w.Errorf("count %d, %v, want %d", n, err, len(want))
	}
}

func TestFollowsStream(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.settle()
	w.wantHeld()
	w.putMany(0, 3)
	w.settle()
	w.wantHeld(1, 2, 3)
	w.putMany(3, 5)
	w.until("letters come without being asked for", func() bool { return len(w.held()) == 5 })
	want := deadletters.Progress{Ready: true, Done: 5, Total: 5}
	if got := w.Progress(); got != want {
		t.Errorf("progress %+v, want %+v", got, want)
	}
}

func TestKeepsWhatLettersAreKnownBy(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.put(letter(3), letter(1))
	w.settle()
	got, err := w.ByIDs(t.Context(), []string{"session-s3", "session-s1_1", "never"})
	if err != nil {
		t.Fatal(err)
	}
	want := []deadletters.Letter{{
		Seq: 1, ID: "session-s3", Step: "revoke", Code: "store_refused", Error: "refused 3", Attempts: 4,
		FirstFailedAt: noon.Add(-57 * time.Second), FailedAt: noon.Add(3 * time.Second), RequestedAt: noon.Add(3*time.Second - time.Hour),
		Cutoff:    noon.Add(3 * time.Second),
		RequestID: "session-s3", Scope: "session", Dialect: "kratos", TenantID: "t1", AppID: "app", UserID: "u3", DeviceID: "d3", SessionID: "s3",
	}, {
		Seq: 2, ID: "session-s1_1", Step: "http", Target: "p1", Code: "http_401", Error: "refused 1", Attempts: 2, Replays: 1,
		FirstFailedAt: noon.Add(-59 * time.Second), FailedAt: noon.Add(time.Second), RequestedAt: noon.Add(time.Second - time.Hour),
		Cutoff:    noon.Add(500 * time.Millisecond), // as it was applied
		RequestID: "session-s1", Scope: "session", Dialect: "kratos", TenantID: "t1", AppID: "push-app", UserID: "u1", DeviceID: "d1", SessionID: "s1",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLetterThatFailedAnewReplacesTheOlder(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 2)
	w.settle()
	again := letter(0)
	again.Code = "crashed"
	w.put(again)
	w.until("the newer one is there", func() bool { return slices.Contains(w.held(), 3) })
	w.wantHeld(2, 3)
	groups, err := w.Groups(t.Context(), deadletters.Filter{Step: "revoke"})
	if err != nil || len(groups) != 1 || groups[0].Code != "crashed" || groups[0].Users != 1 {
		t.Errorf("groups %+v, %v, want the newer cause alone", groups, err)
	}
}

func TestHearsOfRemovals(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 5)
	w.settle()
	w.remove(2, 4)
	list, err := json.Marshal([]uint64{2, 4})
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []string{"no list", string(list), string(list)} {
		if err := w.broker.Conn.Publish(messages.SubjectLettersRemoved, []byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	w.until("letters 2 and 4 are out", func() bool { return len(w.held()) == 3 })
	w.wantHeld(1, 3, 5)
}

// remove deletes messages by hand.
func (w *world) remove(seqs ...uint64) {
	w.Helper()
	for _, seq := range seqs {
		if err := w.stream().DeleteMsg(context.Background(), seq); err != nil {
			w.Fatal(err)
		}
	}
}

func TestForgetsAtOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 5)
	w.settle()
	w.Forget([]uint64{1, 5, 5})
	w.wantHeld(2, 3, 4)
}

// A letter may be removed after it was read and before it is put in.
func TestForgetsWhatHasNotCome(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.settle()
	w.Forget([]uint64{2})
	w.putMany(0, 3)
	w.until("letter 3 is there", func() bool { return slices.Contains(w.held(), 3) })
	w.until("letter 2 is out", func() bool { return !slices.Contains(w.held(), 2) })
	w.until("no removal is kept", func() bool { return w.Pending() == 0 })
}

func TestFindsWhatNobodyTellsOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		remove func(*world) error
		want   []uint64
	}{
		"deleted":        {func(w *world) error { w.remove(1, 3, 6); return nil }, []uint64{2, 4, 5}},
		"purged up to 4": {func(w *world) error { return w.stream().Purge(w.Context(), jetstream.WithPurgeSequence(4)) }, []uint64{4, 5, 6}},
		"purged but 1":   {func(w *world) error { return w.stream().Purge(w.Context(), jetstream.WithPurgeKeep(1)) }, []uint64{6}},
		"purged":         {func(w *world) error { return w.stream().Purge(w.Context()) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t)
			w.close()
			w.config = w.config.CheckEvery(20 * time.Millisecond)
			w.open()
			w.putMany(0, 6)
			w.settle()
			if err := tt.remove(w); err != nil {
				t.Fatal(err)
			}
			w.until("they are out", func() bool { return len(w.held()) == len(tt.want) })
			w.wantHeld(tt.want...)
		})
	}
}

func TestSettledIsWithoutWhatWasRemoved(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 6)
	w.settle()
	w.remove(2, 6) // also the last one, for which nobody can wait
	w.settle()
	w.wantHeld(1, 3, 4, 5)
}

func TestSettledOfStoppedBroker(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putMany(0, 2)
	w.settle()
	w.broker.Stop()
	if err := w.Settled(t.Context()); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	w.wantHeld(1, 2) // and questions are still answered
}

func TestShowsWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := start(t)
	for subject, body := range map[string]string{
		"logout.failed.revoke.damaged": "{",
		"logout.failed.http.a.b":       `{"specversion":"1.0","id":"x","type":"something.else","data":{"code":"its own"}}`,
		"logout.failed.http.typed":     `{"specversion":"1.0","id":"x","type":"logoutd.deadletter.recorded.v1","data":{"attempts":"many"}}`,
		"logout.failed.http.empty":     "",
	} {
		if _, err := w.broker.JS.Publish(t.Context(), subject, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	w.settle()
	type shown struct{ Step, ID, Code string }
	var got []shown
	page, err := w.List(t.Context(), deadletters.Filter{}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range page.Letters {
		if l.Error == "" || time.Since(l.FailedAt) > time.Minute {
			t.Errorf("letter %+v lacks an error or a time", l)
		}
		got = append(got, shown{l.Step, l.ID, l.Code})
	}
	slices.SortFunc(got, func(a, b shown) int { return strings.Compare(a.ID, b.ID) })
	want := []shown{{"http", "a.b", "unreadable"}, {"revoke", "damaged", "unreadable"}, {"http", "empty", "unreadable"}, {"http", "typed", "unreadable"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w.wantAsEvents()
}

// wantAsEvents compares with what package events lists.
func (w *world) wantAsEvents() {
	w.Helper()
	listed, err := deadletters.NewDeadLetters(w.broker.JS).List(context.Background(), 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	var want []uint64
	for _, l := range listed {
		want = append(want, l.Seq)
	}
	w.wantHeld(want...)
}
