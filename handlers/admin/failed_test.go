package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events"
)

var failedAt = events.At(time.Date(2026, 1, 31, 12, 0, 0, 123e6, time.UTC))

func failedRequest(id string) events.Request {
	return events.Request{
		ID: id, Dialect: "kratos", Initiator: events.InitiatorUser, Scope: "user", UserID: "u",
		Cutoff: failedAt, Fenced: true, RequestedAt: failedAt,
	}
}

// fail records dead letters of requests under the given ids.
func (w *world) fail(ids ...string) {
	w.t.Helper()
	for i, id := range ids {
		request := failedRequest(id)
		w.failLetter(events.DeadLetter{
			ID: id, Step: events.StepRevoke, Code: "store_error", Error: "reading session: broken", Attempts: i,
			FirstFailedAt: failedAt, LastFailedAt: failedAt, FailedAt: failedAt, Request: &request,
		})
	}
}

func (w *world) failLetter(letter events.DeadLetter) {
	w.t.Helper()
	if err := w.config.Publisher.DeadLetter(w.t.Context(), letter, 1); err != nil {
		w.t.Fatal(err)
	}
}

// failed lists the ids of a page.
func (w *world) failed(query string) (ids []string, next float64) {
	w.t.Helper()
	a := w.must(http.StatusOK, "GET", "/v1/failed"+query, "")
	for _, letter := range a.body["failed"].([]any) {
		ids = append(ids, letter.(map[string]any)["id"].(string))
	}
	next, _ = a.body["next"].(float64)
	return ids, next
}

func TestFailedList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if ids, next := w.failed(""); len(ids) != 0 || next != 0 {
		t.Errorf("nothing failed, but %v, %v", ids, next)
	}
	w.fail("a", "b", "c")
	page1, next := w.failed("?limit=2")
	page2, end := w.failed(fmt.Sprintf("?limit=2&after=%v", next))
	if diff := cmp.Diff([][]string{{"a", "b"}, {"c"}}, [][]string{page1, page2}); diff != "" || end != 0 {
		t.Errorf("%s, next %v", diff, end)
	}
	for query, field := range map[string]string{
		"?limit=0": "limit", "?limit=1001": "limit", "?limit=x": "limit", "?after=-1": "after", "?step=push": "step",
	} {
		w.refused(w.call("GET", "/v1/failed"+query, ""), http.StatusBadRequest, field, "")
	}
}

func TestFailedShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail("a")
	a := w.must(http.StatusOK, "GET", "/v1/failed/a", "")
	request := map[string]any{
		"id": "a", "dialect": "kratos", "initiator": "user", "scope": "user", "user_id": "u", "fenced": true,
		"authenticated_at": nil, "cutoff": "2026-01-31T12:00:00.123Z", "requested_at": "2026-01-31T12:00:00.123Z",
	}
	want := map[string]any{
		"id": "a", "step": "revoke", "code": "store_error", "error": "reading session: broken", "attempts": 0.0, "replays": 0.0,
		"first_failed_at": "2026-01-31T12:00:00.123Z", "last_failed_at": "2026-01-31T12:00:00.123Z", "failed_at": "2026-01-31T12:00:00.123Z",
		"request": request,
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"unknown", "a.b", "*", "%3E", "%20"} {
		w.refused(w.call("GET", "/v1/failed/"+id, ""), http.StatusNotFound, "", "no such dead letter")
	}
}

func TestFailedMasksPushTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := raw + strings.Repeat("0", 60) + "tail"
	for id, token := range map[string]string{"short": raw + "p", "long": long} {
		task := events.NewPushTask(failedRequest(id), failedAt, events.PushRegistration{
			ID: id, UserID: "u", DeviceID: "d", Provider: "http", PushToken: token, RegisteredAt: failedAt,
		})
		w.failLetter(events.DeadLetter{
			ID: id, Step: events.StepPush, Target: "http", Code: "http_400", Error: "refused", FailedAt: failedAt,
			Request: &task.Request, Task: &task,
		})
	}
	for id, want := range map[string]string{"short": "…", "long": "raw-…tail"} {
		a := w.call("GET", "/v1/failed/"+id, "")
		registration, _ := a.body["push_registration"].(map[string]any)
		if registration["push_token"] != want || registration["device_id"] != "d" || a.text("target") != "http" {
			t.Errorf("%s: %v", id, a.body)
		}
	}
	if text := w.answers.String(); strings.Contains(text, "000") || strings.Contains(text, raw+"p") {
		t.Error("a push token was shown")
	}
	w.answers = safeBuffer{} // the head of the long one is shown on purpose
}

func TestFailedUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := []byte(`not JSON, but with ` + raw + `token`)
	w.failLetter(events.DeadLetter{
		ID: "LOGOUT_REQUESTS-7", Step: events.StepDecode, Code: "undecodable", Error: "decoding requests: bad",
		FailedAt: failedAt, Subject: events.SubjectRequests, Message: content,
	})
	a := w.must(http.StatusOK, "GET", "/v1/failed/LOGOUT_REQUESTS-7", "")
	shown, _ := a.body["unreadable"].(map[string]any)
	if shown["subject"] != events.SubjectRequests || shown["bytes"] != float64(len(content)) || shown["hint"] == "" {
		t.Errorf("shown %v", a.body)
	}
	body, _ := json.Marshal(a.body)
	if strings.Contains(string(body), "bm90IEpTT04") { // its start in base64
		t.Error("the content is shown")
	}
}

func TestFailedReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail("a", "b", "c")
	a := w.must(http.StatusOK, "POST", "/v1/failed/replays", `{"ids":["c","a","c","unknown"]}`)
	if diff := cmp.Diff(map[string]any{"replayed": 2.0, "missing": []any{"unknown"}}, a.body); diff != "" {
		t.Error(diff)
	}
	if ids, _ := w.failed(""); !cmp.Equal(ids, []string{"b"}) {
		t.Errorf("left: %v", ids)
	}
	var replayed []string
	for _, r := range w.requests() {
		replayed = append(replayed, r.ID)
		if r.History.Replays != 1 {
			t.Errorf("%s: replays is %d", r.ID, r.History.Replays)
		}
	}
	if !cmp.Equal(replayed, []string{"c", "a"}) {
		t.Errorf("replayed: %v", replayed)
	}
}

func TestFailedAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail("a", "b", "c")
	a := w.must(http.StatusOK, "POST", "/v1/failed/replays", `{"all":true}`)
	if a.body["replayed"] != 3.0 || len(w.requests()) != 3 {
		t.Errorf("answer is %v, %d requests", a.body, len(w.requests()))
	}
	w.fail("d", "e")
	a = w.must(http.StatusOK, "POST", "/v1/failed/discards", `{"all":true}`)
	if diff := cmp.Diff(map[string]any{"discarded": 2.0, "missing": []any{}}, a.body); diff != "" {
		t.Error(diff)
	}
	if ids, _ := w.failed(""); len(ids) != 0 || len(w.requests()) != 3 {
		t.Errorf("left: %v", ids)
	}
}

func TestFailedDiscard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail("a", "b")
	a := w.must(http.StatusOK, "POST", "/v1/failed/discards", `{"ids":["a","unknown"]}`)
	if diff := cmp.Diff(map[string]any{"discarded": 1.0, "missing": []any{"unknown"}}, a.body); diff != "" {
		t.Error(diff)
	}
	if ids, _ := w.failed(""); !cmp.Equal(ids, []string{"b"}) || len(w.requests()) != 0 {
		t.Errorf("left: %v", ids)
	}
}

func TestFailedRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail("a")
	cases := []struct{ body, field, detail string }{
		{``, "", "there is nothing"},
		{`{}`, "ids", "give"},
		{`{"ids":[]}`, "ids", "give"},
		{`{"ids":["a"],"all":true}`, "ids", "give"},
		{`{"all":false}`, "all", "must be true"},
		{`{"all":"true"}`, "all", "must be true"},
		{`{"all":null,"ids":["a"]}`, "all", "must be true"},
		{`{"ids":"a"}`, "ids", "must be a list"},
		{`{"ids":[7]}`, "ids", "must be a list"},
		{`{"ids":["a",null]}`, "ids", "must be a list"},
		{`{"ids":["a",""]}`, "ids", "must be a list"},
		{`{"ids":["` + strings.Repeat("x", 513) + `"]}`, "ids", "512 bytes"},
		{`{"id":"a"}`, "id", "unknown"},
	}
	for _, path := range []string{"/v1/failed/replays", "/v1/failed/discards"} {
		for _, c := range cases {
			w.refused(w.call("POST", path, c.body), http.StatusBadRequest, c.field, c.detail)
		}
	}
	if ids, _ := w.failed(""); !cmp.Equal(ids, []string{"a"}) {
		t.Errorf("left: %v", ids)
	}
}

func TestFailedWithoutBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.broker.Stop()
	for _, call := range []struct{ method, path, body string }{
		{"GET", "/v1/failed", ""},
		{"GET", "/v1/failed/a", ""},
		{"GET", "/v1/events", ""},
		{"POST", "/v1/failed/replays", `{"ids":["a"]}`},
		{"POST", "/v1/failed/discards", `{"all":true}`},
	} {
		a := w.call(call.method, call.path, call.body)
		w.refused(a, http.StatusServiceUnavailable, "", "broker is unavailable")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: no Retry-After", call.method, call.path)
		}
	}
}
