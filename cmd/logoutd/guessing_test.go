package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestGuessing: wrong tokens are slowed down, and counted in the metrics and in
// the audit log with their address. A right token from there still works, in the
// API and in the console.
func TestGuessing(t *testing.T) {
	t.Parallel()
	i := newSetup(t, "").start(t)
	guesses := 0
	for where, guess := range map[string]func(token string) answer{
		"the API":     func(token string) answer { return get(i.admin+"/v1/jobs", token) },
		"the console": func(token string) answer { return visitor{i: i}.post("/console/login", url.Values{"token": {token}}) },
	} {
		var a answer
		i.await("429 of "+where, func() bool {
			guesses++
			a = guess(fmt.Sprint("raw-guess-", guesses))
			return a.status == http.StatusTooManyRequests
		})
		if a.header.Get("Retry-After") == "" || !strings.Contains(strings.ToLower(a.body), "too many invalid tokens") {
			t.Errorf("429 of %s says %s %s", where, a.header, a.body)
		}
	}
	if a := get(i.admin+"/v1/jobs", i.token); a.status != http.StatusOK {
		t.Errorf("a right token: %d %s", a.status, a.body)
	}
	i.visit(i.token)
	for reason, want := range map[string]float64{"unknown": float64(guesses - 2), "throttled": 2, "revoked": 0} {
		if n := i.metric("logoutd_access_refused_total", fmt.Sprintf("reason=%q", reason)); n != want {
			t.Errorf("%v refusals with the reason %s, want %v", n, reason, want)
		}
	}
	i.await("the entry of the audit log", func() bool {
		return strings.Contains(i.mustCLI("audit", "--action", "access.refused"), "127.0.0.1")
	})
	line, _, _ := strings.Cut(i.mustCLI("audit", "--action", "access.refused", "--output", "json"), "\n")
	var entry struct {
		Address string
		Counts  map[string]int
	}
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Address != "127.0.0.1" || entry.Counts["unknown"] == 0 {
		t.Errorf("the audit log has %s, %v", line, err)
	}
	if log := i.stderr.String(); !strings.Contains(log, "admin tokens were refused") || strings.Contains(log, "raw-guess") {
		t.Errorf("the log says %s", i.stderr.tail(5))
	}
}
