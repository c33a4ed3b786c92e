package console_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/handlers/console"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
)

// copied is another browser with a copy of the visitor's cookies, at another
// console if one is given.
func (v *visitor) copied(server ...string) *visitor {
	v.Helper()
	here, err := url.Parse(v.server.URL + "/console/")
	v.must(err)
	jar, _ := cookiejar.New(nil) // never fails
	cookies := v.client.Jar.Cookies(here)
	for i := range cookies {
		cookies[i].Path = "/console"
	}
	jar.SetCookies(here, cookies)
	for _, other := range server {
		there, err := url.Parse(other + "/console/")
		v.must(err)
		jar.SetCookies(there, cookies)
	}
	return &visitor{v.world, &http.Client{Jar: jar, Transport: v.server.Client().Transport}}
}

// audited returns the actions of the audit log, oldest first.
func (w *world) audited() (actions []string) {
	w.Helper()
	entries, _, err := w.config.Audit.List(w.Context(), audit.Filter{}, "", 0)
	w.must(err)
	for _, e := range entries {
		if e.Address != "127.0.0.1" {
			w.Errorf("%s by %s has the address %q", e.Action, e.By, e.Address)
		}
		actions = append([]string{e.Action}, actions...)
	}
	return actions
}

// another is the console of one more process on the same broker.
func (w *world) another() (config console.Config, address string) {
	w.Helper()
	config = w.config
	config.Sessions = access.NewSessions(access.SessionsConfig{JetStream: config.JetStream, Tokens: config.Access})
	w.run(config.Sessions.Run)
	server := httptest.NewServer(console.New(config))
	w.Cleanup(server.Close)
	return config, server.URL
}

// TestLogoutEndsTheSession: a stolen copy of the cookie opens nothing after the
// logout, in no process, and its live pages end.
func TestLogoutEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, elsewhere := w.another()
	v := w.operator()
	thief := v.copied(elsewhere)
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, elsewhere+"/console/jobs", nil)
	w.must(err)
	if p := thief.do(http.StatusOK, r); p.path != "/console/jobs" {
		t.Fatalf("a session does not open the other process: %s", p.path)
	}
	lines := thief.follow("/console/live")
	thief.until(lines, "event: parts")

	v.post(http.StatusOK, "/console/logout", nil)
	if p := thief.get(http.StatusOK, "/console/jobs"); p.path != "/console/login" || p.header.Get("Set-Cookie") != "" {
		t.Errorf("after the logout a copy of the cookie opens %s, Set-Cookie %q", p.path, p.header.Get("Set-Cookie"))
	}
	for lines.Scan() { // to its end
	}
	w.eventually("it ends in the other process", func() bool { return thief.do(http.StatusOK, r.Clone(w.Context())).path == "/console/login" })
	if got := strings.Join(w.audited(), " "); got != "login logout" {
		t.Errorf("audited: %s", got)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token("eve", access.Viewer)
	here, there, operator := w.as(token), w.as(token), w.operator()
	if p := here.get(http.StatusOK, "/console/sessions"); strings.Count(p.text, "/end\"") != 2 || !p.has("this one") || p.has(">admin<") {
		t.Errorf("a viewer's sessions: %s", p.text)
	}
	if p := operator.get(http.StatusOK, "/console/sessions"); strings.Count(p.text, "/end\"") != 3 || !p.has("127.0.0.1") {
		t.Errorf("an operator sees %s", p.text)
	}
	byToken := map[string][]string{}
	for _, s := range w.config.Sessions.List(access.Caller{Role: access.Operator}) {
		byToken[s.Token] = append(byToken[s.Token], s.ID)
	}
	here.post(http.StatusNotFound, "/console/sessions/"+byToken["admin"][0]+"/end", nil)
	operator.get(http.StatusOK, "/console/jobs")
	here.post(http.StatusOK, "/console/sessions/"+byToken["eve"][0]+"/end", nil)
	operator.post(http.StatusOK, "/console/sessions/"+byToken["eve"][1]+"/end", nil)
	for _, v := range []*visitor{here, there} {
		if p := v.get(http.StatusOK, "/console/jobs"); p.path != "/console/login" {
			t.Errorf("an ended session sees %s", p.path)
		}
	}
	if got := strings.Join(w.audited(), " "); got != "login login login session.end session.end" {
		t.Errorf("audited: %s", got)
	}
}

// restartable is a NATS that connections survive.
type restartable struct {
	t       *testing.T
	options server.Options
	server  *server.Server
}

func (b *restartable) start() {
	b.t.Helper()
	options := b.options // the server changes them
	var err error
	if b.server, err = server.NewServer(&options); err != nil {
		b.t.Fatal(err)
	}
	b.server.Start()
	if !b.server.ReadyForConnections(30 * time.Second) {
		b.t.Fatal("the broker does not start")
	}
	b.options.Port = options.Port
}

func (b *restartable) stop() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// onItsOwnBroker puts what operators log in with on a broker that can be
// restarted.
func (w *world) onItsOwnBroker() *restartable {
	w.Helper()
	b := &restartable{t: w.T, options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: w.TempDir(), NoSigs: true,
	}}
	b.start()
	w.Cleanup(b.stop)
	conn, err := broker.Connect(broker.ConnectConfig{
		URL: b.server.ClientURL(), Name: "admin", Options: []nats.Option{nats.ReconnectWait(10 * time.Millisecond)},
	})
	w.must(err)
	w.Cleanup(conn.Close)
	js, err := broker.JetStream(conn)
	w.must(err)
	w.must(broker.Setup(w.Context(), js))
	w.config.JetStream, w.config.Audit = js, audit.New(js)
	w.config.Access = access.New(access.Config{JetStream: js, Root: rootToken})
	w.config.Sessions = access.NewSessions(access.SessionsConfig{JetStream: js, Tokens: w.config.Access})
	w.run(w.config.Access.Run, w.config.Sessions.Run, w.config.Audit.Run)
	w.server.Close()
	w.server = httptest.NewServer(console.New(w.config))
	w.Cleanup(w.server.Close)
	return b
}

// TestSessionsDuringAnOutage: operators log in and out while the broker is
// down. Once it is back it knows, and the audit log has it all, at its time.
func TestSessionsDuringAnOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.onItsOwnBroker()
	before := w.operator()
	copied := before.copied()
	b.stop()
	w.eventually("the console notices", func() bool { return before.get(http.StatusOK, "/console/revoke").has("The broker cannot be reached") })
	before.post(http.StatusOK, "/console/logout", nil)
	during := w.operator()
	back := time.Now()
	if p := copied.get(http.StatusOK, "/console/revoke"); p.path != "/console/login" {
		t.Errorf("during the outage a copy of an ended session opens %s", p.path)
	}
	b.start()
	var entries []audit.Entry
	w.eventually("everything is audited", func() (ok bool) {
		entries, _, _ = w.config.Audit.List(w.Context(), audit.Filter{}, "", 0)
		return len(entries) == 3
	})
	if entries[0].Action != "login" || entries[1].Action != "logout" || entries[0].At.After(back) {
		t.Errorf("audited: %+v", entries)
	}
	config := w.config
	config.Sessions = access.NewSessions(access.SessionsConfig{JetStream: config.JetStream, Tokens: config.Access})
	w.run(config.Sessions.Run)
	w.eventually("another process knows the one session that is open", func() bool { return len(config.Sessions.List(access.Caller{Role: access.Operator})) == 1 })
	if p := during.get(http.StatusOK, "/console/jobs"); p.path != "/console/jobs" {
		t.Errorf("a session of the outage opens %s", p.path)
	}
}
