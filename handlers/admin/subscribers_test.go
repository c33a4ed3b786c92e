package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events"
)

func TestSubscribers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created := w.must(http.StatusCreated, "POST", "/v1/subscribers", `{"name":"shop","consumers":2}`)
	password, account := created.text("password"), created.text("nats_account")
	if strings.Contains(account, password) || !strings.Contains(account, `"$2a$`) {
		t.Errorf("the account does not hold a hash of the password: %s", account)
	}
	w.must(http.StatusConflict, "POST", "/v1/subscribers", `{"name":"shop"}`)
	if _, err := w.broker.JS.Consumer(t.Context(), events.StreamEvents, "shop_2"); err != nil {
		t.Error(err)
	}
	list := w.must(http.StatusOK, "GET", "/v1/subscribers", "").body["subscribers"].([]any)
	if len(list) != 1 || at(list[0], "name") != "shop" || at(list[0], "created_by") != "admin" || at(list[0], "revoked") != false {
		t.Errorf("%v", list)
	}
	if gone := w.must(http.StatusOK, "DELETE", "/v1/subscribers/shop", ""); gone.text("nats_account") != "SUBSCRIBER_shop" {
		t.Errorf("%v", gone.body)
	}
	if _, err := w.broker.JS.Consumer(t.Context(), events.StreamEvents, "shop_1"); err == nil {
		t.Error("the consumer of a revoked subscriber is left")
	}
	w.refused(w.call("DELETE", "/v1/subscribers/shop", ""), http.StatusNotFound, "", "subscriber not found")

	var done [][]any
	for _, e := range w.audited("") {
		done = append(done, []any{e["action"], e["by"], e["selection"]})
	}
	want := [][]any{
		{"subscriber.revoke", "admin", map[string]any{"name": "shop"}},
		{"subscriber.create", "admin", map[string]any{"name": "shop", "consumers": 2.0}},
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Error(diff)
	}
}

func TestSubscriberRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, field := range map[string]string{
		`{}`: "name", `{"name":""}`: "name", `{"name":"a b"}`: "name", `{"name":"Shop"}`: "name", `{"name":"a.b"}`: "name",
		`{"name":"*"}`: "name", `{"name":">"}`: "name", `{"name":"a_1"}`: "name", `{"name":"-a"}`: "name", `{"name":"a\"}"}`: "name",
		`{"name":"logoutd"}`: "name", `{"name":"worker"}`: "name", `{"name":"` + strings.Repeat("a", 33) + `"}`: "name",
		`{"name":"a","consumers":0}`: "consumers", `{"name":"a","consumers":33}`: "consumers", `{"name":"a","consumers":"2"}`: "consumers",
		`{"name":"a","password":"x"}`: "password",
	} {
		w.refused(w.call("POST", "/v1/subscribers", body), http.StatusBadRequest, field, "")
	}
	w.broker.Stop()
	w.refused(w.call("POST", "/v1/subscribers", `{"name":"a"}`), http.StatusServiceUnavailable, "", "broker")
	w.refused(w.call("GET", "/v1/subscribers", ""), http.StatusServiceUnavailable, "", "broker")
	w.refused(w.call("DELETE", "/v1/subscribers/a", ""), http.StatusServiceUnavailable, "", "broker")
}
