package handlers

import (
	"net/http"
	"net/url"
	"strings"
)

// router serves the paths of the public listener. It redirects nobody:
// old HTTP clients do not repeat a POST or DELETE elsewhere.
type router map[string]http.Handler

// ServeHTTP serves a path whatever slashes are repeated in it and whatever
// parameters its segments have. Dot segments and encoded slashes are no part of
// any path here.
func (routes router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := routes[routeOf(r.URL)]; h != nil {
		h.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

// routeOf returns the path of a URL decoded, without parameters, and with
// single slashes. It is empty where a segment has a slash inside.
func routeOf(u *url.URL) string {
	if !strings.ContainsAny(u.Path, "%;") && u.RawPath == "" && !strings.Contains(u.Path, "//") {
		return u.Path
	}
	var path strings.Builder
	for segment := range segmentsOf(u) {
		name, err := url.PathUnescape(segment.name)
		if err != nil || strings.Contains(name, "/") {
			return ""
		}
		if name != "" {
			path.WriteString("/" + name)
		}
	}
	if strings.HasSuffix(u.Path, "/") {
		path.WriteString("/")
	}
	return path.String()
}

// segment is a segment of a path, encoded, and its parameters (RFC 3986,
// section 3.3).
type segment struct{ name, parameters string }

// delimiters decodes what some clients encode although it separates.
var delimiters = strings.NewReplacer("%3B", ";", "%3b", ";", "%3D", "=", "%3d", "=")

func segmentsOf(u *url.URL) func(yield func(segment) bool) {
	return func(yield func(segment) bool) {
		for text := range strings.SplitSeq(delimiters.Replace(u.EscapedPath()), "/") {
			name, parameters, _ := strings.Cut(text, ";")
			if !yield(segment{name, parameters}) {
				return
			}
		}
	}
}

// presentPath takes in the sessions of ;jsessionid=<token>, which servlet
// containers, and so old Elvis, put into paths for clients without cookies.
func (c *candidates) presentPath(u *url.URL) {
	if !strings.Contains(u.Path, ";") {
		return
	}
	for segment := range segmentsOf(u) {
		for parameter := range strings.SplitSeq(segment.parameters, ";") {
			key, value, _ := strings.Cut(parameter, "=")
			if !strings.EqualFold(key, "jsessionid") {
				continue
			}
			if decoded, err := url.PathUnescape(value); err == nil {
				value = decoded
			}
			c.present(value)
		}
	}
}
