package admin_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/internal/jobs"

	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/store"
)

const (
	replays  = "/v1/failed/replays"
	discards = "/v1/failed/discards"
	bulks    = "/v1/revocations/bulk"
)

// operating is a world in which everything runs that operators need.
func operating(t *testing.T, change ...func(*admin.Config)) *world {
	t.Helper()
	w := newWorld(t, change...)
	w.run(w.config.Letters.Run)
	w.run(w.config.Jobs.Run)
	w.work()
	return w
}

func TestReplay(t *testing.T) {
	t.Parallel()
	w := operating(t)
	w.fail("a", "b", "c")
	w.settle()
	plan := w.dryRun(replays, `"ids":["c","a","c","unknown"]`)
	if diff := cmp.Diff(map[string]any{"missing": 1.0}, plan.body["ineligible"]); diff != "" || plan.body["eligible"] != 2.0 || plan.text("kind") != "replay" {
		t.Errorf("%v", plan.body)
	}
	if len(w.requests()) != 0 {
		t.Fatal("a dry run has replayed")
	}
	job := w.finished(w.start(replays, plan))
	if job.body["rate"] != float64(jobs.DefaultRate) {
		t.Errorf("without a rate it works on %v a second", job.body["rate"])
	}
	if diff := cmp.Diff(map[string]any{"replayed": 2.0, "delivered": 2.0}, job.body["counts"]); diff != "" || job.text("state") != "done" || job.body["position"] != 2.0 {
		t.Errorf("%v", job.body)
	}
	var replayed []string
	for _, r := range w.requests() {
		replayed = append(replayed, r.ID)
		if by := r.History.Replayed; len(by) != 1 || by[0].By != "admin" || by[0].Reason != "the target is back" || by[0].Job != job.text("id") {
			t.Errorf("%s: replayed %+v", r.ID, by)
		}
	}
	if slices.Sort(replayed); !cmp.Equal(replayed, []string{"a", "c"}) {
		t.Errorf("replayed: %v", replayed)
	}
	if ids, _ := w.failed(""); !cmp.Equal(ids, []string{"b"}) {
		t.Errorf("left: %v", ids)
	}
	// The same dry run a second time is the same job.
	again := w.call("POST", replays, fmt.Sprintf(`{"token":%q,"reason":"r"}`, plan.text("token")))
	w.refused(again, http.StatusConflict, "", "already started")
	if again.text("job_id") != job.text("id") || again.text("type") != "/problems/started" {
		t.Errorf("%v", again.body)
	}
	if list := w.must(http.StatusOK, "GET", "/v1/jobs", "").body["jobs"].([]any); len(list) != 1 || at(list[0], "id") != job.text("id") {
		t.Errorf("jobs: %v", list)
	}
}

// What fails after the dry run is not in its set.
func TestReplayOfAFilter(t *testing.T) {
	t.Parallel()
	w := operating(t)
	w.fail("a", "b")
	w.failPush("p", "http", "http_400")
	w.settle()
	plan := w.dryRun(replays, `"filter":{"step":"revoke"},"force":true`)
	w.fail("later")
	w.settle()
	if job := w.finished(w.start(replays, plan)); job.body["total"] != 2.0 || job.body["force"] != true {
		t.Errorf("%v", job.body)
	}
	if ids, _ := w.failed(""); !cmp.Equal(ids, []string{"later", "p"}) {
		t.Errorf("left: %v", ids)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	w := operating(t)
	w.fail("a", "b")
	w.settle()
	plan := w.dryRun(discards, `"filter":{}`)
	// A token is for the call that made it.
	w.refused(w.call("POST", replays, fmt.Sprintf(`{"token":%q,"reason":"r"}`, plan.text("token"))), http.StatusNotFound, "", "repeat the dry run")
	job := w.finished(w.start(discards, plan))
	if diff := cmp.Diff(map[string]any{"discarded": 2.0}, job.body["counts"]); diff != "" {
		t.Error(diff)
	}
	if ids, _ := w.failed(""); len(ids) != 0 || len(w.requests()) != 0 {
		t.Errorf("left: %v", ids)
	}
}

func TestBulkRevocation(t *testing.T) {
	t.Parallel()
	for selection, alive := range map[string][]string{
		`"app_id":"a"`:    {"other"},
		`"tenant_id":"t"`: {"other"},
		`"users":[{"user_id":"u","tenant_id":"t"},{"user_id":"v"},{"user_id":"u","tenant_id":"t"}]`: {},
		`"authenticated_before":"NOW"`:                                  {},
		`"tenant_id":"t","authenticated_before":"2026-01-01T00:00:00Z"`: {"d1", "d2", "other"},
	} {
		t.Run(selection, func(t *testing.T) {
			t.Parallel()
			w := operating(t)
			revocable(w)
			w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"other", "v", `,"authenticated_at":"`+earlier(1e9)+`"`))
			plan := w.dryRun(bulks, strings.ReplaceAll(selection, "NOW", earlier(0)))
			if w.finished(w.start(bulks, plan)).text("state") != "done" {
				t.Error("it is not done")
			}
			for _, token := range []string{"d1", "d2", "other"} {
				if w.active(raw+token) != slices.Contains(alive, token) {
					t.Errorf("%s: active is %v", token, w.active(raw+token))
				}
			}
		})
	}
}

// refusal is a body of a dry run or a start that is refused.
type refusal struct {
	paths                []string // nil: all three
	body, field, contain string
}

// dry returns the body of a dry run.
func dry(rest string) string { return `{"dry_run":true` + rest + `}` }

