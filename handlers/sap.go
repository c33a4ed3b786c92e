package handlers

import (
	"net/http"
	"strings"

	"github.com/logoutd/logoutd/store"
)

// sap is the logout service of SAP Mobile Services: version 1 ends a session,
// version 2 everything of its user.
type sap struct {
	scope   store.Scope
	cookies []string // a final * makes a name a prefix
}

// read takes every session cookie as a candidate; some clients send one as a
// header. A bearer token counts only without them: beside a session cookie it
// is a token for something else. The body is ignored, and never read.
func (s sap) read(_ http.ResponseWriter, r *http.Request) (logout, *fault) {
	var c candidates
	for _, cookie := range r.Cookies() {
		if s.isSession(cookie.Name) {
			c.add(cookie.Value)
		}
	}
	for _, token := range r.Header.Values("X-SMP-SESSID") {
		c.add(token)
	}
	if len(c) == 0 {
		c.add(bearer(r))
	}
	return logout{scope: s.scope, candidates: c}, nil
}

func (s sap) isSession(cookie string) bool {
	for _, name := range s.cookies {
		if prefix, ok := strings.CutSuffix(name, "*"); cookie == name || ok && strings.HasPrefix(cookie, prefix) {
			return true
		}
	}
	return false
}

// answer is 204, "even if there was no active session for the calling user".
func (s sap) answer(w http.ResponseWriter, _ *http.Request, _ outcome) {
	w.WriteHeader(http.StatusNoContent)
}

func (s sap) fail(w http.ResponseWriter, _ *http.Request, f fault) {
	http.Error(w, f.reason, f.status)
}
