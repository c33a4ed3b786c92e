package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// openService opens everything of a process on the data directory, and runs
// nothing of it: no worker does what is pending.
func openService(t *testing.T, dataDir string) *service {
	t.Helper()
	s, err := newService(t.Context(), &Settings{
		Roles: allRoles, Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", NATSListen: "-", DataDir: dataDir,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func (s *service) active(t *testing.T, sessionID string) bool {
	t.Helper()
	states, err := s.store.Sessions(t.Context(), []string{sessionID})
	if err != nil || !states[0].Known {
		t.Fatalf("session %v: %v", states, err)
	}
	return states[0].Active
}

// A process dies between the answer and the revocation: what it had in memory
// is gone, and what it had promised is not.
func TestFencesOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first := openService(t, dir)
	const token = "the-token-of-a-session"
	session := store.Session{ID: store.TokenID(token), User: store.User{ID: "ada"}, ExpiresAt: time.Now().Add(time.Hour)}
	if _, err := first.store.PutSessions(t.Context(), []store.Session{session}); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/mobileservices/sessions/logout", nil)
	r.AddCookie(&http.Cookie{Name: "X-SMP-SESSID", Value: token})
	w := httptest.NewRecorder()
	first.public.config.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || first.active(t, session.ID) {
		t.Fatalf("answer %d, active %v", w.Code, first.active(t, session.ID))
	}

	left := filepath.Join(t.TempDir(), "data") // what is on disk at this moment
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if openService(t, left).active(t, session.ID) {
		t.Error("the session is active again")
	}
}

// A process dies while a logout whose fence was skipped is pending, and, behind a
// newer login, another one of the same session. The fence that is restored
// leaves the newer login alone.
func TestRestoredFencesLeaveANewerLogin(t *testing.T) {
	t.Parallel()
	for _, scope := range []string{"session", "user"} {
		t.Run(scope, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			first := openService(t, dir)
			old := first.login(t, "old")
			request := messages.Request{
				ID: messages.RequestID(scope, old), Dialect: "sap_v1", Initiator: messages.InitiatorUser, Scope: scope, SessionID: old,
				RequestedAt: events.At(time.Now().Add(5 * time.Minute)), // by a clock that is ahead
			}
			first.publish(t, request)
			newer := first.login(t, "newer")
			request.ID = messages.RequestID("user", old)
			request.Scope, request.Fenced, request.UserID = "user", true, "ada"
			request.Cutoff = events.At(first.fence(t, request.ID, old, false).Cutoff)
			first.publish(t, request)

			left := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			second := openService(t, left)
			if second.active(t, old) || !second.active(t, newer) {
				t.Error("the old session is active again, or the newer one is not")
			}
			fenced := second.fence(t, request.ID, old, true)
			states, err := second.store.Sessions(t.Context(), []string{newer})
			if err != nil {
				t.Fatal(err)
			}
			if since := states[0].AuthenticatedAt; !fenced.Cutoff.Before(since) {
				t.Errorf("the logout reaches to %s, the newer login is of %s", fenced.Cutoff, since)
			}
		})
	}
}

func (s *service) login(t *testing.T, name string) (sessionID string) {
	t.Helper()
	session := store.Session{ID: store.TokenID(name), User: store.User{ID: "ada"}, ExpiresAt: time.Now().Add(time.Hour)}
	results, err := s.store.PutSessions(t.Context(), []store.Session{session})
	if err != nil || results[0].Err != nil {
		t.Fatalf("registering %s: %v, error %v", name, results, err)
	}
	return session.ID
}

func (s *service) fence(t *testing.T, requestID, sessionID string, durable bool) store.Fenced {
	t.Helper()
	fenced, err := s.store.Fence(t.Context(), []store.Fence{{RequestID: requestID, SessionID: sessionID, Durable: durable}})
	if err != nil || fenced[0].Err != nil {
		t.Fatalf("fencing: %v, error %v", fenced, err)
	}
	return fenced[0]
}

func (s *service) publish(t *testing.T, request messages.Request) {
	t.Helper()
	if err := s.publisher.Requests(t.Context(), request); err != nil {
		t.Fatal(err)
	}
}

// Nothing is answered before the fences are restored.
func TestNoChecksBeforeTheFencesAreRestored(t *testing.T) {
	t.Parallel()
	s := openService(t, filepath.Join(t.TempDir(), "data"))
	introspect := func() int {
		r := httptest.NewRequest(http.MethodPost, "/v1/introspect", nil)
		r.Header.Set("Authorization", "Bearer "+s.adminToken)
		w := httptest.NewRecorder()
		s.admin.config.Handler.ServeHTTP(w, r)
		return w.Code
	}
	if code := introspect(); code != http.StatusBadRequest {
		t.Errorf("answer %d to a check without a token, want 400", code)
	}
	s.broker.setUp.Store(false) // as with a NATS that cannot be reached yet
	if code := introspect(); code != http.StatusServiceUnavailable {
		t.Errorf("answer %d before the fences are restored, want 503", code)
	}
}
