package broker_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func TestPausesAreToldToAll(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	store := broker.Paused{Step: messages.StepRevoke, Since: testkit.Noon, Code: "store_unavailable"}
	target := broker.Paused{Step: "http", Target: "http", Since: testkit.Noon, Code: "http_503"}
	expect := func(want ...broker.Paused) {
		t.Helper()
		got, err := broker.AllPaused(t.Context(), b.JS)
		if err != nil {
			t.Fatal(err)
		}
		byStep := cmpopts.SortSlices(func(a, b broker.Paused) int { return strings.Compare(a.Step, b.Step) })
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
	must(broker.PutPaused(t.Context(), b.JS, store))
	must(broker.PutPaused(t.Context(), b.JS, target))
	target.Code = "timeout"
	must(broker.PutPaused(t.Context(), b.JS, target))
	expect(store, target)
	must(broker.DeletePaused(t.Context(), b.JS, store))
	expect(target)
	bucket, err := b.JS.KeyValue(t.Context(), broker.BucketPaused)
	must(err)
	status, err := bucket.Status(t.Context())
	must(err)
	if status.TTL() != broker.PausedTTL {
		t.Errorf("a pause is believed for %v, want %v", status.TTL(), broker.PausedTTL)
	}
}

func TestPausesOfAStoppedBroker(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	b.Stop()
	p := broker.Paused{Step: messages.StepRevoke, Since: testkit.Noon}
	for _, err := range []error{
		broker.PutPaused(t.Context(), b.JS, p), broker.DeletePaused(t.Context(), b.JS, p),
		second(broker.AllPaused(t.Context(), b.JS)),
	} {
		if !errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
