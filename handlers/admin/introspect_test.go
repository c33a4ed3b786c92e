package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/store"
)

func TestIntrospect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	from, until := time.Now().Add(-time.Minute).Truncate(time.Second), time.Now().Add(time.Hour).Truncate(time.Second)
	times := fmt.Sprintf(`"authenticated_at":%q,"expires_at":%q`, from.Format(time.RFC3339), until.Format(time.RFC3339))
	w.must(http.StatusCreated, "PUT", "/v1/sessions",
		fmt.Sprintf(`{"session_token":%q,"user_id":"u","tenant_id":"t","device_id":"d","app_id":"a",%s}`, raw+"s", times))
	sid := store.TokenID(raw + "s")
	w.must(http.StatusCreated, "PUT", "/v1/refresh-tokens",
		fmt.Sprintf(`{"refresh_token":%q,"user_id":"u","tenant_id":"t","session_id":%q,"expires_at":%q}`, raw+"r", sid, until.Format(time.RFC3339)))
	session := map[string]any{
		"active": true, "sub": "u", "sid": sid, "device_id": "d", "app_id": "a", "tenant_id": "t",
		"iat": float64(from.Unix()), "exp": float64(until.Unix()),
	}
	refresh := map[string]any{
		"active": true, "sub": "u", "sid": sid, "device_id": "d", "tenant_id": "t",
		"iat": float64(from.Unix()), "exp": float64(until.Unix()),
	}
	inactive := map[string]any{"active": false}
	check := func(token string, want map[string]any) {
		t.Helper()
		// The hint may be anything (RFC 7662, section 2.1).
		for _, hint := range []string{"", "session", "refresh_token", "access_token"} {
			form := url.Values{"token": {token}, "token_type_hint": {hint}, "other": {"ignored"}}
			a := w.must(http.StatusOK, "POST", "/v1/introspect", form.Encode())
			if diff := cmp.Diff(want, a.body); diff != "" {
				t.Errorf("hint %q: %s", hint, diff)
			}
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q", got)
			}
		}
	}
	check(raw+"s", session)
	check(raw+"r", refresh)
	check(raw+"unknown", inactive)
	check(sid, inactive) // an id is no token
	w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"user_id":"u","tenant_id":"t"}`)
	check(raw+"s", inactive)
	check(raw+"r", inactive)
}

func TestIntrospectRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := []struct{ body, field, detail string }{
		{"", "token", "required"},
		{"token=", "token", "required"},
		{`{"token":"raw-x"}`, "token", "required, in a form"},
		{"token=raw-x&token=raw-y", "token", "twice"},
		{"token=raw-x&token_type_hint=a&token_type_hint=b", "token_type_hint", "twice"},
		{"token=" + raw + strings.Repeat("x", 4<<10), "token", "4096 bytes"},
		{"token=%zz", "", "not a form"},
	}
	for _, c := range cases {
		w.refused(w.call("POST", "/v1/introspect", c.body), http.StatusBadRequest, c.field, c.detail)
	}
}

// A store that is away must not make a token look inactive.
func TestIntrospectWithoutStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"s", "u", ""))
	w.store.away.Store(true)
	a := w.call("POST", "/v1/introspect", "token="+raw+"s")
	w.refused(a, http.StatusServiceUnavailable, "", "store is unavailable")
	if _, said := a.body["active"]; said {
		t.Errorf("answer is %v", a.body)
	}
}
