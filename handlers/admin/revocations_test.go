package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// revocable registers two sessions of a user on two devices.
func revocable(w *world) {
	w.t.Helper()
	for _, device := range []string{"d1", "d2"} {
		more := fmt.Sprintf(`,"tenant_id":"t","device_id":%q,"app_id":"a"`, device)
		w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+device, "u", more))
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	id := store.TokenID(raw + "d1")
	cases := []struct {
		name, body     string
		want           messages.Request
		alive1, alive2 bool
	}{
		{"session token", `{"session_token":"raw-d1","reason":"stolen"}`,
			messages.Request{Scope: "session", SessionID: id, UserID: "u", TenantID: "t", DeviceID: "d1", AppID: "a", Reason: "stolen"}, false, true},
		{"session id", `{"session_id":"` + id + `"}`,
			messages.Request{Scope: "session", SessionID: id, UserID: "u", TenantID: "t", DeviceID: "d1", AppID: "a"}, false, true},
		{"user", `{"user_id":"u","tenant_id":"t"}`, messages.Request{Scope: "user", UserID: "u", TenantID: "t"}, false, false},
		{"device", `{"user_id":"u","tenant_id":"t","device_id":"d1"}`,
			messages.Request{Scope: "device", UserID: "u", TenantID: "t", DeviceID: "d1"}, false, true},
		{"user of another tenant", `{"user_id":"u"}`, messages.Request{Scope: "user", UserID: "u"}, true, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			revocable(w)
			before := time.Now().Add(-time.Second)
			a := w.must(http.StatusAccepted, "POST", "/v1/revocations", c.body)
			// There is no worker: what is dead now is dead by the fence.
			if w.active(raw+"d1") != c.alive1 || w.active(raw+"d2") != c.alive2 {
				t.Errorf("active: %v, %v", w.active(raw+"d1"), w.active(raw+"d2"))
			}
			c.want.ID, c.want.Dialect, c.want.Initiator, c.want.Fenced = a.text("id"), "admin", messages.InitiatorAdmin, true
			got := w.requests()
			ignored := cmpopts.IgnoreFields(messages.Request{}, "AuthenticatedAt", "Cutoff", "RequestedAt", "TraceParent")
			if diff := cmp.Diff([]messages.Request{c.want}, got, ignored); diff != "" {
				t.Fatal(diff)
			}
			if got[0].Cutoff.Before(before) || got[0].RequestedAt.Before(before) || got[0].AuthenticatedAt.IsZero() != (c.want.SessionID == "") {
				t.Errorf("times of %+v", got[0])
			}
			if parsed, err := uuid.Parse(a.text("id")); err != nil || parsed.Version() != 7 {
				t.Errorf("id is %q", a.text("id"))
			}
		})
	}
}

func TestRevokeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	revocable(w)
	for range 2 {
		w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"session_token":"raw-d1"}`)
	}
	requests := w.requests()
	if len(requests) != 2 || requests[0].ID == requests[1].ID || !requests[1].Cutoff.Equal(requests[0].Cutoff.Time) {
		t.Errorf("a dead session must keep its cutoff: %+v", requests)
	}
}

func TestRevokeTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, header := range []string{trace, "nonsense", ""} {
		r := w.request("POST", "/v1/revocations", strings.NewReader(`{"user_id":"u"}`))
		if header != "" {
			r.Header.Set("traceparent", header)
		}
		if a := w.do(r); a.status != http.StatusAccepted {
			t.Fatalf("%d %v", a.status, a.body)
		}
	}
	requests := w.requests()
	if requests[0].TraceParent != trace {
		t.Errorf("traceparent is %q", requests[0].TraceParent)
	}
	for _, r := range requests[1:] {
		if len(r.TraceParent) != len(trace) || r.TraceParent == trace {
			t.Errorf("fresh traceparent is %q", r.TraceParent)
		}
	}
}

func TestRevokeRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	revocable(w)
	id, long := store.TokenID(raw+"d1"), strings.Repeat("x", 257)
	cases := []struct {
		body   string
		status int
		field  string
		detail string
	}{
		{`{}`, 400, "user_id", "one of session_token, session_id and user_id"},
		{`{"reason":"r"}`, 400, "user_id", "one of"},
		{`{"device_id":"d1"}`, 400, "user_id", "one of"},
		{`{"app_id":"a"}`, 400, "app_id", "/v1/revocations/bulk"},
		{`{"tenant_id":"t"}`, 400, "tenant_id", "/v1/revocations/bulk"},
		{`{"tenant_id":"t","app_id":"a"}`, 400, "app_id", "/v1/revocations/bulk"},
		{`{"user_id":"u","app_id":"a"}`, 400, "app_id", "/v1/revocations/bulk"},
		{`{"user_id":"u","device_id":""}`, 400, "device_id", "empty"},
		{`{"user_id":"u","device_id":null}`, 400, "device_id", "must be a string"},
		{`{"user_id":"u","device_id":["d1"]}`, 400, "device_id", "must be a string"},
		{`{"user_id":""}`, 400, "user_id", "empty"},
		{`{"userid":"u"}`, 400, "userid", "unknown"},
		{`{"user_id":"u","user_id":"v"}`, 400, "user_id", "twice"},
		{`{"user_id":"` + long + `"}`, 400, "user_id", "256 bytes"},
		{`{"user_id":"u","reason":"` + long + `"}`, 400, "reason", "256 bytes"},
		{`{"session_token":"raw-d1","session_id":"` + id + `"}`, 400, "session_id", "not both"},
		{`{"session_token":"raw-d1","user_id":"u"}`, 400, "user_id", "not both"},
		{`{"session_token":"raw-d1","device_id":"d1"}`, 400, "user_id", "not both"},
		{`{"session_id":"raw-d1"}`, 400, "session_id", "43 characters"},
		{`{"session_token":""}`, 400, "session_token", "empty"},
		{`{"session_token":"raw-unknown"}`, 404, "", "unknown session"},
		{`{"session_id":"` + store.TokenID("unknown") + `"}`, 404, "", "unknown session"},
		{`{"user_id":"u"`, 400, "", "invalid JSON at byte"},
	}
	for _, c := range cases {
		w.refused(w.call("POST", "/v1/revocations", c.body), c.status, c.field, c.detail)
		if t.Failed() {
			t.Fatalf("that was %s", c.body)
		}
	}
	if n := len(w.requests()); n != 0 {
		t.Errorf("%d requests were published", n)
	}
	if !w.active(raw+"d1") || !w.active(raw+"d2") {
		t.Error("a refused revocation ended a session")
	}
}

func TestRevokeUnknownElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *admin.Config) { c.PublishUnknown = true })
	w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"session_token":"raw-unknown"}`)
	requests := w.requests()
	if len(requests) != 1 || requests[0].SessionID != store.TokenID(raw+"unknown") || requests[0].Cutoff.IsZero() || !requests[0].Fenced {
		t.Errorf("published %+v", requests)
	}
}

// Without the store a revocation is accepted all the same: a worker fences.
func TestRevokeWithoutStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.away.Store(true)
	for _, body := range []string{`{"session_token":"raw-x"}`, `{"user_id":"u"}`, `{"user_id":"u","device_id":"d"}`} {
		w.must(http.StatusAccepted, "POST", "/v1/revocations", body)
	}
	requests := w.requests()
	if len(requests) != 3 {
		t.Fatalf("published %+v", requests)
	}
	for _, r := range requests {
		if r.Fenced || !r.Cutoff.IsZero() {
			t.Errorf("published %+v", r)
		}
	}
	if n := strings.Count(w.log.String(), "internal-host"); n != 3 {
		t.Errorf("the cause was logged %d times, want once a call", n)
	}
}

func TestRevokeWithoutBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.broker.Stop()
	a := w.call("POST", "/v1/revocations", `{"user_id":"u"}`)
	w.refused(a, http.StatusServiceUnavailable, "", "broker is unavailable")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
