package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/logoutd/logoutd/store"
)

// What a request may present. A longer token is no credential; of more
// credentials the first ones count.
const (
	maxTokenLength = 4 << 10 // bytes
	maxCandidates  = 16
)

// candidate is a session that a request may mean. The store decides which it
// knows.
type candidate struct {
	sessionID string
	// refuseBrowser: the credential does not suffice for a browser's session.
	refuseBrowser bool
}

type candidates []candidate

// add takes a credential in, if it can be one. This is the door: nothing
// behind it sees a token. A session that is there already is presented in a
// way that suffices now.
func (c *candidates) add(token string) {
	if token == "" || len(token) > maxTokenLength {
		return
	}
	id := store.TokenID(token)
	known := slices.IndexFunc(*c, func(other candidate) bool { return other.sessionID == id })
	switch {
	case known >= 0:
		(*c)[known].refuseBrowser = false
	case len(*c) < maxCandidates:
		*c = append(*c, candidate{sessionID: id})
	}
}

// bearer returns the token of an Authorization header of that scheme (RFC
// 6750, section 2.1), also where a client forgot the space; else "".
func bearer(r *http.Request) string {
	const scheme = "bearer"
	h := r.Header.Get("Authorization")
	if len(h) < len(scheme) || !strings.EqualFold(h[:len(scheme)], scheme) {
		return ""
	}
	return strings.TrimSpace(h[len(scheme):])
}

// pathParameter takes the ;jsessionid=<id> that old Elvis clients append to a
// path out of it, so that the path can be routed, and makes it the path value
// of that name.
func pathParameter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, parameters, found := strings.Cut(r.URL.Path, ";jsessionid=")
		if !found {
			next.ServeHTTP(w, r)
			return
		}
		id, _, _ := strings.Cut(parameters, ";")
		routed, u := *r, *r.URL
		u.Path, u.RawPath = path, ""
		routed.URL = &u
		routed.SetPathValue("jsessionid", id)
		next.ServeHTTP(w, &routed)
	})
}
