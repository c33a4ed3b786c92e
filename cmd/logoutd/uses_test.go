package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// useDialects logs out well and badly. It returns a CSRF token.
func useDialects(i *instance) (csrf string) {
	i.t.Helper()
	for _, d := range dialectCalls {
		l := newLogin(d.name, "dialects-"+d.name)
		i.mustRegister(l)
		i.mustLogOut(d.name, l.session)
		i.mustLogOut(d.name, l.session)
		i.logOut(d, "raw-session-unknown")
		i.logOut(d, "raw-session-"+strings.Repeat("x", 5000))
	}
	browser := newLogin("browser", "browser")
	csrf = i.put("sessions", browser.sessionFields().with(fields{"kind": "browser"})).field("csrf_token")
	elvis := dialectNamed("elvis")
	i.logOut(elvis, browser.session)
	withToken := elvis.make(i.public, browser.session)
	withToken.Header.Set("X-CSRF-TOKEN", csrf)
	if a := do(withToken); a.status != http.StatusOK || len(csrf) != 43 {
		i.t.Errorf("a browser's logout with its CSRF token: %d", a.status)
	}
	for _, path := range []string{
		"/services/logout;jsessionid=raw-session-path", "/logout?logoutSuccessUrl=https://example.com/?raw-session-query",
		"/raw-session-nowhere", "/mobileservices/sessions/logout?token=raw-session-query", "/self-service/logout/api",
	} {
		for _, method := range []string{"GET", "POST", "DELETE", "PUT"} {
			request := newRequest(method, i.public+path, `{"session_token": "raw-session-a", "session_token": "raw-session-b"`)
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("Traceparent", "raw-session-trace")
			request.Header.Set("X-Request-ID", "raw-session-request")
			request.Header.Set("Authorization", "Bearer raw-session-bearer")
			do(request)
		}
	}
	return csrf
}

// useAdmin registers, looks up and revokes badly.
func useAdmin(i *instance) {
	bad := newLogin("bad", "bad")
	for what, f := range map[string]fields{"sessions": bad.sessionFields(), "refresh-tokens": bad.refreshFields(), "push-registrations": bad.pushFields()} {
		i.put(what, f.with(fields{"session_id": "raw-session-as-id"}))
		i.put(what, f.with(fields{"raw-session-as-field": 1}))
		i.put(what, f.with(fields{"expires_at": "raw-session-as-time", "provider": "raw-push/x"}))
	}
	call("PUT", i.admin+"/v1/sessions", "raw-wrong-admin-token", bad.sessionFields())
	call("POST", i.admin+"/v1/revocations", i.token, fields{"session_token": "raw-session-unknown"})
	call("POST", i.admin+"/v1/revocations", i.token, "raw-session-as-body")
	i.introspect(bad.refresh)
	get(i.admin+"/v1/failed/raw-session-as-id", i.token)
	get(i.admin+"/raw-session-nowhere?raw-session-query", i.token)
}

// failPushes makes dead letters of each kind.
func failPushes(i *instance, provider *provider) {
	i.t.Helper()
	for name, fail := range map[string]func(token string){
		"refused": func(token string) { provider.fail(token, http.StatusBadRequest) },
		"broken":  func(token string) { provider.fail(token, http.StatusInternalServerError) },
		"moved":   func(token string) { provider.fail(token, http.StatusFound) },
		"silent":  func(token string) { provider.hang(token) },
	} {
		l := newLogin("push-"+name, "push-"+name)
		fail(l.push)
		i.mustRegister(l)
		i.mustLogOut("sap_v2", l.session)
	}
	withTraffic(i, provider, "dead letters", func() bool { return len(i.letters()) == 4 })
}

// useCommands calls every command, well and badly.
func useCommands(i *instance, provider *provider, w *writings) {
	l := newLogin("commands", "commands")
	lines := filepath.Join(i.setup.dir, "lines.ndjson")
	_ = os.WriteFile(lines, []byte(`{"type":"session","session_token":"raw-session-line","user_id":"u"}`+"\nraw-session-line\n"), 0o600)
	for n, c := range []struct {
		stdin string
		args  []string
	}{
		{l.session + "\n", []string{"register", "session", "--session-token", "-", "--user-id", l.user, "--expires-at", later}},
		{l.refresh + "\n", []string{"register", "refresh-token", "--refresh-token", "-", "--user-id", l.user, "--expires-at", "never"}},
		{l.push + "\n", []string{"register", "push-registration", "--push-token", "-", "--user-id", l.user, "--device-id", "d", "--provider", "no.name"}},
		{"", []string{"import", lines}},
		{l.session + "\n", []string{"revoke", "--session-token", "-", "--reason", "lost"}},
		{"raw-session-unknown\n", []string{"revoke", "--session-token", "-"}},
		{"", []string{"revoke", "--session-token", "raw-session-flag"}},
		{"", []string{"failed", "list", "--admin-token", "raw-wrong-admin-token"}}, // there is no such flag
		{"", []string{"failed", "groups"}},
		{"", []string{"failed", "replay", "--all", "--yes", "--detach", "--reason", "again"}},
		{"", []string{"failed", "discard", "raw-session-as-id", "--yes", "--reason", "wrong"}},
		{"", []string{"revoke", "--app-id", "mail", "--yes", "--reason", "stolen"}},
		{"", []string{"status", "--user-id", l.user}},
		{"", []string{"status", "raw-session-as-id"}},
		{"", []string{"jobs", "list"}},
		{"", []string{"jobs", "cancel", "raw-session-as-id", "--yes"}},
		{"", []string{"tokens", "create", "raw-session/as-name", "--role", "viewer"}},
		{"", []string{"tokens", "list"}},
		{"", []string{"audit"}},
		{"", []string{"health"}},
	} {
		stdout, stderr, _ := i.cli(c.stdin, c.args...)
		w.said[fmt.Sprint("command ", n)] = stdout + stderr
	}
	withTraffic(i, provider, "dead letters after the replay", func() bool { return len(i.letters()) == 4 })
}

// useBroker subscribes with the right password, with a wrong one, and with the
// right one where it does not belong. It returns the right one.
func useBroker(t *testing.T, i *instance) (password string) {
	t.Helper()
	shop := i.subscribe("shop")
	subscriberConn(t, i.natsURL(shop)).Close()
	url := i.natsURL(newSubscriber{})
	for _, wrong := range []nats.Option{
		nats.Token("raw-wrong-token"), nats.UserInfo("shop", "raw-wrong-password"), nats.UserInfo(shop.Password, ""), nats.Token(shop.Password),
	} {
		if conn, err := nats.Connect(strings.Replace(url, ":@", "", 1), wrong); err == nil {
			conn.Close()
			t.Error("the broker lets a wrong password in")
		}
	}
	return shop.Password
}

// followEvents returns what logoutd events prints of all logouts so far.
func (i *instance) followEvents() string {
	i.t.Helper()
	tail := i.command("", "events", "--since", "1h")
	eventually(i.t, "events", func() bool { return tail.stdout.contains(`"reason":"lost"`) })
	tail.kill()
	return tail.stdout.String()
}
