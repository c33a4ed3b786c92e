package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// noon is in the past, as everything on a log is.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// entry is the n-th entry of a test.
func entry(n int) audit.Entry {
	return audit.Entry{
		ID: fmt.Sprint("e", n), At: noon.Add(time.Duration(n) * time.Second),
		By: fmt.Sprint("ops-", n%2), Action: audit.ActionReplayStart, JobID: fmt.Sprint("job-", n/10),
	}
}

func appendAll(t *testing.T, log *audit.Log, entries ...audit.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := log.Append(t.Context(), e); err != nil {
			t.Fatalf("appending %s: %v", e.ID, err)
		}
	}
}

// list returns a page that there must be.
func list(t *testing.T, log *audit.Log, f audit.Filter, before string, limit int) (entries []audit.Entry, next string) {
	t.Helper()
	entries, next, err := log.List(t.Context(), f, before, limit)
	if err != nil {
		t.Fatalf("listing: %v", err)
	}
	return entries, next
}

// TestAppend: what was appended comes back, from another process too, and is
// told to no subscriber.
func TestAppend(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	whole := audit.Entry{
		ID: "job-1.start", At: noon.Add(123456789), By: "ops", Action: audit.ActionReplayStart, Reason: "push is back",
		JobID: "job-1", Selection: json.RawMessage(`{"step":"http"}`), Counts: map[string]int{"eligible": 3, "done": 1},
	}
	appendAll(t, audit.New(b.JS), whole, audit.Entry{By: "ops", Action: audit.ActionLogin})
	entries, next := list(t, audit.New(b.JS), audit.Filter{}, "", 0)
	if len(entries) != 2 || next != "" {
		t.Fatalf("listed %v, %q", entries, next)
	}
	login := entries[0]
	if age := time.Since(login.At); login.ID == "" || login.Action != "login" || age < -time.Second || age > time.Minute {
		t.Errorf("the login: %+v", login)
	}
	whole.At = whole.At.Truncate(time.Millisecond)
	if diff := cmp.Diff(whole, entries[1]); diff != "" {
		t.Error(diff)
	}
	if public := b.Messages(events.StreamEvents); len(public) != 0 {
		t.Errorf("subscribers read %v", public)
	}
}

// TestRecord: what the broker does not take at first is one entry in the end,
// and what it never takes is an error.
func TestRecord(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	log := audit.New(b.JS)
	appendAll(t, log, entry(0))
	allow := func(entries int64) {
		stream, err := b.JS.Stream(t.Context(), messages.StreamAudit)
		if err == nil {
			config := stream.CachedInfo().Config
			config.MaxMsgs = entries
			_, err = b.JS.UpdateStream(t.Context(), config)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	allow(1)
	if err := log.Append(t.Context(), entry(1)); !errors.Is(err, broker.ErrUnavailable) {
		t.Fatalf("a full log takes an entry: %v", err)
	}
	var recording errgroup.Group
	recording.Go(func() error { return log.Record(t.Context(), entry(1)) })
	allow(2)
	if err := recording.Wait(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := log.Record(ctx, entry(2)); err == nil {
		t.Error("what the log never takes is no error")
	}
	if entries, _ := list(t, log, audit.Filter{}, "", 0); len(entries) != 2 || entries[0].ID != entry(1).ID {
		t.Errorf("listed %v", entries)
	}
}

// TestAppendAgain: a call that is made again, because its answer was lost, is
// one entry.
func TestAppendAgain(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	log := audit.New(b.JS)
	var all errgroup.Group
	for n := range 20 {
		all.Go(func() error { return log.Append(t.Context(), entry(n%2)) })
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	entries, _ := list(t, log, audit.Filter{}, "", 0)
	if len(entries) != 2 || entries[0].ID == entries[1].ID || len(b.Messages(messages.StreamAudit)) != 2 {
		t.Errorf("%d entries, %d messages", len(entries), len(b.Messages(messages.StreamAudit)))
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	log := audit.New(eventstest.Start(t).JS)
	for name, e := range map[string]audit.Entry{
		"no action": {By: "ops"}, "wildcard": {By: "ops", Action: "replay.>"},
		"no JSON": {By: "ops", Action: audit.ActionLogin, Selection: json.RawMessage("{")},
	} {
		if err := log.Append(t.Context(), e); err == nil || errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, _ := list(t, log, audit.Filter{}, "", 0); len(entries) != 0 {
		t.Errorf("listed %v", entries)
	}
}

// TestBrokerAway: nothing is acknowledged without the broker, and what was is
// there when it is back.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	log := audit.New(b.JS)
	appendAll(t, log, entry(1))
	b.Stop()
	if err := log.Append(t.Context(), entry(2)); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("appending: %v", err)
	}
	if _, _, err := log.List(t.Context(), audit.Filter{}, "", 0); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("listing: %v", err)
	}
	b.Restart()
	log = audit.New(b.JS)
	appendAll(t, log, entry(1), entry(2))
	if entries, _ := list(t, log, audit.Filter{}, "", 0); len(entries) != 2 {
		t.Errorf("listed %v", entries)
	}
}
