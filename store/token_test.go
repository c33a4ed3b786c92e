package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

func TestTokenID(t *testing.T) {
	t.Parallel()
	// The SHA-256 of "abc" (FIPS 180-2, appendix B.1), as base64url.
	const want = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
	if got := store.TokenID("abc"); got != want || !store.ValidTokenID(got) {
		t.Errorf("TokenID(abc) = %s, want %s", got, want)
	}
	for _, id := range []string{
		"", "abc", want + "0", want[:42], want + "=", strings.Replace(want, "-", "+", 1),
		want[:42] + "1", // bits that no encoder sets
		want[:42] + "\n",
	} {
		if store.ValidTokenID(id) {
			t.Errorf("%q is taken for a token's id", id)
		}
	}
}

func TestPushRegistrationIDTellsFieldsApart(t *testing.T) {
	t.Parallel()
	base := store.PushRegistration{
		User: store.User{TenantID: "t", ID: "u"}, DeviceID: "d", AppID: "a", Provider: "p",
		PushToken: "token", SessionID: "s",
	}
	same := base
	same.PushToken, same.SessionID, same.RegisteredAt = "other", "", time.Now()
	if store.PushRegistrationID(base) != store.PushRegistrationID(same) {
		t.Error("token, session or time make another registration")
	}
	seen := map[string]bool{store.PushRegistrationID(base): true}
	for _, change := range []func(*store.PushRegistration){
		func(r *store.PushRegistration) { r.User.TenantID, r.User.ID = "tu", "" },
		func(r *store.PushRegistration) { r.User.TenantID, r.User.ID = "", "tu" },
		func(r *store.PushRegistration) { r.User.ID = "u.d" },
		func(r *store.PushRegistration) { r.DeviceID = "d\x00" },
		func(r *store.PushRegistration) { r.AppID = "" },
		func(r *store.PushRegistration) { r.Provider = "q" },
	} {
		r := base
		change(&r)
		id := store.PushRegistrationID(r)
		if seen[id] || !store.ValidTokenID(id) {
			t.Errorf("%+v has the id of another: %s", r, id)
		}
		seen[id] = true
	}
}

func TestRevokedErrorNamesTheCutoff(t *testing.T) {
	t.Parallel()
	err := error(&store.RevokedError{Cutoff: time.Date(2026, 1, 2, 4, 4, 5, 6e6, time.FixedZone("", 3600))})
	if !errors.Is(err, store.ErrRevoked) || !strings.Contains(err.Error(), "2026-01-02T03:04:05.006Z") {
		t.Errorf("%v", err)
	}
}
