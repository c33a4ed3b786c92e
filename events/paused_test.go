package events_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
)

func TestPausesAreToldToAll(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	store := events.Paused{Step: events.StepRevoke, Since: noon, Code: "store_unavailable"}
	target := events.Paused{Step: events.StepPush, Target: "http", Since: noon, Code: "http_503"}
	expect := func(want ...events.Paused) {
		t.Helper()
		got, err := events.AllPaused(t.Context(), b.JS)
		if err != nil {
			t.Fatal(err)
		}
		byStep := cmpopts.SortSlices(func(a, b events.Paused) int { return strings.Compare(a.Step, b.Step) })
		if diff := cmp.Diff(want, got, byStep, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("paused (-want +got):\n%s", diff)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect()
	must(events.PutPaused(t.Context(), b.JS, store))
	must(events.PutPaused(t.Context(), b.JS, target))
	target.Code = "timeout"
	must(events.PutPaused(t.Context(), b.JS, target))
	expect(store, target)
	must(events.DeletePaused(t.Context(), b.JS, store))
	expect(target)
	bucket, err := b.JS.KeyValue(t.Context(), events.BucketPaused)
	must(err)
	status, err := bucket.Status(t.Context())
	must(err)
	if status.TTL() != events.PausedTTL {
		t.Errorf("a pause is believed for %v, want %v", status.TTL(), events.PausedTTL)
	}
}

func TestPausesOfAStoppedBroker(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	b.Stop()
	p := events.Paused{Step: events.StepRevoke, Since: noon}
	for _, err := range []error{
		events.PutPaused(t.Context(), b.JS, p), events.DeletePaused(t.Context(), b.JS, p),
		second(events.AllPaused(t.Context(), b.JS)),
	} {
		if !errors.Is(err, events.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
	}
}
