package status_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/status"
	"github.com/logoutd/logoutd/store"
)

func TestRequestOnItsWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.login("s", 10)
	r := bySession(id, store.ScopeUser)
	w.want(w.request(r.ID), status.Unknown, "No trace")

	r = w.fence(r)
	got := w.request(r.ID)
	w.want(got, status.Pending, "dead in every check")
	if got.SessionID != id || got.UserID != alice.ID || len(got.Sessions) != 1 || got.Sessions[0].RevokedBy != r.ID {
		t.Errorf("fenced: %+v", got)
	}

	r = w.publish(r)
	got = w.request(r.ID)
	w.want(got, status.Pending, "A worker has still to revoke")
	if !got.RequestedAt.Equal(r.RequestedAt.Time) || !got.Cutoff.Equal(r.Cutoff.Time) || got.Scope != "user" || got.Dialect != "kratos" {
		t.Errorf("published: %+v", got)
	}

	w.work()
	w.until("it is done", func() bool { return w.request(r.ID).State == status.Revoked })
	got = w.request(r.ID)
	w.want(got, status.Revoked, "Done")
	if got.Event == nil || got.Event.RequestID != r.ID || got.RevokedAt.Before(got.RequestedAt) || !got.Cutoff.Equal(r.Cutoff.Time) {
		t.Errorf("done: %+v", got)
	}
}

func TestRequestOfAnOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login("s", 10)
	unfenced := w.publish(byOperator())
	w.want(w.request(unfenced.ID), status.Pending, "may stay live")
	w.work()
	w.until("it is done", func() bool { return w.request(unfenced.ID).Event != nil })
	if got := w.request(unfenced.ID); got.Reason != "lost phone" || got.UserID != alice.ID {
		t.Errorf("done: %+v", got)
	}
}

// Once the event is no longer kept the store still knows that it was told.
func TestRequestWhoseEventIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	operator := w.publish(w.fence(byOperator()))
	w.login("newer", -1)
	client := w.publish(w.fence(bySession(store.TokenID("newer"), store.ScopeSession)))
	w.work()
	for _, id := range []string{operator.ID, client.ID} {
		w.until("it is done", func() bool { return w.request(id).State == status.Revoked })
	}
	stream, err := w.broker.JS.Stream(t.Context(), events.StreamEvents)
	if err == nil {
		err = stream.Purge(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{operator.ID, client.ID} {
		w.until("the store has recorded it", func() bool { return w.request(id).State == status.Revoked })
		w.want(w.request(id), status.Revoked, "the store has recorded")
	}
}

// A request of a job is found from when the job was planned on, whatever else
// was revoked since.
func TestRequestOfAJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	r := byOperator()
	r.ID += "-abcdefghijklmnopqrstuv"
	for i := range 50 {
		w.publish(bySession(w.login(fmt.Sprint(i), 10), store.ScopeSession))
	}
	w.publish(w.fence(r))
	w.until("it is done", func() bool { return w.request(r.ID).Event != nil })
}

func TestRequestThatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.fence(byOperator())
	r.RequestedAt = events.At(w.ago(3))
	w.giveUp(r, messages.StepRevoke)
	got := w.request(r.ID)
	w.want(got, status.Failed, "given up")
	if len(got.Failed) != 1 || got.Failed[0].Code != "boom" || got.UserID != alice.ID || !got.RequestedAt.Equal(w.ago(3)) {
		t.Errorf("got %+v", got)
	}
}

func TestRequestWhoseTargetWasNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.publish(w.fence(bySession(w.login("s", 10), store.ScopeSession)))
	w.work()
	w.until("it is done", func() bool { return w.request(r.ID).Event != nil })
	w.giveUp(r, "http")
	got := w.request(r.ID)
	w.want(got, status.Failed, "logged out all the same")
	if got.Event == nil || len(got.Failed) != 1 {
		t.Errorf("got %+v", got)
	}
}

// What was done is told also while a place is down; that there is nothing is
// not.
func TestRequestWithThingsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.publish(w.fence(bySession(w.login("s", 10), store.ScopeSession)))
	w.work()
	w.until("it is recorded", func() bool {
		done, err := w.store.Finished(t.Context(), []store.Revocation{{RequestID: r.ID, SessionID: r.SessionID, User: alice}})
		return err == nil && done[0]
	})
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.want(w.request(r.ID), status.Revoked, "The store could not be asked")
	for _, got := range []status.Status{w.request(messages.NewID()), w.user(), w.session(store.TokenID("other"))} {
		w.want(got, status.Unknown, "That there is nothing is not known")
	}
}

func TestRequestWithTheBrokerDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.fence(bySession(w.login("s", 10), store.ScopeSession))
	live := w.login("live", -1)
	w.broker.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := w.statuses.Request(ctx, r.ID)
	w.want(w.must(got, err), status.Pending, "The broker could not be asked")
	w.want(w.session(live), status.Active, "The broker could not be asked")
	w.want(w.request(messages.NewID()), status.Unknown, "That there is nothing is not known")
}
