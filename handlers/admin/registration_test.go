package admin_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
)

func session(token, user, more string) string {
	return fmt.Sprintf(`{"session_token":%q,"user_id":%q,"expires_at":%q%s}`, token, user, later(), more)
}

func TestPutSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := store.TokenID(raw + "s")
	more := `,"device_id":"d","app_id":"a","tenant_id":"t","kind":"browser","authenticated_at":"` + earlier(time.Minute) + `"`
	a := w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"s", "u", more))
	if a.text("session_id") != id || a.text("csrf_token") != "csrf-of-"+id || len(a.body) != 2 {
		t.Errorf("answer is %v", a.body)
	}
	w.must(http.StatusOK, "PUT", "/v1/sessions", session(raw+"s", "u", more))
	states, err := w.store.Sessions(t.Context(), []string{id})
	if err != nil {
		t.Fatal(err)
	}
	s := states[0]
	if !s.Active || s.User != (store.User{TenantID: "t", ID: "u"}) || s.DeviceID != "d" || s.AppID != "a" || s.Kind != store.KindBrowser {
		t.Errorf("stored %+v", s)
	}
}

func TestPutSessionByID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := fmt.Sprintf(`{"session_id":%q,"user_id":"u","expires_at":%q}`, store.TokenID(raw+"s"), later())
	w.must(http.StatusCreated, "PUT", "/v1/sessions", body)
	w.must(http.StatusOK, "PUT", "/v1/sessions", session(raw+"s", "u", ""))
}

func TestPutBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"s", "u", `,"device_id":"d"`)).text("session_id")
	token := func(name, more string) string {
		return fmt.Sprintf(`{"refresh_token":%q,"user_id":"u","expires_at":%q%s}`, raw+name, later(), more)
	}
	bound := fmt.Sprintf(`,"session_id":%q`, id)
	a := w.must(http.StatusCreated, "PUT", "/v1/refresh-tokens", token("r1", bound))
	if a.text("refresh_token_id") != store.TokenID(raw+"r1") {
		t.Errorf("answer is %v", a.body)
	}
	w.must(http.StatusOK, "PUT", "/v1/refresh-tokens", token("r1", bound))
	// rotated_from is the token, or the id that its registration answered.
	w.must(http.StatusCreated, "PUT", "/v1/refresh-tokens", token("r2", fmt.Sprintf(`,"rotated_from":%q`, raw+"r1")))
	w.must(http.StatusCreated, "PUT", "/v1/refresh-tokens", token("r3", fmt.Sprintf(`,"rotated_from":%q`, store.TokenID(raw+"r2"))))

	push := fmt.Sprintf(`{"user_id":"u","device_id":"d","provider":"http","push_token":%q,"session_id":%q}`, raw+"p", id)
	p := w.must(http.StatusCreated, "PUT", "/v1/push-registrations", push)
	want := store.PushRegistrationID(store.PushRegistration{User: store.User{ID: "u"}, DeviceID: "d", Provider: "http"})
	if p.text("push_registration_id") != want {
		t.Errorf("answer is %v, want %s", p.body, want)
	}
	w.must(http.StatusOK, "PUT", "/v1/push-registrations", push)

	// The session ends, and everything that is bound to it is refused.
	w.must(http.StatusAccepted, "POST", "/v1/revocations", fmt.Sprintf(`{"session_id":%q}`, id))
	for path, body := range map[string]string{
		"/v1/sessions": session(raw+"s", "u", ""), "/v1/push-registrations": push,
		"/v1/refresh-tokens": token("r4", bound),
	} {
		a := w.call("PUT", path, body)
		w.refused(a, http.StatusConflict, "", "log in again")
		if cutoff, err := time.Parse("2006-01-02T15:04:05.000Z", a.text("cutoff")); err != nil || time.Since(cutoff) > time.Minute {
			t.Errorf("%s: cutoff is %q", path, a.text("cutoff"))
		}
	}
}

