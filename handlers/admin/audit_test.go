package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/messages"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := earlier(1e9)
	for i := range 3 {
		w.must(http.StatusAccepted, "POST", "/v1/revocations", fmt.Sprintf(`{"user_id":"u%d","reason":"r%d"}`, i, i))
	}
	reasons := func(entries []map[string]any) (found []string) {
		for _, e := range entries {
			found = append(found, e["reason"].(string))
		}
		return found
	}
	for query, want := range map[string][]string{
		"": {"r2", "r1", "r0"}, "?by=admin&action=revocation.create": {"r2", "r1", "r0"}, "?by=nobody": nil,
		"?action=job.pause": nil, "?job_id=x": nil, "?from=" + before: {"r2", "r1", "r0"}, "?to=" + before: nil,
	} {
		if got := reasons(w.audited(query)); !cmp.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	page := w.must(http.StatusOK, "GET", "/v1/audit?limit=2", "")
	rest := w.audited("?limit=2&after=" + url.QueryEscape(page.text("next")))
	if got := reasons(rest); len(page.body["audit"].([]any)) != 2 || !cmp.Equal(got, []string{"r0"}) {
		t.Errorf("%v, then %v", page.body, got)
	}
	for query, field := range map[string]string{
		"?limit=0": "limit", "?after=nonsense": "after", "?from=x": "from", "?by=": "by", "?user_id=u": "user_id",
	} {
		w.refused(w.call("GET", "/v1/audit"+query, ""), http.StatusBadRequest, field, "")
	}
}

// What is done but cannot be recorded is told apart, and stands in the log of
// the server.
func TestUnaudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stream, err := w.broker.JS.Stream(t.Context(), messages.StreamAudit)
	if err != nil {
		t.Fatal(err)
	}
	full := stream.CachedInfo().Config
	full.MaxMsgs = 1
	if _, err := w.broker.JS.UpdateStream(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"user_id":"first"}`)
	admin.RecordFor(w.server.Config.Handler, 500*time.Millisecond)
	a := w.call("POST", "/v1/revocations", `{"user_id":"second","reason":"stolen"}`)
	w.refused(a, http.StatusInternalServerError, "", "do not repeat it")
	if a.text("type") != "/problems/unaudited" || len(w.requests()) != 2 {
		t.Errorf("%v, %d requests", a.body, len(w.requests()))
	}
	for _, part := range []string{"revocation.create", "stolen", "second", "by=admin"} {
		if !strings.Contains(w.log.String(), part) {
			t.Errorf("the log lacks %q: %s", part, w.log.String())
		}
	}
}
