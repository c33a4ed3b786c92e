package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
)

// loginForm is the content of the login page.
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
	token, client := strings.TrimSpace(r.PostFormValue("token")), c.Proxies.Client(r)
	caller, err := c.Attempts.Authenticate(client.Addr, token)
	if errors.Is(err, access.ErrThrottled) {
		w.Header().Set("Retry-After", fmt.Sprint(access.ThrottledFor.Seconds()))
		form.Fault = "Too many invalid tokens from your address. Wait a second and try again."
		c.alone(w, http.StatusTooManyRequests, "login", form)
		return
	}
	if form.Fault = c.refuseLogin(caller, err == nil); form.Fault != "" {
		if err == nil {
			c.Attempts.Forbidden(client.Addr, caller)
		}
		c.alone(w, http.StatusForbidden, "login", form)
		return
	}
	if before, ok := c.current(r); ok { // the new cookie replaces its cookie
		c.Sessions.End(r.Context(), before.Session.ID)
	}
	secret, opened := c.Sessions.Begin(r.Context(), access.HashOf(token), caller, client.String())
	c.setCookie(w, r, secret)
	c.recordSession(r, caller.Name, audit.ActionLogin, opened)
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

// refuseLogin returns why the caller cannot log in; empty: it can.
func (c *console) refuseLogin(caller access.Caller, known bool) string {
	switch {
	case !known && !c.Access.Loaded():
		return "Tokens have not been read from the broker yet: only the admin token of the settings can log in now. Try again in a moment."
	case !known:
		return "Invalid token. Use LOGOUTD_ADMIN_TOKEN or the token in admin.token in the data directory; operators create others with “logoutd tokens create”."
	case !caller.May(access.Viewer):
		return "A token with the role registry cannot log in. Ask an operator for one with the role viewer or operator."
	default:
		return ""
	}
}

// recordSession records a change of a session in the audit log. Operators can
// log in and out while the broker is down: the entry is then written once the
// broker is back, and this process logs it at once.
func (c *console) recordSession(r *http.Request, by, action string, about access.Session) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), auditTimeout)
	defer cancel()
	entry := audit.Entry{At: time.Now(), By: by, Action: action, Selection: about.Subject(), Address: c.Proxies.Client(r).String()}
	c.logUnaudited(c.Audit.AppendLater(ctx, entry), "console session", "action", action, "by", by, "address", entry.Address,
		"session_id", about.ID)
}

// logUnaudited logs an action that is missing in the audit log, or not there yet.
// err is the result of [audit.Log.AppendLater].
func (c *console) logUnaudited(err error, what string, attrs ...any) {
	switch {
	case err == nil:
	case errors.Is(err, audit.ErrLater):
		c.Logger.Warn(what+" will be recorded in the audit log once the broker is back", attrs...)
	default:
		c.Logger.Error(what+" could not be recorded in the audit log", append(attrs, "err", err)...)
	}
}

// logout ends the session, so that copies of the cookie are useless.
func (c *console) logout(w http.ResponseWriter, r *http.Request) {
	if used, ok := c.current(r); ok {
		c.Sessions.End(r.Context(), used.Session.ID)
		c.recordSession(r, used.Caller.Name, audit.ActionLogout, used.Session)
	}
	c.setCookie(w, r, "")
	http.Redirect(w, r, root+"login", http.StatusSeeOther)
}

// localPath returns path if it is a page of the console, else the first page: a
// login must not redirect to another site.
func localPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, root) ||
		strings.Contains(path, `\`) || strings.HasPrefix(u.Path, root+"login") {
		return root
	}
	return u.RequestURI()
}
