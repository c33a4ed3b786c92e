package audit_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// ids returns the ids of entries, joined by spaces.
func ids(entries []audit.Entry) string {
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.ID
	}
	return strings.Join(all, " ")
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	log := audit.New(eventstest.Start(t).JS)
	if entries, next := list(t, log, audit.Filter{}, "", 10); len(entries) != 0 || next != "" {
		t.Fatalf("an empty log has %v, %q", entries, next)
	}
	login := audit.Entry{ID: "login", At: noon.Add(time.Hour), By: "ops-1", Action: audit.ActionLogin}
	appendAll(t, log, entry(8), entry(9), entry(10), entry(11), login)
	at := func(n int) time.Time { return entry(n).At }
	for _, c := range []struct {
		filter audit.Filter
		want   string
	}{
		{audit.Filter{}, "login e11 e10 e9 e8"},
		{audit.Filter{By: "ops-1"}, "login e11 e9"},
		{audit.Filter{Action: "login"}, "login"},
		{audit.Filter{Action: "log"}, ""},
		{audit.Filter{JobID: "job-1"}, "e11 e10"},
		{audit.Filter{JobID: "job-1", By: "ops-0"}, "e10"},
		{audit.Filter{From: at(9)}, "login e11 e10 e9"},
		{audit.Filter{To: at(10)}, "e9 e8"},
		{audit.Filter{From: at(9), To: at(11)}, "e10 e9"},
		{audit.Filter{From: time.Now().Add(2 * time.Hour)}, ""}, // all are too old
	} {
		if entries, next := list(t, log, c.filter, "", 10); ids(entries) != c.want || next != "" {
			t.Errorf("%+v: %s, next %q; want %s", c.filter, ids(entries), next, c.want)
		}
	}
}

// TestListPages goes through the log in pages while it grows: each entry that
// there was at the start comes once.
func TestListPages(t *testing.T) {
	t.Parallel()
	log := audit.New(eventstest.Start(t).JS)
	for n := range 10 {
		appendAll(t, log, entry(n))
	}
	for _, c := range []struct {
		filter audit.Filter
		want   string
	}{
		{audit.Filter{}, "e9 e8 e7 | e6 e5 e4 | e3 e2 e1 | e0 | "},
		{audit.Filter{By: "ops-1"}, "e9 e7 e5 | e3 e1 | "},
		{audit.Filter{To: noon.Add(3 * time.Second)}, "e2 e1 e0 | "},
	} {
		got := ""
		for before, more := "", true; more; more = before != "" {
			var entries []audit.Entry
			entries, before = list(t, log, c.filter, before, 3)
			got += ids(entries) + " | "
			appendAll(t, log, audit.Entry{By: "ops-2", Action: audit.ActionLogin})
		}
		if got != c.want {
			t.Errorf("%+v: %s; want %s", c.filter, got, c.want)
		}
	}
}

// TestListLimits: a page that ends with the log has no next one.
func TestListLimits(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	log := audit.New(b.JS)
	fill(t, b, 1100)
	for limit, want := range map[int]int{-1: 100, 0: 100, 1: 1, 1000: 1000, 5000: 1000} {
		if entries, next := list(t, log, audit.Filter{}, "", limit); len(entries) != want || next == "" {
			t.Errorf("limit %d: %d entries, next %q", limit, len(entries), next)
		}
	}
	entries, next := list(t, log, audit.Filter{}, "101", 100)
	if len(entries) != 100 || next != "" || entries[0].ID != "e99" {
		t.Errorf("the last page: %d entries, next %q", len(entries), next)
	}
	for _, cursor := range []string{"x", "-1", "1.5", " ", "18446744073709551616"} {
		if _, _, err := log.List(t.Context(), audit.Filter{}, cursor, 10); !errors.Is(err, audit.ErrCursor) {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
	for cursor, want := range map[string]int{"0": 0, "1": 0, "2": 1, "18446744073709551615": 10} {
		if entries, _ := list(t, log, audit.Filter{}, cursor, 10); len(entries) != want {
			t.Errorf("cursor %q: %d entries, want %d", cursor, len(entries), want)
		}
	}
}

// TestListFarBack finds what is rare and old, across several chunks, places
// that are empty and what is no entry.
func TestListFarBack(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	log := audit.New(b.JS)
	rare := audit.Entry{ID: "rare", At: noon, By: "somebody", Action: audit.ActionTokenRevoke}
	allowDeletion(t, b)
	appendAll(t, log, rare)
	fill(t, b, 8000)
	stream, err := b.JS.Stream(t.Context(), messages.StreamAudit)
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint64(20) {
		if err := stream.DeleteMsg(t.Context(), 100+7*seq); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.JS.Publish(t.Context(), "logout.audit.other", []byte("no entry")); err != nil {
		t.Fatal(err)
	}
	entries, next := list(t, log, audit.Filter{By: "somebody"}, "", 5)
	if ids(entries) != "rare" || next != "" {
		t.Errorf("found %s, next %q", ids(entries), next)
	}
	if entries, _ := list(t, log, audit.Filter{}, "", 2); len(entries) != 2 || entries[0].Action != "unreadable" || entries[1].ID != "e7999" {
		t.Errorf("the newest: %v", entries)
	}
	seen := 0
	for before := ""; ; {
		entries, next := list(t, log, audit.Filter{Action: audit.ActionReplayStart}, before, 1000)
		seen += len(entries)
		if before = next; next == "" {
			break
		}
	}
	if seen != 8000-20 {
		t.Errorf("%d entries in pages", seen)
	}
}

// allowDeletion makes the log's stream as an operator might have made it, whom
// [events.Setup] does not overrule.
func allowDeletion(t *testing.T, b *eventstest.Broker) {
	t.Helper()
	stream, err := b.JS.Stream(t.Context(), messages.StreamAudit)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.DenyDelete = false
	if err := b.JS.DeleteStream(t.Context(), messages.StreamAudit); err != nil {
		t.Fatal(err)
	}
	if _, err := b.JS.CreateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
}

// fill puts n entries on the log, e0 up to e<n-1>, without announcing them.
func fill(t testing.TB, b *eventstest.Broker, n int) {
	t.Helper()
	p := broker.NewPublisher(b.JS, nil)
	defer p.Close()
	msgs := make([]*nats.Msg, n)
	for i := range msgs {
		e := entry(i)
		var err error
		msgs[i], err = messages.OperatorActed{By: e.By, Action: e.Action, JobID: e.JobID, At: events.At(e.At)}.Message(e.ID)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := p.All(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkList lists a log of 100,000 entries: the newest, those in the
// middle, and one that nothing matches.
func BenchmarkList(b *testing.B) {
	broker := eventstest.Start(b)
	fill(b, broker, 100_000)
	log := audit.New(broker.JS)
	for name, c := range map[string]struct {
		filter audit.Filter
		before string
	}{
		"newest": {}, "middle": {before: "50000"}, "none": {filter: audit.Filter{By: "nobody"}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := log.List(b.Context(), c.filter, c.before, 100); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