func TestPutAfterCutoff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"user_id":"u"}`)
	old := `,"authenticated_at":"` + earlier(time.Minute) + `"`
	w.refused(w.call("PUT", "/v1/sessions", session(raw+"old", "u", old)), http.StatusConflict, "", "cutoff")
	w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"old", "another", old))
	w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"new", "u", ""))
}

// A session that was logged out before it was registered, while the store could
// not be asked, cannot be registered any more.
func TestPutAfterTombstone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := store.TokenID(raw + "s")
	cutoff := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	fenced, err := w.store.Fence(t.Context(), []store.Fence{{RequestID: "session-" + id, SessionID: id, At: cutoff, EndUnknown: true}})
	if err != nil || fenced[0].Err != nil || fenced[0].Outcome != store.FenceUnknown {
		t.Fatalf("fenced %+v, error %v", fenced, err)
	}
	bound := fmt.Sprintf(`,"session_id":%q`, id)
	for path, body := range map[string]string{
		"/v1/sessions":           session(raw+"s", "u", ""),
		"/v1/refresh-tokens":     fmt.Sprintf(`{"refresh_token":%q,"user_id":"u","expires_at":%q%s}`, raw+"r", later(), bound),
		"/v1/push-registrations": fmt.Sprintf(`{"user_id":"u","device_id":"d","provider":"http","push_token":%q%s}`, raw+"p", bound),
	} {
		a := w.call("PUT", path, body)
		w.refused(a, http.StatusConflict, "", "log in again")
		if got, want := a.text("cutoff"), cutoff.UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Errorf("%s: cutoff %q, want %q", path, got, want)
		}
	}
	w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"another", "u", ""))
}

// putRefusals has words in capitals for what the test puts there.
var putRefusals = []struct{ path, body, field, detail string }{
	{"sessions", ``, "", "the body is empty"},
	{"sessions", ` `, "", "the body is empty"},
	{"sessions", `{"user_id":`, "", "invalid JSON at byte"},
	{"sessions", `{TOK,"user_id":"u",EXP} {}`, "", "invalid JSON at byte"},
	{"sessions", `[]`, "", "JSON object"},
	{"sessions", `null`, "", "JSON object"},
	{"sessions", "{\"user_id\":\"\xff\"}", "", "UTF-8"},
	{"sessions", `{TOK,"user_id":"u",EXP,"user":"u"}`, "user", "unknown"},
	{"sessions", `{TOK,"User_id":"u",EXP}`, "User_id", "unknown"},
	{"sessions", `{TOK,"user_id":"u","user_id":"v",EXP}`, "user_id", "twice"},
	{"sessions", `{TOK,"user_id":7,EXP}`, "user_id", "must be a string"},
	{"sessions", `{TOK,"user_id":null,EXP}`, "user_id", "must be a string"},
	{"sessions", `{TOK,"user_id":{},EXP}`, "user_id", "must be a string"},
	{"sessions", `{TOK,"user_id":"",EXP}`, "user_id", "empty"},
	{"sessions", `{TOK,"user_id":"\ud800",EXP}`, "user_id", "Unicode"},
	{"sessions", `{TOK,EXP}`, "user_id", "required"},
	{"sessions", `{"user_id":"u",EXP}`, "session_token", "required"},
	{"sessions", `{TOK,"user_id":"u"}`, "expires_at", "required"},
	{"sessions", `{TOK,"user_id":"LONG",EXP}`, "user_id", "256 bytes"},
	{"sessions", `{TOK,"user_id":"u","tenant_id":"LONG",EXP}`, "tenant_id", "256 bytes"},
	{"sessions", `{TOK,"user_id":"u","device_id":"LONG",EXP}`, "device_id", "256 bytes"},
	{"sessions", `{TOK,"user_id":"u","app_id":"LONG",EXP}`, "app_id", "256 bytes"},
	{"sessions", `{TOK,"user_id":"u","device_id":"",EXP}`, "device_id", "empty"},
	{"sessions", `{"session_token":"HUGE","user_id":"u",EXP}`, "session_token", "4096 bytes"},
	{"sessions", `{"session_token":"","user_id":"u",EXP}`, "session_token", "empty"},
	{"sessions", `{TOK,"session_id":"MINE","user_id":"u",EXP}`, "session_id", "not both"},
	{"sessions", `{"session_id":"raw-x","user_id":"u",EXP}`, "session_id", "43 characters"},
	{"sessions", `{TOK,"user_id":"u",EXP,"kind":"web"}`, "kind", "api or browser"},
	{"sessions", `{TOK,"user_id":"u","expires_at":"PAST"}`, "expires_at", "future"},
	{"sessions", `{TOK,"user_id":"u","expires_at":"tomorrow"}`, "expires_at", "RFC 3339"},
	{"sessions", `{TOK,"user_id":"u","expires_at":1767225600}`, "expires_at", "RFC 3339"},
	{"sessions", `{TOK,"user_id":"u",EXP,"authenticated_at":"0001-01-01T00:00:00Z"}`, "authenticated_at", "1970"},
	{"sessions", `{"session_id":"MINE","user_id":"other",EXP}`, "user_id", "another user"},

	{"refresh-tokens", `{"user_id":"u",EXP}`, "refresh_token", "required"},
	{"refresh-tokens", `{REF,EXP}`, "user_id", "required"},
	{"refresh-tokens", `{REF,"user_id":"u"}`, "expires_at", "required"},
	{"refresh-tokens", `{"refresh_token":"HUGE","user_id":"u",EXP}`, "refresh_token", "4096 bytes"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"device_id":"d"}`, "device_id", "unknown"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"session_id":"raw-x"}`, "session_id", "43 characters"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"session_id":"UNKNOWN"}`, "session_id", "register it first"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"rotated_from":"raw-unknown"}`, "rotated_from", "register it first"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"rotated_from":"UNKNOWN"}`, "rotated_from", "register it first"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"rotated_from":"HUGE"}`, "rotated_from", "4096 bytes"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"rotated_from":"raw-mine","session_id":"MINE"}`, "rotated_from", "not both"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"session_id":"MINE"}`, "user_id", "another user"},
	{"refresh-tokens", `{REF,"user_id":"u",EXP,"rotated_from":"raw-mine"}`, "user_id", "another user"},

	{"push-registrations", `{PUSH}`, "user_id", "required"},
	{"push-registrations", `{"user_id":"u","provider":"http","push_token":"raw-x"}`, "device_id", "required"},
	{"push-registrations", `{"user_id":"u","device_id":"d","push_token":"raw-x"}`, "provider", "required"},
	{"push-registrations", `{"user_id":"u","device_id":"d","provider":"http"}`, "push_token", "required"},
	{"push-registrations", `{"user_id":"u","device_id":"d","provider":"a.b","push_token":"raw-x"}`, "provider", "letters"},
	{"push-registrations", `{"user_id":"u","device_id":"d","provider":"http","push_token":"HUGE"}`, "push_token", "4096 bytes"},
	{"push-registrations", `{PUSH,"user_id":"u","expires_at":"SOON"}`, "expires_at", "unknown"},
	{"push-registrations", `{PUSH,"user_id":"u","session_id":"UNKNOWN"}`, "session_id", "register it first"},
	{"push-registrations", `{PUSH,"user_id":"u","session_id":"MINE"}`, "user_id", "another user"},
}

func TestPutRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"mine", "me", ""))
	w.must(http.StatusCreated, "PUT", "/v1/refresh-tokens",
		fmt.Sprintf(`{"refresh_token":%q,"user_id":"me","expires_at":%q}`, raw+"mine", later()))
	mine, unknown := store.TokenID(raw+"mine"), store.TokenID(raw+"unknown")
	long := strings.Repeat("x", 257)
	replacer := strings.NewReplacer("EXP", `"expires_at":"`+later()+`"`, "TOK", `"session_token":"raw-x"`, "REF", `"refresh_token":"raw-x"`,
		"PUSH", `"device_id":"d","provider":"http","push_token":"raw-x"`, "MINE", mine, "UNKNOWN", unknown, "LONG", long,
		"HUGE", raw+strings.Repeat("x", 4<<10), "SOON", time.Now().Add(time.Minute).Format(time.RFC3339), "PAST", earlier(time.Minute))
	for _, c := range putRefusals {
		a := w.call("PUT", "/v1/"+c.path, replacer.Replace(c.body))
		w.refused(a, http.StatusBadRequest, c.field, c.detail)
		if t.Failed() {
			t.Fatalf("that was %s %s", c.path, c.body)
		}
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"user_id":"` + strings.Repeat("x", 64<<10) + `"}`
	many := []string{replays, discards, bulks} // theirs is another
	limited := 0
	for _, o := range theContract(t).operations() {
		if at(o.fields, "responses", "413") != nil && !slices.Contains(many, o.path) {
			w.refused(w.call(o.method, o.path, body), http.StatusRequestEntityTooLarge, "", "larger than 64 KiB")
			limited++
		}
	}
	if limited != 10 {
		t.Errorf("%d calls have the limit", limited)
	}
}

func TestPutWithoutStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store.away.Store(true)
	for _, call := range []struct{ path, body string }{
		{"/v1/sessions", session(raw+"s", "u", "")},
		{"/v1/refresh-tokens", fmt.Sprintf(`{"refresh_token":%q,"user_id":"u","expires_at":%q}`, raw+"r", later())},
		{"/v1/push-registrations", `{"user_id":"u","device_id":"d","provider":"http","push_token":"raw-p"}`},
	} {
		a := w.call("PUT", call.path, call.body)
		w.refused(a, http.StatusServiceUnavailable, "", "store is unavailable")
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", call.path)
		}
	}
	if n := strings.Count(w.log.String(), "internal-host"); n != 3 {
		t.Errorf("the cause was logged %d times, want once a call", n)
	}
	if strings.Contains(w.answers.String(), "internal-host") {
		t.Error("an answer tells the cause")
	}
}

// What is ahead of the store's clock is from now: a logout of the user that
// begins then ends it, whichever way it was registered.
func TestRegisteredAheadOfTheClock(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"by 3 s": 3 * time.Second, "by an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			at := time.Now().Add(ahead).UTC().Format(time.RFC3339Nano)
			w.must(http.StatusCreated, "PUT", "/v1/sessions", session(raw+"put", "u", `,"authenticated_at":"`+at+`"`))
			w.must(http.StatusCreated, "PUT", "/v1/refresh-tokens",
				fmt.Sprintf(`{"refresh_token":%q,"user_id":"u","expires_at":%q,"authenticated_at":%q}`, raw+"r", later(), at))
			w.must(http.StatusCreated, "PUT", "/v1/push-registrations",
				fmt.Sprintf(`{"user_id":"u","device_id":"d","provider":"http","push_token":%q,"registered_at":%q}`, raw+"p", at))
			w.must(http.StatusOK, "POST", "/v1/import",
				line("session", fmt.Sprintf(`"session_token":%q,"expires_at":%q,"authenticated_at":%q`, raw+"imported", later(), at)))
			w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"user_id":"u"}`)
			states, err := w.store.Sessions(t.Context(), []string{store.TokenID(raw + "put"), store.TokenID(raw + "imported")})
			if err != nil || !states[0].Known || !states[1].Known || states[0].Active || states[1].Active {
				t.Errorf("sessions %+v, %v; want them known and dead", states, err)
			}
			tokens, err := w.store.RefreshTokens(t.Context(), []string{store.TokenID(raw + "r")})
			if err != nil || !tokens[0].Known || tokens[0].Active {
				t.Errorf("refresh token %+v, %v; want it known and dead", tokens, err)
			}
		})
	}
}
