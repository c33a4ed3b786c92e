package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/logoutd/logoutd/operations/access"
	"github.com/logoutd/logoutd/operations/audit"
)

// loginsPerSecond is for everybody together: nobody guesses a token, and an
// operator is not kept out for long.
const loginsPerSecond = 5

// loginForm is what the login shows.
type loginForm struct {
	Next  string
	Fault string
}

func (c *console) askLogin(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.URL.Query().Get("next"))
	if _, ok := c.current(r); ok {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	c.alone(w, http.StatusOK, "login", loginForm{Next: next})
}

// maxLogin is in bytes.
const maxLogin = 16 << 10

func (c *console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxLogin)
	form := loginForm{Next: localPath(r.PostFormValue("next"))}
	if !c.logins.Allow() {
		w.Header().Set("Retry-After", "1")
		form.Fault = "Too many logins at once. Wait a second and try again."
		c.alone(w, http.StatusTooManyRequests, "login", form)
		return
	}
	token := strings.TrimSpace(r.PostFormValue("token"))
	caller, known := c.Access.Authenticate(token)
	if form.Fault = c.refuseLogin(caller, known); form.Fault != "" {
		c.alone(w, http.StatusForbidden, "login", form)
		return
	}
	now := time.Now()
	c.write(w, r, session{Hash: access.HashOf(token), Began: now.Unix(), Renewed: now.Unix()})
	c.recordLogin(r, caller)
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

// refuseLogin returns why the caller cannot log in, or nothing.
func (c *console) refuseLogin(caller access.Caller, known bool) string {
	switch {
	case c.seal == nil:
		return "Nobody can log in: this process has no secret. Set LOGOUTD_SECRET."
	case !known && !c.Access.Loaded():
		return "The named tokens have not been read from the broker yet: only the admin token of the settings opens the console now. Try again in a moment."
	case !known:
		return "This is no token of this server. The admin token is LOGOUTD_ADMIN_TOKEN, or in the file admin.token of the data directory; an operator makes others with “logoutd tokens create”."
	case !caller.May(access.Viewer):
		return "This token registers sessions and cannot log in here. Ask an operator for one with the role viewer or operator."
	default:
		return ""
	}
}

// recordLogin leaves a trace. An operator must get in while the broker is
// down: there is none then, but in the log of this process.
func (c *console) recordLogin(r *http.Request, caller access.Caller) {
	ctx, cancel := context.WithTimeout(r.Context(), auditTimeout)
	defer cancel()
	if err := c.Audit.Append(ctx, audit.Entry{At: time.Now(), By: caller.Name, Action: audit.ActionLogin}); err != nil {
		c.Logger.Warn("login is not in the audit log", "by", caller.Name, "err", err)
	}
}

func (c *console) logout(w http.ResponseWriter, r *http.Request) {
	c.write(w, r, session{})
	http.Redirect(w, r, root+"login", http.StatusSeeOther)
}

// localPath returns a page of the console, the first one where path is none: a
// login must not send anybody elsewhere.
func localPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, root) ||
		strings.Contains(path, `\`) || strings.HasPrefix(u.Path, root+"login") {
		return root
	}
	return u.RequestURI()
}
