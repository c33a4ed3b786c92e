package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/handlers"
)

const landing = "/landing"

var redirectOrigins = []string{"https://www.example.com", "http://localhost:8000", "HTTPS://Other.example:443/"}

// redirected returns where /logout sends a browser that asks for target.
func redirected(h http.Handler, target string) string {
	r := httptest.NewRequest(http.MethodGet, "/logout?logoutSuccessUrl="+url.QueryEscape(target), nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Header().Get("Location")
}

func redirectHandler() http.Handler {
	return handlers.New(handlers.Config{
		Store: storeDown, Publisher: brokerDown,
		Elvis: handlers.Elvis{LandingPage: landing, RedirectOrigins: redirectOrigins},
	})
}

func TestRedirectAllowed(t *testing.T) {
	t.Parallel()
	h := redirectHandler()
	for target, want := range map[string]string{
		"":                                landing,
		"/":                               "/",
		"/bye?a=1&b=%2F#top":              "/bye?a=1&b=%2F#top",
		"bye.html":                        "bye.html",
		"../bye":                          "../bye",
		"?bye":                            "?bye",
		"/bye?next=https://evil.example/": "/bye?next=https://evil.example/",
		"/a b/ü?ü":                        "/a%20b/%C3%BC?%C3%BC",
		"/100%25":                         "/100%25",
		"https://www.example.com":         "https://www.example.com",
		"https://www.example.com/x?y#z":   "https://www.example.com/x?y#z",
		"https://www.example.com:443/x":   "https://www.example.com:443/x",
		"HTTPS://WWW.Example.com/x":       "https://WWW.Example.com/x",
		"http://localhost:8000/":          "http://localhost:8000/",
		"https://other.example/":          "https://other.example/",
	} {
		if got := redirected(h, target); got != want {
			t.Errorf("%q redirects to %q, want %q", target, got, want)
		}
	}
}

func TestRedirectRefused(t *testing.T) {
	t.Parallel()
	h := redirectHandler()
	for _, target := range []string{
		"//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `\/evil.example`, `/bye\x`,
		"/\t/evil.example", "\t//evil.example", "/\n/evil.example", "/bye\r\nSet-Cookie: a=b", "/bye\x00", "/bye\x7f",
		"%2f%2fevil.example", "/%2fevil.example", "/%5cevil.example", "/%09/evil.example", "/.//evil.example", "/..//evil.example",
		"https://evil.example", "http://www.example.com", "https://www.example.com:8443", "https://www.example.com.evil.example",
		"https://evil.example/www.example.com", "https://www.example.com.", "https://xwww.example.com", "http://localhost", "http://localhost:80000",
		"https://www.example.com@evil.example", "https://user@www.example.com", "https://:@www.example.com", "https://@www.example.com",
		`https://www.example.com\@evil.example`, `https://evil.example\.www.example.com`, "https://evil.example#www.example.com",
		"https:www.example.com", "https:/www.example.com", "https:///www.example.com", "https:evil.example",
		"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "ftp://www.example.com", "vbscript:x", "myapp://www.example.com",
		"%zz", "https://[::1", "http://www.example.com:port/", ":x", "://www.example.com",
	} {
		if got := redirected(h, target); got != landing {
			t.Errorf("%q redirects to %q", target, got)
		}
	}
}

// FuzzRedirect reads every Location as leniently as a browser does.
func FuzzRedirect(f *testing.F) {
	for _, seed := range []string{"/bye", "//evil.example", `/\evil.example`, "https://www.example.com/x", "/%2f/x", "a:b", "./a:b", "%09//x"} {
		f.Add(seed)
	}
	h := redirectHandler()
	f.Fuzz(func(t *testing.T, target string) {
		location := redirected(h, target)
		if strings.ContainsFunc(location, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			t.Errorf("%q redirects to %q: not a URI", target, location)
		}
		switch origin := browserOrigin(location); origin {
		case "", "https://www.example.com", "https://www.example.com:443", "http://localhost:8000",
			"https://other.example", "https://other.example:443":
		default:
			t.Errorf("%q redirects to %q: to a browser %s", target, location, origin)
		}
	})
}

// browserOrigin returns the origin that a browser finds in a Location, or ""
// where that is relative (WHATWG URL Standard, section 4.4, the states that
// lead to an authority).
func browserOrigin(location string) string {
	s := strings.Trim(location, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x1b\x1f ")
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(s)
	scheme, rest, absolute := strings.Cut(s, ":")
	if !absolute || strings.ContainsAny(scheme, "/?#") {
		if !strings.HasPrefix(s, "//") {
			return ""
		}
		scheme, rest = "http", s
	}
	authority := strings.TrimLeft(rest, "/")
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority = authority[:i]
	}
	host := authority[strings.LastIndex(authority, "@")+1:]
	return strings.ToLower(scheme + "://" + host)
}
