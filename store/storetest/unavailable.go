package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

// unavailable expects every method of a store that is down to say so.
func unavailable(t *testing.T, s store.Store) {
	user := store.User{ID: "user"}
	ctx := t.Context()
	id := store.TokenID("token")
	for name, call := range map[string]func() error{
		"Ping": func() error { return s.Ping(ctx) },
		"PutSessions": func() error {
			return second(s.PutSessions(ctx, []store.Session{{ID: id, User: user, ExpiresAt: time.Now().Add(lifetime)}}))
		},
		"PutRefreshTokens": func() error {
			return second(s.PutRefreshTokens(ctx, []store.RefreshToken{{ID: id, User: user, ExpiresAt: time.Now().Add(lifetime)}}))
		},
		"PutPushRegistrations": func() error {
			return second(s.PutPushRegistrations(ctx, []store.PushRegistration{{User: user, DeviceID: "phone", Provider: "http", PushToken: "t"}}))
		},
		"Sessions":      func() error { return second(s.Sessions(ctx, []string{id})) },
		"RefreshTokens": func() error { return second(s.RefreshTokens(ctx, []string{id})) },
		"Reregistered": func() error {
			return second(s.Reregistered(ctx, []store.PushCheck{{User: user, PushRegistrationID: id}}))
		},
		"Holders": func() error { return second(s.Holders(ctx, "", 100)) },
		"Users":   func() error { return second(s.Users(ctx, []store.User{user})) },
		"Finished": func() error {
			return second(s.Finished(ctx, []store.Revocation{{RequestID: "r", User: user}}))
		},
		"Now":   func() error { return second(s.Now(ctx)) },
		"Fence": func() error { return second(s.Fence(ctx, []store.Fence{{RequestID: "r", SessionID: id}})) },
		"Revoke": func() error {
			return second(s.Revoke(ctx, []store.Revocation{{RequestID: "r", Scope: store.ScopeUser, User: user, Cutoff: time.Now()}}))
		},
		"Finish": func() error {
			return second(s.Finish(ctx, []store.Revocation{{RequestID: "r", Scope: store.ScopeUser, User: user, Cutoff: time.Now()}}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := call(); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("got error %v, want one that wraps ErrUnavailable", err)
			}
		})
	}
}

func second[T any](_ T, err error) error { return err }
