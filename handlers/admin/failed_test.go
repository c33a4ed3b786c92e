package admin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

var failedAt = events.At(time.Date(2026, 1, 31, 12, 0, 0, 123e6, time.UTC))

func failedRequest(id string) messages.Request {
	return messages.Request{
		ID: id, Dialect: "kratos", Initiator: messages.InitiatorUser, Scope: "user", UserID: "u",
		Cutoff: failedAt, Fenced: true, RequestedAt: failedAt,
	}
}

// fail records dead letters of requests under the given ids.
func (w *world) fail(ids ...string) {
	w.t.Helper()
	for i, id := range ids {
		request := failedRequest(id)
		w.failLetter(messages.DeadLetter{
			ID: id, Step: messages.StepRevoke, Code: "store_error", Error: "reading session: broken", Attempts: i,
			FirstFailedAt: failedAt, LastFailedAt: failedAt, FailedAt: failedAt, Request: &request,
		})
	}
}

func (w *world) failLetter(letter messages.DeadLetter) {
	w.t.Helper()
	if err := w.config.Publisher.DeadLetter(w.t.Context(), letter, 1); err != nil {
		w.t.Fatal(err)
	}
}

// failPush records a dead letter of a push registration.
func (w *world) failPush(id, provider, code string) {
	w.t.Helper()
	task := testkit.PushDelivery(failedRequest(id), failedAt, testkit.Registration{
		ID: id, UserID: "u", DeviceID: "d", AppID: "a", Provider: provider, PushToken: raw + "p", RegisteredAt: failedAt,
	})
	w.failLetter(messages.DeadLetter{
		ID: id, Step: "http", Target: provider, Code: code, Error: "refused", FailedAt: failedAt,
		Request: &task.Request, Delivery: &task,
	})
}

// failed lists the ids of a page.
func (w *world) failed(query string) (ids []string, next string) {
	w.t.Helper()
	a := w.must(http.StatusOK, "GET", "/v1/failed"+query, "")
	for _, letter := range a.body["failed"].([]any) {
		ids = append(ids, letter.(map[string]any)["id"].(string))
	}
	return ids, a.text("next")
}

func TestFailedList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.config.Letters.Run)
	w.settle()
	if ids, next := w.failed(""); len(ids) != 0 || next != "" {
		t.Errorf("nothing failed, but %v, %v", ids, next)
	}
	w.fail("a", "b", "c")
	w.settle()
	page1, next := w.failed("?limit=2")
	page2, end := w.failed("?limit=2&after=" + url.QueryEscape(next))
	if diff := cmp.Diff([][]string{{"c", "b"}, {"a"}}, [][]string{page1, page2}); diff != "" || end != "" {
		t.Errorf("%s, next %q", diff, end)
	}
	a := w.must(http.StatusOK, "GET", "/v1/failed?limit=1", "")
	want := map[string]any{
		"id": "c", "step": "revoke", "code": "store_error", "error": "reading session: broken", "attempts": 2.0, "replays": 0.0,
		"first_failed_at": "2026-01-31T12:00:00.123Z", "failed_at": "2026-01-31T12:00:00.123Z", "requested_at": "2026-01-31T12:00:00.123Z",
		"request_id": "c", "scope": "user", "dialect": "kratos", "user_id": "u",
	}
	if diff := cmp.Diff(want, a.body["failed"].([]any)[0]); diff != "" || a.body["total"] != 3.0 {
		t.Errorf("%s, total %v", diff, a.body["total"])
	}
}

// While the projection is not ready, answers say so.
func TestFailedProgress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/v1/failed", "/v1/failed/groups"} {
		if a := w.must(http.StatusOK, "GET", path, ""); a.body["progress"] == nil {
			t.Errorf("%s: %v", path, a.body)
		}
	}
	w.run(w.config.Letters.Run)
	w.settle()
	for _, path := range []string{"/v1/failed", "/v1/failed/groups"} {
		w.until(path+" is complete", func() bool { return w.must(http.StatusOK, "GET", path, "").body["progress"] == nil })
	}
}

func TestFailedFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.config.Letters.Run)
	w.fail("a", "b", "c")
	w.failPush("p", "http", "http_400")
	w.settle()
	for query, want := range map[string][]string{
		"":                             {"p", "c", "b", "a"},
		"step=http":                    {"p"},
		"target=http&code=http_400":    {"p"},
		"target=http&code=store_error": nil,
		"user_id=u&step=revoke":        {"c", "b", "a"},
		"user_id=u&tenant_id=t":        nil,
		"device_id=d":                  {"p"},
		"app_id=a":                     {"p"},
		"min_attempts=1&step=revoke":   {"c", "b"},
		"min_attempts=1&max_attempts=1&step=revoke":                 {"b"},
		"from=2026-01-31T12:00:00.123Z&to=2026-01-31T12:00:00.124Z": {"p", "c", "b", "a"},
		"to=2026-01-31T12:00:00.123Z":                               nil,
		"from=" + url.QueryEscape("2026-01-31T13:00:00.124+01:00"):  nil,
	} {
		if ids, _ := w.failed("?" + query); !cmp.Equal(ids, want) {
			t.Errorf("%s: %v, want %v", query, ids, want)
		}
		total := w.must(http.StatusOK, "GET", "/v1/failed/groups?"+query, "").body["total"]
		if total != float64(len(want)) {
			t.Errorf("groups of %s: total %v", query, total)
		}
	}
}

func TestFailedQueryRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=1001": "limit", "limit=x": "limit", "limit=": "limit", "limit=null": "limit", "limit=1.5": "limit",
		"after=-1": "after", "after=": "after", "step=": "step", "step=a&step=b": "step", "Step=a": "Step",
		"min_attempts=0": "min_attempts", "max_attempts=-1": "max_attempts", "min_attempts=3&max_attempts=2": "max_attempts",
		"from=yesterday": "from", "from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z": "to",
		"code=" + strings.Repeat("x", 257): "code", "user_id=%ff": "user_id", "a=1;b=2": "", "a=%zz": "",
	} {
		w.refused(w.call("GET", "/v1/failed?"+query, ""), http.StatusBadRequest, field, "")
	}
	for query, field := range map[string]string{"limit=1": "limit", "after=x": "after"} {
		w.refused(w.call("GET", "/v1/failed/groups?"+query, ""), http.StatusBadRequest, field, "unknown")
	}
}

func TestFailedGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.config.Letters.Run)
	w.fail("a", "b")
	w.failPush("p", "http", "http_400")
	w.settle()
	at := "2026-01-31T12:00:00.123Z"
	want := map[string]any{"total": 3.0, "groups": []any{
		map[string]any{
			"step": "revoke", "code": "store_error", "count": 2.0, "users": 1.0, "first_failed_at": at, "last_failed_at": at,
			"sample_id": "b", "sample_error": "reading session: broken",
		},
		map[string]any{
			"step": "http", "target": "http", "code": "http_400", "count": 1.0, "users": 1.0, "first_failed_at": at, "last_failed_at": at,
			"sample_id": "p", "sample_error": "refused",
		},
	}}
	w.until("complete", func() bool { return w.config.Letters.Progress().Ready })
	if diff := cmp.Diff(want, w.must(http.StatusOK, "GET", "/v1/failed/groups", "").body); diff != "" {
		t.Error(diff)
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
	timeline, _ := a.body["timeline"].([]any)
	delete(a.body, "timeline")
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
	if what := at(timeline[0], "what"); what != "requested" || len(timeline) < 2 {
		t.Errorf("timeline is %v", timeline)
	}
	for _, id := range []string{"unknown", "a.b", "*", "%3E", "%20"} {
		w.refused(w.call("GET", "/v1/failed/"+id, ""), http.StatusNotFound, "", "dead letter not found")
	}
}

func TestFailedMasksPushTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := raw + strings.Repeat("0", 60) + "tail"
	for id, token := range map[string]string{"short": raw + "p", "long": long} {
		task := testkit.PushDelivery(failedRequest(id), failedAt, testkit.Registration{
			ID: id, UserID: "u", DeviceID: "d", Provider: "http", PushToken: token, RegisteredAt: failedAt,
		})
		w.failLetter(messages.DeadLetter{
			ID: id, Step: "http", Target: "http", Code: "http_400", Error: "refused", FailedAt: failedAt,
			Request: &task.Request, Delivery: &task,
		})
	}
	for id, want := range map[string]string{"short": "…", "long": "raw-…tail"} {
		a := w.call("GET", "/v1/failed/"+id, "")
		details := map[string]any{}
		shown, _ := a.body["details"].([]any)
		for _, d := range shown {
			detail := d.(map[string]any)
			details[detail["name"].(string)] = detail["value"]
		}
		if details["Push token"] != want || details["Device"] != "d" || a.text("target") != "http" {
			t.Errorf("%s: %v", id, a.body)
		}
	}
	if text := w.answers.String(); strings.Contains(text, "000") || strings.Contains(text, raw+"p") {
		t.Error("a push token was shown")
	}
	w.answers.Reset() // the head of the long one is shown on purpose
}

func TestFailedUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	content := []byte(`not JSON, but with ` + raw + `token`)
	w.failLetter(messages.DeadLetter{
		ID: "LOGOUT_REQUESTS-7", Step: messages.StepDecode, Code: "undecodable", Error: "decoding requests: bad",
		FailedAt: failedAt, Subject: messages.SubjectRequests, Message: content,
	})
	a := w.must(http.StatusOK, "GET", "/v1/failed/LOGOUT_REQUESTS-7", "")
	shown, _ := a.body["unreadable"].(map[string]any)
	if shown["subject"] != messages.SubjectRequests || shown["bytes"] != float64(len(content)) || shown["hint"] == "" {
		t.Errorf("shown %v", a.body)
	}
	body, _ := json.Marshal(a.body)
	if strings.Contains(string(body), "bm90IEpTT04") { // its start in base64
		t.Error("the content is shown")
	}
}

// What this process has itself it shows without the broker.
func TestFailedWithoutBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.config.Letters.Run)
	w.fail("a")
	w.settle()
	w.broker.Stop()
	if ids, _ := w.failed(""); !cmp.Equal(ids, []string{"a"}) {
		t.Errorf("listed: %v", ids)
	}
	const id = "0197f1e5-0000-7000-8000-000000000000"
	start := `{"token":"` + id + `","reason":"r"}`
	for _, call := range []struct{ method, path, body string }{
		{"GET", "/v1/failed/a", ""},
		{"GET", "/v1/events", ""},
		{"GET", "/v1/jobs", ""},
		{"GET", "/v1/audit", ""},
		{"POST", replays, `{"dry_run":true,"ids":["a"]}`},
		{"POST", replays, start},
		{"POST", discards, start},
		{"POST", bulks, start},
		{"POST", "/v1/jobs/" + id + "/pause", ""},
		{"DELETE", "/v1/tokens/x", ""},
	} {
		a := w.call(call.method, call.path, call.body)
		w.refused(a, http.StatusServiceUnavailable, "", "")
	}
}
