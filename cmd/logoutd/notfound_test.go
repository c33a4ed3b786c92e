package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUsersNotFoundAreNamedByTheJob: who was named in a list and is not known
// can be read from the job later, in the API, the CLI and the console: the first
// 100, and how many there are.
func TestUsersNotFoundAreNamedByTheJob(t *testing.T) {
	t.Parallel()
	i := newSetup(t, "").start(t)
	ada := newLogin("ada", "ada")
	i.mustRegister(ada)
	list := "ada\nacme\tbob\u202e\n"
	for n := range 119 {
		list += fmt.Sprintf("nobody-%d\n", n)
	}
	if err := os.WriteFile(filepath.Join(i.setup.dir, "users"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	_, said, code := i.cli("", "revoke", "--users", "users", "--reason", "stolen", "--yes")
	if code != exitPart || strings.Count(said, "not found: ") != 120 {
		t.Fatalf("exit code %d, %s", code, said)
	}
	type job struct {
		ID       string
		NotFound []struct {
			UserID   string `json:"user_id"`
			TenantID string `json:"tenant_id"`
		} `json:"not_found"`
		Count int `json:"not_found_count"`
	}
	var jobs struct{ Jobs []job }
	if err := json.Unmarshal([]byte(get(i.admin+"/v1/jobs", i.token).body), &jobs); err != nil || len(jobs.Jobs) != 1 ||
		jobs.Jobs[0].Count != 120 || jobs.Jobs[0].NotFound != nil {
		t.Fatalf("the list of jobs has %+v, %v", jobs, err)
	}
	id := jobs.Jobs[0].ID
	var shown job
	if err := json.Unmarshal([]byte(get(i.admin+"/v1/jobs/"+id, i.token).body), &shown); err != nil || shown.Count != 120 ||
		len(shown.NotFound) != 100 || shown.NotFound[0].UserID != "bob\u202e" || shown.NotFound[0].TenantID != "acme" {
		t.Errorf("the job has %+v, %v", shown, err)
	}
	table := i.mustCLI("jobs", "show", id)
	for _, want := range []string{"users not found", "120\n", `not found: acme / bob\u202e` + "\n", "not found: nobody-98\n", "not found: 20 more\n"} {
		if !strings.Contains(table, want) {
			t.Errorf("jobs show does not say %q: %s", want, table)
		}
	}
	a := i.visit(i.token).get("/console/jobs/" + id)
	for _, want := range []string{"120 users were not found", "bob⟨U+202E⟩", "<li>nobody-98</li>", "<li>and 20 more</li>"} {
		if a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("the page of the job does not say %q: %s", want, a.body)
		}
	}
}
