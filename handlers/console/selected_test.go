package console_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
)

// distinct sets a field to a value that stands nowhere else on a page, and
// returns how a page shows it.
func distinct(t *testing.T, field reflect.Value) (shown string) {
	t.Helper()
	switch field.Interface().(type) {
	case string:
		field.SetString("distinct-value")
	case int:
		field.SetInt(8765)
	case time.Time:
		at := time.Date(2031, 3, 4, 5, 6, 7, 0, time.UTC)
		field.Set(reflect.ValueOf(at))
		return at.Format(time.RFC3339)
	default:
		t.Fatalf("a field of the type %s: say here how it is shown", field.Type())
	}
	return fmt.Sprint(field.Interface())
}

// TestPagesShowTheWholeSelection: a new field of the filter without words
// fails here.
func TestPagesShowTheWholeSelection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.operator()
	for i := range reflect.TypeFor[deadletters.Filter]().NumField() {
		var filter deadletters.Filter
		shown := distinct(t, reflect.ValueOf(&filter).Elem().Field(i))
		name := reflect.TypeFor[deadletters.Filter]().Field(i).Name
		body, err := json.Marshal(filter)
		w.must(err)
		values := map[string]any{}
		w.must(json.Unmarshal(body, &values))
		form := url.Values{"plan": {"discard-all"}}
		for field, value := range values {
			form.Set(field, fmt.Sprint(value))
		}
		if len(form) != 2 {
			t.Errorf("%s has no name in the admin API: %s", name, body)
		}
		v.wantSelected(name, form, "/console/failed/plan", shown)
	}
}

func TestPagesShowWhomABulkRevocationConcerns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.operator()
	for name, c := range map[string]struct {
		form  url.Values
		shown []string
	}{
		"tenant":    {url.Values{"what": {"tenant"}, "tenant_id": {"acme-7"}}, []string{"acme-7"}},
		"app":       {url.Values{"what": {"app"}, "app_id": {"wallet-7"}}, []string{"wallet-7"}},
		"users":     {url.Values{"what": {"users"}, "users": {"ada\nbob\ncy"}}, []string{"Users of a list", "<strong>3</strong>"}},
		"everybody": {url.Values{"what": {"everybody"}, "authenticated_before": {"2020-01-02 03:04"}}, []string{"everybody", "2020-01-02T03:04:00.000Z"}},
		"before":    {url.Values{"what": {"tenant"}, "tenant_id": {"acme-8"}, "authenticated_before": {"2020-01-02 03:04"}}, []string{"acme-8", "2020-01-02T03:04:00.000Z"}},
	} {
		v.wantSelected(name, c.form, "/console/revoke", c.shown...)
	}
}

// wantSelected makes a dry run, and reads the selection on its page and on the
// page of its job.
func (v *visitor) wantSelected(name string, form url.Values, path string, shown ...string) {
	v.Helper()
	plan := v.post(http.StatusOK, path, form)
	id := v.startedWithNothing(plan)
	for page, text := range map[string]string{"plan": plan.text, "job": v.get(http.StatusOK, "/console/jobs/"+id).text} {
		chips := regexp.MustCompile(`(?s)<ul class="chips">.*?</ul>`).FindString(text)
		for _, want := range shown {
			if !strings.Contains(html.UnescapeString(chips), want) {
				v.Errorf("%s: the page of the %s does not say %q: %s", name, page, want, chips)
			}
		}
		if name != "everybody" && strings.Contains(chips, "everybody") || strings.Contains(chips, "all there were") {
			v.Errorf("%s: the page of the %s says that all was selected: %s", name, page, chips)
		}
	}
}

// startedWithNothing starts the newest plan, which has no items: it has no form.
func (v *visitor) startedWithNothing(plan page) string {
	v.Helper()
	token := v.newestPlan()
	job, err := v.config.Jobs.Start(v.Context(), jobs.Start{Token: token, Kind: kindOf(plan), By: "test", Reason: "test"})
	v.must(err)
	return job.ID
}

func kindOf(plan page) string {
	if plan.has("Dry run: bulk revocation") {
		return "revoke"
	}
	return "discard"
}

// newestPlan is the token of the plan that was made last.
func (v *visitor) newestPlan() (token string) {
	v.Helper()
	bucket, err := v.broker.JS.KeyValue(v.Context(), "logoutd_jobs")
	v.must(err)
	keys, err := bucket.Keys(v.Context())
	v.must(err)
	for _, key := range keys { // version 7: in the order of time
		token = max(token, key)
	}
	return token
}
