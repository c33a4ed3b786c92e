package redisstore_test

import (
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// A process that did not revoke a request finishes it as well: the one that did
// may have ended.
func TestFinishElsewhere(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	here, there := open(t, server.URL(), redisstore.Config{}), open(t, server.URL(), redisstore.Config{})
	for name, finisher := range map[string]store.Store{"here": here, "there": there} {
		user := store.User{TenantID: name, ID: "alice"}
		request := everythingOf(t, here, user, name)
		if got := revokeOne(t, here, request); got.Sessions != 2 || got.RefreshTokens != 1 || len(got.PushRegistrations) != 1 {
			t.Fatalf("revoked %+v", got)
		}
		finishOne(t, finisher, request)
		if left := indexEntries(t, server.Client(), user); len(left) != 0 {
			t.Errorf("finished %s, the indexes list %q", name, left)
		}
		if got := revokeOne(t, here, request); !got.Done {
			t.Errorf("finished %s, it is not done", name)
		}
	}
}

// everythingOf registers something of each kind and returns a logout of it all.
func everythingOf(t *testing.T, s store.Store, u store.User, name string) store.Revocation {
	t.Helper()
	first, second := store.TokenID("first "+name), store.TokenID("second "+name)
	login(t, s, u, first, second)
	must(t)(s.PutRefreshTokens(t.Context(), []store.RefreshToken{
		{ID: store.TokenID("token " + name), User: u, SessionID: second, ExpiresAt: time.Now().Add(time.Hour)},
	}))
	must(t)(s.PutPushRegistrations(t.Context(), []store.PushRegistration{
		{User: u, DeviceID: "phone", Provider: "http", PushToken: "p", RegisteredAt: time.Now().Add(-time.Hour)},
	}))
	return store.Revocation{
		RequestID: "user." + first, Scope: store.ScopeUser, SessionID: first, User: u,
		DeviceID: "phone", AuthenticatedAt: time.Now().Add(-time.Hour), Cutoff: time.Now(),
	}
}

func revokeOne(t *testing.T, s store.Store, r store.Revocation) store.Revoked {
	t.Helper()
	revoked, err := s.Revoke(t.Context(), []store.Revocation{r})
	if err != nil || revoked[0].Err != nil {
		t.Fatal(err, revoked)
	}
	return revoked[0]
}

func finishOne(t *testing.T, s store.Store, r store.Revocation) {
	t.Helper()
	errs, err := s.Finish(t.Context(), []store.Revocation{r})
	if err != nil || errs[0] != nil {
		t.Fatal(err, errs)
	}
}
