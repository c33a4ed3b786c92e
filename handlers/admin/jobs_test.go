package admin_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJobActions(t *testing.T) {
	t.Parallel()
	w := operating(t)
	ids := make([]string, 40)
	for i := range ids {
		ids[i] = fmt.Sprint("letter-", i)
	}
	w.fail(ids...)
	w.settle()
	plan := w.dryRun(discards, `"filter":{}`)
	slowly := fmt.Sprintf(`{"token":%q,"reason":"r","rate":0.5}`, plan.text("token"))
	job := w.must(http.StatusAccepted, "POST", discards, slowly)
	if job.body["rate"] != 0.5 || job.text("by") != "admin" || job.text("reason") != "r" || job.body["total"] != 40.0 {
		t.Errorf("%v", job.body)
	}
	path := "/v1/jobs/" + job.text("id")
	for _, c := range []struct{ verb, state string }{{"pause", "paused"}, {"resume", "running"}, {"cancel", "cancelled"}} {
		if a := w.must(http.StatusOK, "POST", path+"/"+c.verb, ""); a.text("state") != c.state || a.text("last_action_by") != "admin" {
			t.Errorf("%s: %v", c.verb, a.body)
		}
		again := w.call("POST", path+"/"+c.verb, "")
		w.refused(again, http.StatusConflict, "", "state")
	}
	if a := w.must(http.StatusOK, "GET", path, ""); a.text("state") != "cancelled" || a.text("finished_at") == "" {
		t.Errorf("%v", a.body)
	}
	var actions []string
	for _, e := range w.audited("?job_id=" + job.text("id")) {
		actions = append(actions, e["action"].(string))
	}
	if diff := cmp.Diff([]string{"job.cancel", "job.resume", "job.pause", "discard.start"}, actions); diff != "" {
		t.Error(diff)
	}
}

func TestJobRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if list := w.must(http.StatusOK, "GET", "/v1/jobs", "").body["jobs"].([]any); len(list) != 0 {
		t.Errorf("%v", list)
	}
	for _, id := range []string{"unknown", "a.b", "*", "%3E", "%20", "a%2Fb"} {
		w.refused(w.call("GET", "/v1/jobs/"+id, ""), http.StatusNotFound, "", "job not found")
		for _, verb := range []string{"pause", "resume", "cancel"} {
			w.refused(w.call("POST", "/v1/jobs/"+id+"/"+verb, ""), http.StatusNotFound, "", "job not found")
		}
	}
	w.refused(w.call("GET", "/v1/jobs?limit=0", ""), http.StatusBadRequest, "limit", "")
	w.refused(w.call("GET", "/v1/jobs?state=done", ""), http.StatusBadRequest, "state", "unknown")
	if len(w.audited("")) != 0 {
		t.Error("what was refused is on the audit log")
	}
}
