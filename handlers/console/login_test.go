package console_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/version"
)

func TestStrangersSeeTheLoginOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/console/", "/console/failed?step=http", "/console/jobs/1", "/console/nowhere"} {
		p := w.visitor().get(http.StatusOK, path)
		if p.path != "/console/login" || !p.has(`name="token"`) || !p.has(`name="next" value="`+path) {
			t.Errorf("%s leads a stranger to %s: %s", path, p.path, p.text)
		}
	}
	p := w.visitor().post(http.StatusUnauthorized, "/console/jobs/1/cancel", nil)
	if !p.has("Nothing was changed") {
		t.Errorf("a change by a stranger: %s", p.text)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	registry := w.token("registry", access.Registry)
	for name, refused := range map[string]struct{ token, says string }{
		"nothing":  {"", "Invalid token"},
		"wrong":    {raw + "guess", "Invalid token"},
		"registry": {registry, "role registry cannot log in"},
	} {
		v := w.visitor()
		if p := v.post(http.StatusForbidden, "/console/login", url.Values{"token": {refused.token}}); !p.has(refused.says) || p.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %s", name, p.text)
		}
	}
	v := w.operator()
	if p := v.get(http.StatusOK, "/console/"); !p.has("admin") || !p.has("operator") {
		t.Errorf("the page does not say who is logged in: %s", p.text)
	}
	if p := v.get(http.StatusOK, "/console/"); !p.has("logoutd " + html.EscapeString(version.String())) {
		t.Errorf("the page does not say which version this is: %s", p.text)
	}
	v.post(http.StatusOK, "/console/logout", nil)
	if p := v.get(http.StatusOK, "/console/"); p.path != "/console/login" {
		t.Errorf("after the logout: %s", p.path)
	}
}

func TestLoginLeadsBackToThePageAndNowhereElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for next, want := range map[string]string{
		"/console/failed?step=http":      "/console/failed",
		"https://evil.example/console/":  "/console/",
		"//evil.example/console/":        "/console/",
		`/\evil.example/console/`:        "/console/",
		"/v1/failed":                     "/console/",
		"/console/login?next=/console/x": "/console/",
	} {
		v := w.visitor()
		v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		p := v.post(http.StatusSeeOther, "/console/login", url.Values{"token": {rootToken}, "next": {next}})
		if location, err := url.Parse(p.header.Get("Location")); err != nil || location.Host != "" || location.Path != want {
			t.Errorf("next %q leads to %q", next, p.header.Get("Location"))
		}
		<-tick()
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor()
	v.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	trusting := w.trusting("127.0.0.0/8")
	for _, c := range []struct {
		url, proto string
		secure     bool
	}{{w.server.URL, "https", false}, {trusting, "http", false}, {trusting, "HTTPS", true}, {trusting, "https, http", false}} {
		r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, c.url+"/console/login",
			strings.NewReader(url.Values{"token": {rootToken}}.Encode()))
		w.must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-Proto", c.proto)
		cookie := v.do(http.StatusSeeOther, r).header.Get("Set-Cookie")
		for _, part := range []string{"HttpOnly", "SameSite=Strict", "Path=/console", "Max-Age=1800"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("the cookie %q lacks %s", cookie, part)
			}
		}
		if strings.Contains(cookie, "Secure") != c.secure {
			t.Errorf("behind %s the cookie is %q", c.proto, cookie)
		}
	}
}

func TestSessionThatWasTamperedWithIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.operator()
	u, err := url.Parse(w.server.URL + "/console/")
	w.must(err)
	cookie := v.client.Jar.Cookies(u)[0]
	for i := len(cookie.Value) - 1; i >= 0; i -= 7 {
		forged := *cookie
		letter := byte('A')
		if forged.Value[i] == letter {
			letter = 'B'
		}
		forged.Value = forged.Value[:i] + string(letter) + forged.Value[i+1:]
		r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL+"/console/", nil)
		w.must(err)
		r.AddCookie(&forged)
		if p := w.visitor().do(http.StatusOK, r); p.path != "/console/login" {
			t.Fatalf("with character %d changed the cookie still opens %s", i, p.path)
		}
	}
}

func TestRevokedTokenLosesItsSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.as(w.token("night", access.Operator))
	v.get(http.StatusOK, "/console/jobs")
	w.must(w.config.Access.Revoke(w.Context(), "night"))
	if p := v.get(http.StatusOK, "/console/jobs"); p.path != "/console/login" {
		t.Errorf("a session of a revoked token sees %s", p.path)
	}
	w.token("night", access.Operator)
	if p := v.get(http.StatusOK, "/console/jobs"); p.path != "/console/login" {
		t.Errorf("a session of the token before sees %s", p.path)
	}
}

func TestTooManyLogins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor()
	w.eventually("a refusal", func() bool {
		response, err := v.client.PostForm(w.server.URL+"/console/login", url.Values{"token": {raw + "guess"}})
		w.must(err)
		w.must(response.Body.Close())
		return response.StatusCode == http.StatusTooManyRequests && response.Header.Get("Retry-After") != ""
	})
}

func TestViewerSeesAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[0])
	v := w.as(w.token("eve", access.Viewer))
	for _, path := range []string{"/console/failed", "/console/revoke", "/console/failed/" + w.anyLetter()} {
		p := v.get(http.StatusOK, path)
		if p.has("Replay") && p.has("<button name=\"plan\"") || p.has("Dry run …") {
			t.Errorf("%s offers a viewer a change: %s", path, p.text)
		}
	}
	for _, path := range []string{"/console/failed/plan", "/console/revoke", "/console/jobs", "/console/jobs/1/pause"} {
		if p := v.post(http.StatusForbidden, path, url.Values{"plan": {"replay-all"}}); !p.has("role viewer, which cannot change") {
			t.Errorf("%s: %s", path, p.text)
		}
	}
}
