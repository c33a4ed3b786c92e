package handlers

import (
	"net/http"
	"strings"
)

// eachCookie calls found with the name and the value of every cookie of a
// request. It is more lenient than net/http, which drops cookies that it finds
// malformed, cuts others, and reads none of more than 3,000: a session cookie
// that was not looked at would be a logout that ends nothing. Pairs end at a
// semicolon (RFC 6265, section 4.2.1), and are looked for between commas, too:
// proxies join Cookie fields so that should not, and RFC 2109 allowed it.
func eachCookie(r *http.Request, found func(name, value string)) {
	for _, field := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(field, ";") {
			readPair(pair, found)
			if !strings.Contains(pair, ",") {
				continue
			}
			for part := range strings.SplitSeq(pair, ",") {
				readPair(part, found)
			}
		}
	}
}

func readPair(pair string, found func(name, value string)) {
	if name, value, ok := strings.Cut(pair, "="); ok {
		found(strings.Trim(name, " \t"), value)
	}
}

// cookieNames are the names of the cookies that may hold a session token; a
// final * makes a name a prefix. Letter case makes no difference: clients and
// proxies change it, and another cookie names no session.
type cookieNames []string

func (names cookieNames) match(cookie string) bool {
	for _, name := range names {
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			if len(cookie) >= len(prefix) && strings.EqualFold(cookie[:len(prefix)], prefix) {
				return true
			}
		} else if strings.EqualFold(cookie, name) {
			return true
		}
	}
	return false
}

// presentCookies takes in the cookies of these names.
func (c *candidates) presentCookies(r *http.Request, names cookieNames) {
	eachCookie(r, func(name, value string) {
		if names.match(name) {
			c.present(value)
		}
	})
}
