package console

import (
	"errors"
	"net/http"
)

// policy lets the browser load our style sheet, our script and our icon, and
// talk to this host. Nothing else, and no other site shows a page of ours.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard stands before everything: headers for the browser, and no change that
// another site asked for (cross-site request forgery).
func (c *console) guard(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(c.refuseForeign))
	inner := protection.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		inner.ServeHTTP(w, r)
	})
}

func (c *console) refuseForeign(w http.ResponseWriter, _ *http.Request) {
	c.alone(w, http.StatusForbidden, "refused", refusal{
		"This change did not come from this console",
		"Another site asked for it, so nothing was done. Open the console itself and try again there.",
	})
}

// seen is a page for everybody who is logged in.
func (c *console) seen(page func(*visit) (view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.enter(w, r)
		if ok {
			c.answer(w, v, page)
		}
	})
}

// operated is a page that changes something, for operators.
func (c *console) operated(page func(*visit) (view, error)) http.Handler {
	return c.seen(func(v *visit) (view, error) {
		if !v.Operator() {
			return view{}, &fault{http.StatusForbidden, "Your token is a viewer's: it sees everything and changes nothing",
				"Ask an operator, or log in with an operator's token."}
		}
		v.Body = http.MaxBytesReader(v.w, v.Body, maxForm)
		if err := v.ParseMultipartForm(maxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			return view{}, &fault{http.StatusRequestEntityTooLarge, "The form could not be read",
				"It may be over 16 MiB: send the users in several parts, or use the command line."}
		}
		return page(v)
	})
}

// maxForm is in bytes: a list of some 200,000 users.
const maxForm = 16 << 20
