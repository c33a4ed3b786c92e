package main

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestProviderAnswerIsShown has a push provider that refuses a token with a
// reason, quotes the token, and puts bidirectional control characters around it,
// or into it. The dead letter says the reason, in the CLI and in the console, and
// both escape such a character in the user's id too.
func TestProviderAnswerIsShown(t *testing.T) {
	t.Parallel()
	around, into := newLogin("ada\u202e", "around"), newLogin("bob", "into")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		quoted := "\u202e" + around.push + "\u202c"
		if strings.HasSuffix(r.URL.Path, into.push) {
			quoted = into.push[:7] + "\u202e" + into.push[7:]
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"reason":"BadDeviceToken","token":"%s"}`, quoted)
	}))
	t.Cleanup(server.Close)
	i := newSetup(t, fmt.Sprintf("targets:\n  - {name: http, kind: http, url: \"%s/{push_token}\"}\n", server.URL)).start(t)
	i.mustRegister(around, into)
	i.mustLogOut("sap_v1", around.session)
	i.mustLogOut("sap_v1", into.session)
	i.await("dead letters", func() bool { return len(i.letters()) == 2 })
	operator := i.visit(i.token)
	for user, kept := range map[string]string{
		around.user: `{"reason":"BadDeviceToken","token":"\u202e…\u202c"}`,
		into.user:   `{"reason":"BadDeviceToken","token":"…"}`,
	} {
		id := i.letters()[user].ID
		page := operator.get("/console/failed/" + id)
		for where, text := range map[string]string{
			"failed show": i.mustCLI("failed", "show", id), "the console": html.UnescapeString(page.body),
		} {
			if !strings.Contains(text, kept) {
				t.Errorf("%s of %s does not say %s: %s", where, user, kept, text)
			}
			if strings.ContainsAny(text, "\u202e\u202c") || strings.Contains(strings.ReplaceAll(text, `\u202e`, ""), "raw-push-") {
				t.Errorf("%s of %s has a control character, or the token: %q", where, user, text)
			}
		}
		if said := i.mustCLI("failed", "show", id, "--output", "json"); !strings.Contains(said, "BadDeviceToken") || strings.ContainsAny(said, "\u202e\u202c") {
			t.Errorf("failed show of %s as JSON: %s", user, said)
		}
	}
	id := i.letters()[around.user].ID
	if page := operator.get("/console/failed/" + id).body; !strings.Contains(page, "ada⟨U+202E⟩") {
		t.Errorf("the console does not escape a user id: %s", page)
	}
	if table := i.mustCLI("failed", "show", id); !strings.Contains(table, `ada\u202e`) {
		t.Errorf("failed show does not escape a user id: %s", table)
	}
	if log := i.stderr.String(); strings.Contains(log, around.push) || strings.Contains(log, into.push) {
		t.Error("the log has a token")
	}
}
