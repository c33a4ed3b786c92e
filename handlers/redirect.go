package handlers

import (
	"fmt"
	"net/url"
	"strings"
)

// redirects decides where /logout may send a browser: to a place on its own
// origin or on an allowed one. Browsers read URLs more leniently than RFC 3986
// says (WHATWG URL Standard, section 4.4: a backslash is a slash, tabs and
// line feeds are dropped), so that whatever two readers may understand
// differently is refused.
type redirects struct {
	origins map[string]bool
	landing string
}

func newRedirects(origins []string, landing string) redirects {
	allowed := map[string]bool{}
	for _, o := range origins {
		if u, err := url.Parse(o); err == nil {
			allowed[originOf(u)] = true
		}
	}
	return redirects{origins: allowed, landing: landing}
}

// location returns the target where it is allowed, else the landing page.
func (t redirects) location(target string) string {
	if target == "" || strings.ContainsFunc(target, ambiguous) {
		return t.landing
	}
	u, err := url.Parse(escaped(target))
	if err != nil || u.Opaque != "" || u.User != nil || strings.ContainsFunc(u.Path, ambiguous) {
		return t.landing
	}
	if !t.allowed(u) {
		return t.landing
	}
	return u.String()
}

func (t redirects) allowed(u *url.URL) bool {
	if u.Scheme == "" && u.Host == "" {
		return !strings.Contains(u.Path, "//")
	}
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && t.origins[originOf(u)]
}

// escaped returns target as a URI has it: without spaces and in ASCII.
func escaped(target string) string {
	var b strings.Builder
	for _, c := range []byte(target) {
		if c == ' ' || c >= 0x80 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// ambiguous holds for backslashes and control characters.
func ambiguous(c rune) bool { return c == '\\' || c < ' ' || c == 0x7f }

// originOf returns the origin of a URL (RFC 6454, section 6.2): without the
// scheme's default port.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}
