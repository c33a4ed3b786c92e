package console

import (
	"errors"
	"net/http"
)

// policy allows our style sheet, script and icon, and connections to this host,
// nothing else. No other site can frame a page.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// protect adds security headers to every answer, and refuses changes from other
// sites (cross-site request forgery).
func (c *console) protect(next http.Handler) http.Handler {
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
		"Cross-site request refused",
		"Another site sent this change, so nothing was done. Open the console and try again there.",
	})
}

// seen returns the handler of a page for viewers and operators.
func (c *console) seen(page func(*visit) (view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.enter(w, r)
		if ok {
			c.answer(w, v, page)
		}
	})
}

// operated returns the handler of a change, for operators.
func (c *console) operated(page func(*visit) (view, error)) http.Handler {
	return c.seen(func(v *visit) (view, error) {
		if !v.Operator() {
			return view{}, &fault{http.StatusForbidden, "Your token has the role viewer, which cannot change anything",
				"Ask an operator, or log in with an operator's token."}
		}
		v.Body = http.MaxBytesReader(v.w, v.Body, maxForm)
		if err := v.ParseMultipartForm(maxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
			return view{}, &fault{http.StatusRequestEntityTooLarge, "The form could not be read",
				"It may exceed 16 MiB: split the list of users, or use the command line."}
		}
		return page(v)
	})
}

// maxForm is in bytes: a list of about 200,000 users.
const maxForm = 16 << 20
