package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/store"
)

// login is what a login service registers of a user who logs in on a device.
// Its tokens begin with "raw-": nothing that logoutd says may contain that.
type login struct {
	user, session, refresh, device, push string
}

func newLogin(user, name string) login {
	return login{
		user: user, device: "device-of-" + name,
		session: "raw-session-" + name, refresh: "raw-refresh-" + name, push: "raw-push-" + name,
	}
}

// id returns the session's id.
func (l login) id() string { return store.TokenID(l.session) }

// later is when all logins of the tests expire.
var later = events.At(time.Now().Add(24 * time.Hour)).String()

type fields map[string]any

// with returns f with more fields.
func (f fields) with(more fields) fields {
	for name, value := range more {
		f[name] = value
	}
	return f
}

func (l login) sessionFields() fields {
	return fields{"session_token": l.session, "user_id": l.user, "device_id": l.device, "expires_at": later}
}

func (l login) refreshFields() fields {
	return fields{"refresh_token": l.refresh, "user_id": l.user, "session_id": l.id(), "expires_at": later}
}

func (l login) pushFields() fields {
	return fields{"user_id": l.user, "device_id": l.device, "provider": "http", "push_token": l.push}
}

func (i *instance) put(what string, f fields) answer {
	return call(http.MethodPut, i.admin+"/v1/"+what, i.token, f)
}

// register registers a login with everything that belongs to it.
func (i *instance) register(l login) error {
	for what, f := range map[string]fields{"sessions": l.sessionFields(), "push-registrations": l.pushFields()} {
		if a := i.put(what, f); !a.ok() {
			return fmt.Errorf("registering in %s: %d %s %w", what, a.status, a.body, a.err)
		}
	}
	if a := i.put("refresh-tokens", l.refreshFields()); !a.ok() {
		return fmt.Errorf("registering a refresh token: %d %s %w", a.status, a.body, a.err)
	}
	return nil
}

// mustRegister fails the test where a login cannot be registered.
func (i *instance) mustRegister(logins ...login) {
	i.t.Helper()
	for _, l := range logins {
		if err := i.register(l); err != nil {
			i.t.Fatal(err)
		}
	}
}

// dead reports whether neither session nor refresh token of a login is active.
func (i *instance) dead(l login) bool {
	i.t.Helper()
	return !i.active(l.session) && !i.active(l.refresh)
}

// dialect makes the logout of a session in one of the imitated APIs.
type dialectCall struct {
	name  string
	scope string
	make  func(public, token string) *http.Request
}

var dialectCalls = []dialectCall{
	{"sap_v1", "session", func(public, token string) *http.Request {
		return withCookie("X-SMP-SESSID", token, newRequest("POST", public+"/mobileservices/sessions/logout", ""))
	}},
	{"sap_v2", "user", func(public, token string) *http.Request {
		return withCookie("X-SMP-SESSID", token, newRequest("DELETE", public+"/mobileservices/sessions/v2", ""))
	}},
	{"elvis", "session", func(public, token string) *http.Request {
		return withCookie("authToken", token, newRequest("POST", public+"/services/logout", ""))
	}},
	{"kratos", "session", func(public, token string) *http.Request {
		request := newRequest("DELETE", public+"/self-service/logout/api", `{"session_token":"`+token+`"}`)
		request.Header.Set("Content-Type", "application/json")
		return request
	}},
}

func withCookie(name, token string, request *http.Request) *http.Request {
	request.AddCookie(&http.Cookie{Name: name, Value: token})
	return request
}

// dialectNamed returns one of dialectCalls.
func dialectNamed(name string) dialectCall {
	for _, d := range dialectCalls {
		if d.name == name {
			return d
		}
	}
	panic("no dialect " + name)
}

// logOut ends a session in a dialect.
func (i *instance) logOut(d dialectCall, session string) answer { return do(d.make(i.public, session)) }

// mustLogOut fails the test where a logout is not accepted. It tries again at
// 503, as clients do: a busy machine may miss the time for a fence.
func (i *instance) mustLogOut(dialect, session string) {
	i.t.Helper()
	var a answer
	eventually(i.t, dialect+" answers", func() bool {
		a = i.logOut(dialectNamed(dialect), session)
		return a.status != http.StatusServiceUnavailable
	})
	if !a.ok() {
		i.t.Fatalf("%s answers %d: %s %v", dialect, a.status, a.body, a.err)
	}
}
