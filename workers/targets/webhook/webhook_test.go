package webhook_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
)

// TestDelivery: the body is the public event, the headers are those of Standard
// Webhooks, and both secrets sign.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w, _ := start(t, status(http.StatusNoContent), "")
	id := w.logoutOf("ada")
	w.eventually("delivery", func() bool { return len(w.receiver.of(id)) == 1 })
	got := w.receiver.of(id)[0]
	if age := got.at.Sub(got.timestamp(t)); age < 0 || age > 10*time.Second {
		t.Errorf("webhook-timestamp is %s old", age)
	}
	if got.header.Get("content-type") != events.ContentType || got.header.Get("traceparent") != testkit.TraceParent {
		t.Errorf("headers %v", got.header)
	}
	if n := len(strings.Fields(got.header.Get("webhook-signature"))); n != 2 {
		t.Errorf("%d signatures, want one of each secret", n)
	}
	for _, secret := range []string{newSecret, oldSecret} {
		verifier, err := standardwebhooks.NewWebhook(secret)
		w.must(err)
		if err := verifier.Verify([]byte(got.body), got.header); err != nil {
			t.Errorf("a receiver with one of the secrets: %v", err)
		}
	}
	var public []string
	for _, msg := range w.broker.Messages(events.StreamEvents) {
		public = append(public, string(msg.Data))
	}
	if len(public) != 1 || public[0] != got.body {
		t.Errorf("body %s, want the public event %s", got.body, public)
	}
	var e events.Event[events.Revoked]
	w.must(json.Unmarshal([]byte(got.body), &e))
	if e.ID != id || e.Data.UserID != "ada" {
		t.Errorf("event %+v", e)
	}
}

// TestIdentityOfAnEvent: every attempt and the replay of the dead letter carry
// the same id and body, each with its own timestamp.
func TestIdentityOfAnEvent(t *testing.T) {
	t.Parallel()
	w, _ := start(t, status(http.StatusServiceUnavailable), "")
	id := w.logoutOf("ada")
	w.eventually("attempts in different seconds", func() bool {
		all := w.receiver.of(id)
		return len(all) > 1 && all[len(all)-1].timestamp(t).After(all[0].timestamp(t))
	})
	w.receiver.set(status(http.StatusBadRequest))
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	before := len(w.receiver.of(id))
	w.receiver.set(status(http.StatusOK))
	w.must(deadletters.NewDeadLetters(w.broker.JS).Replay(t.Context(), w.letters()[0].ID))
	w.eventually("replay", func() bool { return len(w.receiver.of(id)) == before+1 })
	for i, got := range w.receiver.requests() {
		verifier, err := standardwebhooks.NewWebhook(newSecret)
		w.must(err)
		if err := verifier.Verify([]byte(got.body), got.header); err != nil || got.id() != id || got.body != w.receiver.requests()[0].body {
			t.Errorf("request %d: id %s, body %s, %v", i, got.id(), got.body, err)
		}
		if lag := got.at.Sub(got.timestamp(t)); lag < 0 || lag > 2*time.Second {
			t.Errorf("request %d: its timestamp is %s before it", i, lag)
		}
	}
}

// TestFilters: an event is sent if its type, tenant and app are all listed.
func TestFilters(t *testing.T) {
	t.Parallel()
	w, _ := start(t, status(http.StatusOK), ", events: [logoutd.session.revoked.v1], tenants: [acme, globex], apps: [shop]")
	session := func(tenant, app string) store.Session {
		name := tenant + " " + app
		return store.Session{ID: store.TokenID(name), User: store.User{TenantID: tenant, ID: name}, AppID: app}
	}
	for _, other := range []store.Session{session("acme", "other"), session("other", "shop"), session("", "shop"), session("acme", "")} {
		w.logout(other)
	}
	wanted := []string{w.logout(session("acme", "shop")), w.logout(session("globex", "shop"))}
	for _, id := range wanted {
		w.eventually("delivery", func() bool { return len(w.receiver.of(id)) == 1 })
	}
	w.eventually("all events", func() bool { return len(w.broker.Messages(events.StreamEvents)) == 6 })
	if n := len(w.broker.Messages(messages.StreamTasks)); n != 2 {
		t.Errorf("%d deliveries, want 2", n)
	}

	other, _ := start(t, status(http.StatusOK), ", events: [logoutd.user.revoked.v1]")
	other.logoutOf("ada")
	other.eventually("event", func() bool { return len(other.broker.Messages(events.StreamEvents)) == 1 })
	if n := len(other.broker.Messages(messages.StreamTasks)); n != 0 {
		t.Errorf("%d deliveries of an event of another type", n)
	}
}

