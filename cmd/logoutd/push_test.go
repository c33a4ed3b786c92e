package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
)

// TestPushProviderFails has a provider that answers 500 for one device and
// hangs for another: the others are told at once, these two become dead
// letters, and a replay completes each once.
func TestPushProviderFails(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	i := newSetup(t, "retry: {give_up_after: 3s, initial: 200ms}\n"+provider.settings(", timeout: 500ms")).start(t)
	broken, silent := newLogin("broken", "broken"), newLogin("silent", "silent")
	var others []login
	for n := range 40 {
		others = append(others, newLogin(fmt.Sprint("user-", n), fmt.Sprint("other-", n)))
	}
	i.mustRegister(append(others, broken, silent)...)
	provider.fail(broken.push, http.StatusInternalServerError)
	answerAgain := provider.hang(silent.push)

	start := time.Now()
	for _, l := range append([]login{broken, silent}, others...) {
		i.mustLogOut("sap_v1", l.session)
	}
	awaitTold(t, provider, others)
	took := time.Since(start)
	t.Logf("the others are told after %s", took.Round(time.Millisecond))
	if letters := i.letters(); took > 2*time.Second || len(letters) > 0 {
		t.Errorf("the others are told after %s, with %d dead letters", took, len(letters))
	}

	later := withTraffic(i, provider, "two dead letters", func() bool { return len(i.letters()) == 2 })
	others = append(others, later...)
	expectLetters(t, i, broken, silent)
	provider.fail(broken.push, 0)
	answerAgain()
	if said := i.mustCLI("failed", "replay", "--all", "--yes", "--reason", "mended"); !strings.Contains(said, "delivered  2\n") {
		t.Errorf("failed replay says %q", said)
	}
	awaitTold(t, provider, []login{broken, silent})
	i.awaitIdle(0)
	for _, l := range append([]login{broken, silent}, others...) {
		if n := provider.times(l.push); n != 1 {
			t.Errorf("the provider is told %d times of %s, want once", n, l.device)
		}
	}
	if letters := i.letters(); len(letters) != 0 {
		t.Errorf("after the replay there are %d dead letters", len(letters))
	}
	expectOneEventEach(t, i, len(others)+2, 2)
}

// withTraffic logs users out until ok: only what the target accepts meanwhile
// shows whose fault a failure is. It returns their logins.
func withTraffic(i *instance, provider *provider, what string, ok func() bool) (all []login) {
	i.t.Helper()
	i.await(what, func() bool {
		name := fmt.Sprint("traffic-", time.Now().UnixNano())
		l := newLogin(name, name)
		all = append(all, l)
		i.mustRegister(l)
		i.mustLogOut("sap_v1", l.session)
		awaitTold(i.t, provider, []login{l})
		return ok()
	})
	return all
}

// TestReplayThatFailsAgain: the exit code and the counts tell, and a replay
// that a target refuses again is no success.
func TestReplayThatFailsAgain(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	i := newSetup(t, provider.settings("")).start(t)
	refused, other := newLogin("refused", "refused"), newLogin("other", "other")
	i.mustRegister(refused, other)
	for _, l := range []login{refused, other} {
		provider.fail(l.push, http.StatusBadRequest)
		i.mustLogOut("sap_v1", l.session)
	}
	i.await("dead letters", func() bool { return len(i.letters()) == 2 })
	provider.fail(other.push, 0)
	replay := []string{"failed", "replay", "--all", "--yes", "--reason", "mended"}
	stdout, stderr, code := i.cli("", replay...)
	if code != exitPart || !strings.Contains(stderr, "1 failed again") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	for _, want := range []string{"state         done", "delivered     1", "failed_again  1", "replayed      2"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("failed replay does not say %q: %s", want, stdout)
		}
	}
	if list := i.mustCLI("jobs", "list"); !strings.Contains(list, "delivered 1 failed_again 1 replayed 2") {
		t.Errorf("jobs list says %s", list)
	}
	provider.fail(refused.push, 0)
	if said := i.mustCLI(replay...); !strings.Contains(said, "delivered  1") {
		t.Errorf("failed replay says %s", said)
	}
}

// letter is a dead letter as logoutd failed shows it.
type letter struct {
	ID, Step, Target, Code, Error string
	Attempts                      int
	FirstFailedAt                 events.Time `json:"first_failed_at"`
	FailedAt                      events.Time `json:"failed_at"`
	UserID                        string      `json:"user_id"`
}

// letters returns the dead letters by user, as logoutd failed list has them.
func (i *instance) letters() map[string]letter {
	i.t.Helper()
	letters := map[string]letter{}
	for line := range strings.Lines(i.mustCLI("failed", "list", "--output", "json")) {
		var l letter
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			i.t.Fatalf("failed list says %q: %v", line, err)
		}
		letters[l.UserID] = l
	}
	return letters
}

func awaitTold(t testing.TB, provider *provider, logins []login) {
	t.Helper()
	eventually(t, "provider told", func() bool {
		for _, l := range logins {
			if provider.times(l.push) == 0 {
				return false
			}
		}
		return true
	})
}

// expectLetters waits for both dead letters and looks at what they tell.
func expectLetters(t *testing.T, i *instance, broken, silent login) {
	t.Helper()
	eventually(t, "two dead letters", func() bool { return len(i.letters()) == 2 })
	letters := i.letters()
	for user, want := range map[string]struct{ code, err string }{
		broken.user: {"http_500", "the target answers 500 Internal Server Error"},
		silent.user: {"timeout", "no answer in time"},
	} {
		l := letters[user]
		if l.Step != "http" || l.Target != "http" || l.Code != want.code || l.Error != want.err {
			t.Errorf("dead letter of %s: %+v", user, l)
		}
		if waited := l.FailedAt.Sub(l.FirstFailedAt.Time); l.Attempts < 2 || waited < time.Second {
			t.Errorf("%s was given up after %d attempts in %s", user, l.Attempts, waited)
		}
		if shown := i.mustCLI("failed", "show", l.ID, "--output", "json"); !strings.Contains(shown, `"code": "`+want.code+`"`) {
			t.Errorf("failed show says %s", shown)
		}
	}
	if table := i.mustCLI("failed", "list"); !strings.Contains(table, "http_500") || !strings.Contains(table, "no answer in time") {
		t.Errorf("failed list says\n%s", table)
	}
	if n := i.metric("logoutd_dead_letters_total", `step="http"`); n != 2 {
		t.Errorf("%v dead letters are counted", n)
	}
}

// expectOneEventEach reads all public events: one for each logout and one for
// each dead letter.
func expectOneEventEach(t *testing.T, i *instance, revoked, failed int) {
	t.Helper()
	tail := i.command("", "events", "--since", "1h")
	eventually(t, "public events", func() bool { return strings.Count(tail.stdout.String(), "\n") >= revoked+failed })
	tail.kill()
	lines := tail.stdout.String()
	if n := strings.Count(lines, `"type":"logoutd.session.revoked.v1"`); n != revoked {
		t.Errorf("%d events of revoked sessions, want %d", n, revoked)
	}
	if n := strings.Count(lines, `"type":"`+events.TypeFailed+`"`); n != failed {
		t.Errorf("%d events of dead letters, want %d", n, failed)
	}
}
