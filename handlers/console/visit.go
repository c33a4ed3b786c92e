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

// pageTimeout is how long a page may take to find out what it shows.
const pageTimeout = 8 * time.Second

// visit is one request of somebody who is logged in, and what the page that
// answers it has to say besides its own content.
type visit struct {
	*http.Request
	w       http.ResponseWriter
	client  context.Context // ends when the browser goes
	session access.Usage
	notices []notice
	told    map[string]bool // what is down is said once
}

// notice is a message above the page. Kind is a class of the style sheet:
// bad, warn or good.
type notice struct {
	Kind, What, Do string
}

// view is how a request is answered.
type view struct {
	template string // of the page
	title    string
	section  string // of the navigation
	status   int    // 0: 200
	// refresh is after how many seconds a browser without scripts loads the
	// page again; 0: never.
	refresh int
	data    any
	// location is where the browser is sent instead.
	location string
}

// goTo sends the browser to a page, after a change.
func goTo(location string) view { return view{location: location} }

// Operator reports whether the visitor may change something.
func (v *visit) Operator() bool { return v.session.Caller.May(access.Operator) }

// By is the name that changes go under.
func (v *visit) By() string { return v.session.Caller.Name }

// missing says on the page that a part of it could not be found out. The rest
// is shown.
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
	v.say(n)
}

func (v *visit) say(n notice) {
	if v.told == nil {
		v.told = map[string]bool{}
	}
	if !v.told[n.What] {
		v.notices = append(v.notices, n)
	}
	v.told[n.What] = true
}

// enter finds out who visits; false: the answer is given.
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

// turnAway sends a stranger to the login and from there back to the page. A
// link on another site comes without the cookie (SameSite=Strict), also where
// somebody is logged in: that page loads itself once more from here.
func (c *console) turnAway(w http.ResponseWriter, r *http.Request) {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	_, err := r.Cookie(cookieName)
	switch {
	case isStream(r):
		http.Error(w, "the session has ended", http.StatusUnauthorized)
	case read && r.Header.Get("Sec-Fetch-Site") == "cross-site" && err != nil:
		c.alone(w, http.StatusOK, "again", r.URL.RequestURI())
	case read:
		http.Redirect(w, r, root+"login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
	default:
		c.alone(w, http.StatusUnauthorized, "refused", refusal{"Your session has ended",
			"Nothing was changed. Log in, then do the same again."})
	}
}

// answer makes a page within its time and writes it.
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
