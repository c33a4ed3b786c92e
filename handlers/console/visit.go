package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/store"
)

// pageTimeout bounds the time to create a page.
const pageTimeout = 8 * time.Second

// visit is one request of a logged-in user, and the notices on its page.
type visit struct {
	*http.Request
	w       http.ResponseWriter
	client  context.Context // ends when the browser disconnects
	session access.Usage
	notices []notice
	shown   map[string]bool // each notice is shown once
}

// notice is a message above the page. Kind is a class of the style sheet:
// bad, warn or good.
type notice struct {
	Kind, What, Do string
}

// view is the answer to a request.
type view struct {
	template string // name of the page's template
	title    string
	section  string // of the navigation
	status   int    // 0: 200
	// refresh is after how many seconds a browser without scripts reloads the
	// page; 0: never.
	refresh int
	data    any
	// location is the URL to redirect the browser to, instead of a page.
	location string
}

// goTo redirects the browser to a page after a change.
func goTo(location string) view { return view{location: location} }

// Operator reports whether the visitor is an operator.
func (v *visit) Operator() bool { return v.session.Caller.May(access.Operator) }

// By returns the name under which changes are recorded.
func (v *visit) By() string { return v.session.Caller.Name }

// missing adds a notice that a part of the page is unavailable. The rest is
// shown.
func (v *visit) missing(c *console, what string, err error) {
	switch {
	case v.Context().Err() != nil:
	case errors.Is(err, broker.ErrUnavailable):
		broker.LogFailure(v.Context(), c.Logger, c.JetStream, "console page is incomplete", "part", what, "err", err)
	default:
		c.Logger.Warn("console page is incomplete", "part", what, "err", err)
	}
	n := notice{"bad", what + " cannot be shown", faultOf(err).Do}
	if errors.Is(err, broker.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		n.Do = "The broker does not answer. Reload the page once it is back."
	}
	if errors.Is(err, store.ErrUnavailable) {
		n.Do = "The store does not answer. Reload the page once it is back."
	}
	v.addNotice(n)
}

func (v *visit) addNotice(n notice) {
	if v.shown == nil {
		v.shown = map[string]bool{}
	}
	if !v.shown[n.What] {
		v.notices = append(v.notices, n)
	}
	v.shown[n.What] = true
}

// enter authenticates a request; false: it has already answered.
func (c *console) enter(w http.ResponseWriter, r *http.Request) (*visit, bool) {
	s, ok := c.current(r)
	if !ok {
		c.turnAway(w, r)
		return nil, false
	}
	if s.Renewed {
		c.renewCookie(w, r)
	}
	return &visit{Request: r, w: w, client: r.Context(), session: s}, true
}

// turnAway sends an unauthenticated request to the login and from there back to
// the page. A link on another site is followed without the cookie
// (SameSite=Strict), even if the user is logged in: the answer is a page that
// loads the URL again from this site.
func (c *console) turnAway(w http.ResponseWriter, r *http.Request) {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	_, err := r.Cookie(cookieName)
	switch {
	case isStream(r):
		http.Error(w, "The session has ended. Log in again.", http.StatusUnauthorized)
	case read && r.Header.Get("Sec-Fetch-Site") == "cross-site" && err != nil:
		c.alone(w, http.StatusOK, "again", r.URL.RequestURI())
	case read:
		http.Redirect(w, r, root+"login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
	default:
		c.alone(w, http.StatusUnauthorized, "refused", refusal{"Your session has ended",
			"Nothing was changed. Log in and try again."})
	}
}

// answer creates a page within pageTimeout and writes it.
func (c *console) answer(w http.ResponseWriter, v *visit, page func(*visit) (view, error)) {
	ctx, cancel := context.WithTimeout(v.Context(), pageTimeout)
	defer cancel()
	v.Request = v.WithContext(ctx)
	shown, err := page(v)
	if err != nil {
		f := faultOf(err)
		if f.status == http.StatusInternalServerError {
			c.Logger.Error("console page failed", "page", v.Pattern, "err", err)
		}
		shown = view{template: "fault", title: f.What, status: f.status, data: f}
	}
	if shown.location != "" {
		http.Redirect(w, v.Request, shown.location, http.StatusSeeOther)
		return
	}
	c.show(w, v, shown)
}