func (w *world) refusesEach(refusals []refusal) {
	w.t.Helper()
	for _, c := range refusals {
		if c.paths == nil {
			c.paths = []string{replays, discards, bulks}
		}
		for _, path := range c.paths {
			w.refused(w.call("POST", path, c.body), http.StatusBadRequest, c.field, c.contain)
			if w.t.Failed() {
				w.t.Fatalf("that was %.200s to %s", c.body, path)
			}
		}
	}
}

// The old form, which acted at once, is refused with what to do instead.
func TestSelectionRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	letters := []string{replays, discards}
	w.refusesEach([]refusal{
		{letters, `{"ids":["a"]}`, "dry_run", "a dry run answers with a token"},
		{letters, `{"all":true}`, "dry_run", "a dry run answers with a token"},
		{letters, dry(`,"all":true`), "all", "empty filter selects all"},
		{letters, `{"ids":["a"],"dry_run":false}`, "dry_run", "must be true"},
		{letters, `{"ids":["a"],"dry_run":"true"}`, "dry_run", "must be true"},
		{letters, dry(``), "ids", "empty filter selects all"},
		{letters, dry(`,"ids":[]`), "ids", "empty filter"},
		{letters, dry(`,"ids":["a"],"filter":{}`), "ids", "or"},
		{letters, dry(`,"ids":"a"`), "ids", "must be a list"},
		{letters, dry(`,"ids":[7]`), "ids", "must be a list"},
		{letters, dry(`,"ids":["a",null]`), "ids", "must be a list"},
		{letters, dry(`,"ids":["a",""]`), "ids", "must be a list"},
		{letters, dry(`,"ids":["` + strings.Repeat("x", 513) + `"]`), "ids", "512 bytes"},
		{letters[:1], dry(`,"ids":["a"` + strings.Repeat(`,"a"`, 100_000) + `]`), "ids", "100000"},
		{letters, dry(`,"id":"a"`), "id", "unknown"},
		{letters, dry(`,"filter":[]`), "filter", "object"},
		{letters, dry(`,"filter":null`), "filter", "object"},
		{letters, dry(`,"filter":{"steps":"push"}`), "filter.steps", "unknown"},
		{letters, dry(`,"filter":{"step":"http","step":"revoke"}`), "filter.step", "twice"},
		{letters, dry(`,"filter":{"min_attempts":"1"}`), "filter.min_attempts", "whole number"},
		{letters, dry(`,"filter":{},"force":1`), "force", "true or false"},
	})
	tooLong := `{"dry_run":true,"x":"` + strings.Repeat("x", 16<<20) + `"}`
	w.refused(w.call("POST", replays, tooLong), http.StatusRequestEntityTooLarge, "", "16384 KiB")
}

func TestBulkSelectionRefusals(t *testing.T) {
	t.Parallel()
	newWorld(t).refusesEach([]refusal{
		{[]string{bulks}, dry(``), "users", "one of"},
		{[]string{bulks}, dry(`,"users":[]`), "users", "empty"},
		{[]string{bulks}, dry(`,"users":["u"]`), "users[0]", "object"},
		{[]string{bulks}, dry(`,"users":[{"user_id":"u"},{"tenant_id":"t"}]`), "users[1].user_id", "required"},
		{[]string{bulks}, dry(`,"users":[{"user_id":"u","id":1}]`), "users[0].id", "unknown"},
		{[]string{bulks}, dry(`,"users":[{"user_id":"u"}],"app_id":"a"`), "users", "one of"},
		{[]string{bulks}, dry(`,"app_id":"a","tenant_id":"t"`), "users", "one of"},
		{[]string{bulks}, dry(`,"app_id":""`), "app_id", "empty"},
		{[]string{bulks}, dry(`,"authenticated_before":"` + later() + `"`), "authenticated_before", "future"},
		{[]string{bulks}, `{"app_id":"a"}`, "dry_run", "must be true"},
	})
}

func TestStartRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refusesEach([]refusal{
		{nil, ``, "", "the body is empty"},
		{nil, `{}`, "dry_run", "a dry run answers with a token"},
		{nil, `{"token":"x"}`, "reason", "required"},
		{nil, `{"token":"x","reason":""}`, "reason", "empty"},
		{nil, `{"token":"x","reason":"` + strings.Repeat("x", 257) + `"}`, "reason", "256"},
		{nil, `{"token":"","reason":"r"}`, "token", "empty"},
		{nil, `{"token":"x","reason":"r","rate":-1}`, "rate", "must be 0"},
		{nil, `{"token":"x","reason":"r","rate":"5"}`, "rate", "number"},
		{nil, `{"token":"x","reason":"r","dry_run":true}`, "dry_run", "unknown"},
		{nil, `{"token":"x","reason":"r","ids":["a"]}`, "ids", "unknown"},
	})
	for _, path := range []string{replays, discards, bulks} {
		a := w.call("POST", path, `{"token":"unknown","reason":"r"}`)
		w.refused(a, http.StatusNotFound, "", "repeat the dry run")
	}
}

// A selection may be as long as operators' lists are.
func TestLongSelections(t *testing.T) {
	t.Parallel()
	w := operating(t)
	w.settle()
	var ids, users strings.Builder
	for i := range 20_000 {
		id := store.TokenID(fmt.Sprint(i))
		fmt.Fprintf(&ids, `,"session-%s_%s"`, id, id)
		if i < 1_000 {
			fmt.Fprintf(&users, `,{"user_id":%q,"tenant_id":"t"}`, id)
		}
	}
	plan := w.dryRun(discards, `"ids":[`+ids.String()[1:]+`]`)
	if missing := at(plan.body["ineligible"], "missing"); missing != 20_000.0 {
		t.Errorf("%v", plan.body)
	}
	plan = w.dryRun(bulks, `"users":[`+users.String()[1:]+`]`)
	if unknown := at(plan.body["ineligible"], "unknown"); unknown != 1_000.0 {
		t.Errorf("%v", plan.body)
	}
}
