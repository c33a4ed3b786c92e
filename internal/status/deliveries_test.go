package status_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/status"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
)

// TestUserLoggedOutByASession: nothing of the user is left in the store then,
// but the event tells.
func TestUserLoggedOutByASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	r := w.publish(w.fence(bySession(w.login("s", 10), store.ScopeSession)))
	w.until("it is acknowledged", func() bool { return w.user().State != status.Pending })
	got := w.user()
	w.want(got, status.Revoked, "latest logout found is done")
	if got.RequestID != r.ID || got.Event == nil || !got.Told {
		t.Errorf("got %+v", got)
	}
}

// TestDeliveryWaits: what a target has still to be told is not done.
func TestDeliveryWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	r := w.publish(w.fence(bySession(w.login("s", 10), store.ScopeSession)))
	w.until("it is done", func() bool { got := w.request(r.ID); return got.State == status.Revoked && got.Told })

	msg, err := testkit.PushDelivery(r, r.Cutoff, testkit.Registration{ID: "reg", UserID: alice.ID, Provider: "fcm"}).Message("task")
	if err == nil {
		_, err = w.broker.JS.PublishMsg(t.Context(), msg)
	}
	if err == nil {
		err = broker.PutPaused(t.Context(), w.broker.JS, broker.Paused{
			Step: "http", Target: "fcm", Since: events.At(time.Now()), Code: "http_503",
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]status.Status{"request": w.request(r.ID), "user": w.user()} {
		w.want(got, status.Pending, "http · fcm (1 waiting), which is paused since")
		if len(got.Waiting) != 1 || got.Waiting[0].Target != "fcm" || got.Waiting[0].Deliveries != 1 || got.Waiting[0].Paused == nil || !got.DeliveriesKnown {
			t.Errorf("%s waits for %+v", what, got.Waiting)
		}
		if got.Told || !strings.Contains(got.Note, "http_503") {
			t.Errorf("%s: %+v", what, got)
		}
	}
}

// TestDeliveriesWithTheBrokerDown: what cannot be asked is not told as done.
func TestDeliveriesWithTheBrokerDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	r := w.publish(w.fence(bySession(w.login("s", 10), store.ScopeSession)))
	w.until("it is recorded", func() bool {
		done, err := w.store.Finished(t.Context(), []store.Revocation{{RequestID: r.ID, SessionID: r.SessionID, User: alice}})
		return err == nil && done[0]
	})
	w.broker.Stop()
	got := w.request(r.ID)
	w.want(got, status.Revoked, "Whether every target was told is not known")
	if got.Told || got.DeliveriesKnown || !slices.Equal(got.NotAsked, []string{"broker"}) {
		t.Errorf("got %+v", got)
	}
}

func TestUserOfAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.giveUp(byOperator(), messages.StepRevoke)
	got := w.must(w.statuses.User(t.Context(), "", alice.ID))
	w.want(got, status.Unknown, "in tenant acme")
}

// TestUserLiveInAnotherTenant: only the store knows of it.
func TestUserLiveInAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login("s", 10)
	got := w.must(w.statuses.User(t.Context(), "", alice.ID))
	w.want(got, status.Unknown, "in tenant acme")
}

// TestNothingFoundWithTheStoreDown: it says what it could not ask, and not that
// there is nothing.
func TestNothingFoundWithTheStoreDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	r := bySession(store.TokenID("nobody"), store.ScopeSession)
	for what, find := range map[string]func() (status.Status, error){
		"request": func() (status.Status, error) { return w.statuses.Request(t.Context(), r.ID) },
		"session": func() (status.Status, error) { return w.statuses.Session(t.Context(), r.SessionID) },
		"user":    func() (status.Status, error) { return w.statuses.User(t.Context(), "", "nobody") },
	} {
		got := w.must(find())
		w.want(got, status.Unknown, "not known")
		if !slices.Equal(got.NotAsked, []string{"store"}) || strings.Contains(got.Note, "No trace was found") {
			t.Errorf("%s: %+v", what, got)
		}
	}
}
