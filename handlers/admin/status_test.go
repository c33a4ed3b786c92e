package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.config.Letters.Run)
	revocable(w)
	id := store.TokenID(raw + "d1")
	for path, want := range map[string]string{
		"/v1/search?session_id=" + id:                          "active",
		"/v1/search?session_id=" + store.TokenID("other"):      "unknown",
		"/v1/search?user_id=u&tenant_id=t":                     "active",
		"/v1/search?user_id=u":                                 "unknown",
		"/v1/revocations/0197f1e5-0000-7000-8000-000000000000": "unknown",
	} {
		if a := w.must(http.StatusOK, "GET", path, ""); a.text("state") != want {
			t.Errorf("%s: %v, want %s", path, a.body, want)
		}
	}
	for _, odd := range []string{"a.b", "*", "%3E", "%20", "a%2Fb", "%ff", strings.Repeat("x", 1000)} {
		if a := w.must(http.StatusOK, "GET", "/v1/revocations/"+odd, ""); a.text("state") != "unknown" {
			t.Errorf("%s: %v", odd, a.body)
		}
	}
	request := w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"session_id":"`+id+`"}`).text("id")
	if a := w.must(http.StatusOK, "GET", "/v1/revocations/"+request, ""); a.text("state") != "pending" {
		t.Errorf("%v", a.body)
	}
	w.fail(request)
	w.settle()
	a := w.must(http.StatusOK, "GET", "/v1/revocations/"+request, "")
	if failed := a.body["failed"].([]any); a.text("state") != "failed" || len(failed) != 1 || at(failed[0], "id") != request {
		t.Errorf("%v", a.body)
	}
}

func TestSearchRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := store.TokenID("x")
	for query, field := range map[string]string{
		"": "user_id", "?session_id=" + id + "&user_id=u": "user_id", "?session_id=raw-token": "session_id", "?tenant_id=t": "user_id",
		"?user_id=": "user_id", "?session_id=": "session_id", "?session_token=x": "session_token", "?user_id=u&user_id=v": "user_id",
	} {
		w.refused(w.call("GET", "/v1/search"+query, ""), http.StatusBadRequest, field, "")
	}
	w.store.away.Store(true)
	a := w.must(http.StatusOK, "GET", "/v1/search?session_id="+id, "")
	if notAsked, _ := a.body["not_asked"].([]any); a.text("state") != "unknown" || len(notAsked) != 1 || notAsked[0] != "store" {
		t.Errorf("with the store down: %v", a.body)
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refused(w.call("GET", "/v1/overview", ""), http.StatusServiceUnavailable, "", "no measurements yet")
	w.run(w.config.Letters.Run)
	w.run(w.config.Overview.Run)
	w.fail("a", "b")
	w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"user_id":"u"}`)
	var a answer
	w.until("the overview shows it", func() bool {
		a = w.call("GET", "/v1/overview", "")
		groups, _ := a.body["groups"].([]any)
		return a.body["failed"] == 2.0 && len(groups) == 1 && at(a.body, "backlog", "messages") == 1.0 && a.body["progress"] == nil
	})
	targets := a.body["targets"].([]any)
	if a.body["broker_ok"] != true || a.body["store_ok"] != true || len(targets) != 2 || at(targets[1], "name") != "http" {
		t.Errorf("%v", a.body)
	}
	if shown, err := time.Parse(time.RFC3339, a.text("at")); err != nil || time.Since(shown) > time.Minute {
		t.Errorf("at is %q", a.text("at"))
	}
}

// TestOverviewBeforeTheBrokerAnswers: what is not known is not zero.
func TestOverviewBeforeTheBrokerAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.broker.Stop()
	w.run(w.config.Overview.Run)
	var a answer
	w.until("something was measured", func() bool { a = w.call("GET", "/v1/overview", ""); return a.status == http.StatusOK })
	for _, unknown := range []string{"revoked_per_second", "backlog", "failed", "targets", "jobs_running", "figures_at"} {
		if value, told := a.body[unknown]; told {
			t.Errorf("%s is %v", unknown, value)
		}
	}
	if a.body["broker_ok"] != false {
		t.Errorf("%v", a.body)
	}
}
