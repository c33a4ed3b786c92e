package console

import (
	"net/http"
	"time"

	"github.com/logoutd/logoutd/internal/access"
)

const cookieName = "logoutd_console"

// current returns the session of a request, if it has one. The event stream of
// an open live page does not count as use.
func (c *console) current(r *http.Request) (access.Usage, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return access.Usage{}, false
	}
	used, ok := c.Sessions.Use(r.Context(), cookie.Value, !isStream(r))
	return used, ok && used.Caller.May(access.Viewer)
}

// setCookie sets the cookie to the secret of a session; an empty secret deletes
// the cookie.
func (c *console) setCookie(w http.ResponseWriter, r *http.Request, secret string) {
	cookie := &http.Cookie{
		Name: cookieName, Path: "/console", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: c.Proxies.Client(r).HTTPS, MaxAge: -1,
	}
	if secret != "" {
		cookie.Value, cookie.MaxAge = secret, int(access.SessionIdle/time.Second)
	}
	http.SetCookie(w, cookie)
}

// renewCookie extends the cookie to the lifetime of the session.
func (c *console) renewCookie(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		c.setCookie(w, r, cookie.Value)
	}
}
