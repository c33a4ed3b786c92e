package status_test

import (
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/status"
	"github.com/logoutd/logoutd/store"
)

func TestSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.login("s", 10)
	got := w.session(id)
	w.want(got, status.Active, "no logout of it is known")
	if got.UserID != alice.ID || got.DeviceID != "phone" || len(got.Sessions) != 1 || !got.Sessions[0].Active {
		t.Errorf("live: %+v", got)
	}
	r := w.publish(bySession(id, store.ScopeSession))
	w.want(w.session(id), status.Pending, "waits for a worker")
	w.work()
	w.until("it is done", func() bool { return w.session(id).State == status.Revoked })
	got = w.session(id)
	if got.RequestID != r.ID || got.SessionID != id || got.Event == nil || got.RevokedAt.IsZero() || got.Sessions[0].RevokedBy != r.ID {
		t.Errorf("revoked: %+v", got)
	}
	w.want(w.session(store.TokenID("nobody")), status.Unknown, "does not know the session")
}

// A session that another's logout took along names that logout.
func TestSessionTakenAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	presented, other := w.login("presented", 10), w.login("other", 10)
	r := w.publish(w.fence(bySession(presented, store.ScopeUser)))
	w.want(w.session(other), status.Active, "no logout of it is known")
	w.work()
	w.until("it is done", func() bool { return w.session(other).Event != nil })
	if got := w.session(other); got.State != status.Revoked || got.RequestID != r.ID || got.SessionID != other {
		t.Errorf("taken along: %+v", got)
	}
}

func TestSessionThatEndedWithoutARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expiring := w.loginUntil("expiring", 10, time.Now().Add(100*time.Millisecond))
	w.until("it has expired", func() bool { return w.session(expiring).State == status.Expired })
	overtaken := w.login("overtaken", 10)
	w.fence(byOperator())
	got := w.session(overtaken)
	w.want(got, status.Revoked, "a logout of the whole user")
	if got.RevokedAt.IsZero() || got.RequestID != "" {
		t.Errorf("overtaken: %+v", got)
	}
}

func TestSessionWhoseLogoutFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.login("s", 10)
	w.giveUp(bySession(id, store.ScopeSession), messages.StepRevoke)
	w.want(w.session(id), status.Failed, "replay the dead letter")
	elsewhere := bySession(store.TokenID("kept elsewhere"), store.ScopeUser)
	w.giveUp(elsewhere, messages.StepRevoke)
	w.want(w.session(elsewhere.SessionID), status.Failed, "does not know the session")
}

func TestUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.want(w.user(), status.Unknown, "Nothing of the user is live")
	w.login("a", 10)
	w.login("b", 10)
	got := w.user()
	w.want(got, status.Active, "Something of the user is live")
	if len(got.Sessions) != 2 || !got.Cutoff.IsZero() {
		t.Errorf("live: %+v", got)
	}
	r := w.publish(w.fence(byOperator()))
	got = w.user()
	w.want(got, status.Pending, "waits for a worker")
	if got.RequestID != r.ID || len(got.Sessions) != 0 {
		t.Errorf("pending: %+v", got)
	}
	w.work()
	w.until("it is done", func() bool { return w.user().State == status.Revoked })
	w.want(w.user(), status.Revoked, "revoked everything up to the cutoff")
	if got := w.user(); !got.Cutoff.Equal(r.Cutoff.Time) {
		t.Errorf("cutoff %s, want %s", got.Cutoff, r.Cutoff)
	}
	w.login("newer", -1)
	if got := w.user(); got.State != status.Active || len(got.Sessions) != 1 {
		t.Errorf("logged in again: %+v", got)
	}
}

func TestUserWithFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login("s", 10)
	r := byOperator()
	r.Cutoff = events.At(w.start)
	w.giveUp(r, "http")
	got := w.user()
	w.want(got, status.Active, "Something of the user is live")
	if len(got.Failed) != 1 {
		t.Errorf("got %+v", got)
	}
	r.ID = messages.NewID()
	w.giveUp(r, messages.StepRevoke)
	w.want(w.user(), status.Failed, "given up")
}

func TestUserWithARefreshTokenOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.store.PutRefreshTokens(t.Context(), []store.RefreshToken{
		{ID: store.TokenID("t"), User: alice, ExpiresAt: w.start.Add(time.Hour)},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.want(w.user(), status.Active, "but a refresh token")
}