// TestTargetDisablesItself: nothing more is sent until an operator enables it.
// Its deliveries stay and then go out. A restart changes nothing.
func TestTargetDisablesItself(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"gone":            status(http.StatusGone),
		"disable":         status(http.StatusOK, "webhook-delivery", "disable"),
		"disable and 500": status(http.StatusInternalServerError, "webhook-delivery", "disable"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, stop := start(t, answer, "")
			first := w.logoutOf("ada")
			w.eventually("disabled", func() bool { return len(w.disabled()) == 1 })
			if d := w.disabled()[0]; d.Kind != "webhook" || d.Target != "billing" || d.Since.IsZero() || d.Reason == "" || d.Code == "" {
				t.Errorf("disabled: %+v", d)
			}
			w.eventually("metric", func() bool { return w.metric("logoutd_target_disabled") == 1 })
			second := w.logoutOf("bob")
			w.receiver.set(status(http.StatusOK))
			stop()
			w.run(w.worker(w.target("")).Run)
			w.eventually("deliveries", func() bool { return len(w.broker.Messages(messages.StreamTasks)) == 2 })
			// Longer than a delivery waits for its next attempt, and than a worker
			// takes to look whether the target was enabled.
			observe(t, 3*time.Second, func() {
				if n := len(w.receiver.requests()); n != 1 {
					t.Fatalf("%d requests, want the one that was answered %s", n, name)
				}
			})
			enabled, err := broker.EnableTarget(t.Context(), w.broker.JS, "webhook", "billing")
			w.must(err)
			if !enabled {
				t.Error("it was not disabled")
			}
			for id, want := range map[string]int{first: 2, second: 1} {
				w.eventually("delivery", func() bool { return len(w.receiver.of(id)) == want })
			}
			w.eventually("metric", func() bool { return w.metric("logoutd_target_disabled") == 0 })
			if letters := w.letters(); len(letters) != 0 {
				t.Errorf("dead letters %+v", letters)
			}
		})
	}
}

// observe calls check again and again for a while.
func observe(t *testing.T, d time.Duration, check func()) {
	t.Helper()
	for deadline := time.Now().Add(d); time.Now().Before(deadline); {
		check()
		<-time.After(20 * time.Millisecond)
	}
}

// TestAbortOfOneMessage: a dead letter at once; the next event is sent.
func TestAbortOfOneMessage(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"2xx": status(http.StatusOK, "webhook-delivery", "abort-message"),
		"503": status(http.StatusServiceUnavailable, "webhook-delivery", "abort-message"),
		"404": status(http.StatusNotFound),
		"413": status(http.StatusRequestEntityTooLarge),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := start(t, answer, "")
			id := w.logoutOf("ada")
			w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
			if l := w.letters()[0]; l.Step != "webhook" || l.Target != "billing" || l.Request.ID != id || l.Attempts != 1 {
				t.Errorf("dead letter %+v", l)
			}
			w.receiver.set(status(http.StatusOK))
			next := w.logoutOf("bob")
			w.eventually("next event", func() bool { return len(w.receiver.of(next)) == 1 })
			if n := len(w.receiver.of(id)); n != 1 {
				t.Errorf("%d attempts with what the target asked to be left out", n)
			}
		})
	}
}

// TestThrottledTarget: after an answer that asks for patience no request begins
// before Retry-After has passed, of whichever delivery.
func TestThrottledTarget(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusGatewayTimeout} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			const hold = 3 * time.Second
			// One at a time: what is under way when the answer comes is no fault.
			w, _ := start(t, status(code, "Retry-After", "3"), ", concurrency: 1, timeout: 2s")
			var ids []string
			for i := range 5 {
				ids = append(ids, w.logoutOf(fmt.Sprint("user-", i)))
			}
			w.eventually("two requests", func() bool { return len(w.receiver.requests()) >= 2 })
			w.receiver.set(status(http.StatusOK))
			late := w.logoutOf("late")
			for _, id := range append(ids, late) {
				w.eventually("delivery", func() bool { return len(w.receiver.of(id)) > 0 })
			}
			all := w.receiver.requests()
			for i := range 2 {
				if gap := all[i+1].at.Sub(all[i].at); gap < hold-50*time.Millisecond {
					t.Errorf("request %d came %s after an answer %d with Retry-After: 3", i+1, gap, code)
				}
			}
			if letters := w.letters(); len(letters) != 0 {
				t.Errorf("dead letters %+v", letters)
			}
		})
	}
}

// TestTargetThatRefuses: one such answer opens the circuit breaker, and uses up
// no attempt.
func TestTargetThatRefuses(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusFound, http.StatusPermanentRedirect} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			w, _ := start(t, status(code, "Location", "/elsewhere"), "")
			id := w.logoutOf("ada")
			w.eventually("pause", func() bool { return w.metric("logoutd_paused") == 1 })
			w.eventually("probe", func() bool { return len(w.receiver.of(id)) >= 2 })
			w.receiver.set(status(http.StatusOK))
			w.eventually("resumption", func() bool { return w.metric("logoutd_paused") == 0 })
			if letters := w.letters(); len(letters) != 0 || w.metric("logoutd_pauses_total") != 1 {
				t.Errorf("dead letters %+v after %v pauses", letters, w.metric("logoutd_pauses_total"))
			}
			if n := len(w.receiver.requests()); n != len(w.receiver.of(id)) {
				t.Error("a redirect was followed")
			}
		})
	}
}
