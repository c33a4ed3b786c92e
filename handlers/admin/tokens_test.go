package admin_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named)
	w.run(w.config.Tokens.Run)
	w.until("tokens are read", w.config.Tokens.Loaded)
	created := w.must(http.StatusCreated, "POST", "/v1/tokens", `{"name":"night.watch","role":"operator"}`)
	secret := created.text("token")
	w.must(http.StatusConflict, "POST", "/v1/tokens", `{"name":"night.watch","role":"viewer"}`)

	if a := w.as(secret, "POST", "/v1/revocations", `{"user_id":"u","reason":"stolen"}`); a.status != http.StatusAccepted {
		t.Fatalf("%d %v", a.status, a.body)
	}
	list := w.must(http.StatusOK, "GET", "/v1/tokens", "").body["tokens"].([]any)
	if len(list) != 1 || at(list[0], "name") != "night.watch" || at(list[0], "created_by") != "admin" || at(list[0], "role") != "operator" {
		t.Errorf("%v", list)
	}

	if a := w.call("DELETE", "/v1/tokens/night.watch", ""); a.status != http.StatusNoContent {
		t.Fatalf("%d %v", a.status, a.body)
	}
	w.refused(w.as(secret, "GET", "/v1/jobs", ""), http.StatusUnauthorized, "", "revoked")
	w.refused(w.call("DELETE", "/v1/tokens/night.watch", ""), http.StatusNotFound, "", "token not found")
	w.refused(w.call("DELETE", "/v1/tokens/admin", ""), http.StatusNotFound, "", "token not found")

	var done [][]any
	for _, e := range w.audited("") {
		delete(e["selection"].(map[string]any), "request_id")
		done = append(done, []any{e["action"], e["by"], e["reason"], e["selection"]})
	}
	want := [][]any{
		{"token.revoke", "admin", nil, map[string]any{"name": "night.watch"}},
		{"revocation.create", "night.watch", "stolen", map[string]any{"scope": "user", "user_id": "u"}},
		{"token.create", "admin", nil, map[string]any{"name": "night.watch", "role": "operator"}},
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Error(diff)
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, field := range map[string]string{
		`{}`: "name", `{"name":"a"}`: "role", `{"name":"","role":"viewer"}`: "name", `{"name":"a b","role":"viewer"}`: "name",
		`{"name":"Admin","role":"viewer"}`: "name", `{"name":"a","role":"root"}`: "role", `{"name":"a","role":"viewer","token":"x"}`: "token",
	} {
		w.refused(w.call("POST", "/v1/tokens", body), http.StatusBadRequest, field, "")
	}
	w.broker.Stop()
	w.refused(w.call("POST", "/v1/tokens", `{"name":"a","role":"viewer"}`), http.StatusServiceUnavailable, "", "broker")
	w.refused(w.call("GET", "/v1/tokens", ""), http.StatusServiceUnavailable, "", "broker")
}
