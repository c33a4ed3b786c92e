package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestConsoleSessions: an operator lists and ends all sessions of the console
// from outside of it, a viewer those of its own token; each end is audited.
func TestConsoleSessions(t *testing.T) {
	t.Parallel()
	i := newSetup(t, "").start(t)
	eve := strings.TrimSpace(i.mustCLI("tokens", "create", "eve", "--role", "viewer"))
	registry := strings.TrimSpace(i.mustCLI("tokens", "create", "shop", "--role", "registry"))
	byEve, alsoByEve, byAdmin := i.visit(eve), i.visit(eve), i.visit(i.token)
	ids := map[string][]string{}
	for line := range strings.Lines(i.mustCLI("console-sessions", "list", "--output", "json")) {
		var s struct {
			ID, Address string
			TokenName   string `json:"token_name"`
		}
		if err := json.Unmarshal([]byte(line), &s); err != nil || s.Address != "127.0.0.1" {
			t.Fatalf("%s: %v", line, err)
		}
		ids[s.TokenName] = append(ids[s.TokenName], s.ID)
	}
	if len(ids["eve"]) != 2 || len(ids["admin"]) != 1 {
		t.Fatalf("an operator sees %v", ids)
	}
	if table := i.mustCLI("console-sessions", "list"); !strings.Contains(table, "eve") || strings.Contains(table, byEve.cookie) {
		t.Errorf("the list is %s", table)
	}

	const path = "/v1/console-sessions"
	if a := get(i.admin+path, eve); a.status != http.StatusOK || strings.Count(a.body, `"id"`) != 2 || strings.Contains(a.body, "admin") {
		t.Errorf("a viewer sees %d %s", a.status, a.body)
	}
	if a := get(i.admin+path, registry); a.status != http.StatusForbidden {
		t.Errorf("a registry token: %d", a.status)
	}
	if a := call("DELETE", i.admin+path+"/"+ids["admin"][0], eve, nil); a.status != http.StatusNotFound {
		t.Errorf("a viewer ends an operator's session: %d %s", a.status, a.body)
	}
	if a := byAdmin.get("/console/jobs"); a.status != http.StatusOK {
		t.Errorf("the operator's session after that: %d", a.status)
	}
	if a := call("DELETE", i.admin+path+"/"+ids["eve"][0], eve, nil); a.status != http.StatusNoContent {
		t.Errorf("a viewer ends its own session: %d %s", a.status, a.body)
	}
	i.mustCLI("console-sessions", "end", "--", ids["eve"][1])
	for _, v := range []visitor{byEve, alsoByEve} {
		if a := v.get("/console/jobs"); a.status != http.StatusSeeOther {
			t.Errorf("an ended session gets %d", a.status)
		}
	}
	if _, _, code := i.cli("", "console-sessions", "end", "--", ids["eve"][1]); code != exitNothing {
		t.Errorf("an ended session is ended again: exit code %d", code)
	}
	audited := i.mustCLI("audit", "--action", "session.end", "--output", "json")
	for _, want := range []string{`"by":"eve"`, `"by":"admin"`, `"session_id":"` + ids["eve"][0], `"session_id":"` + ids["eve"][1]} {
		if strings.Count(audited, want) != 1 {
			t.Errorf("%s is not once in the audit log: %s", want, audited)
		}
	}
}
