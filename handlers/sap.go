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
	cookies cookieNames
}

// read takes every credential as a candidate: the session cookies, the header
// that some clients send instead, the bearer token, and a session in the path.
// Any of them may be for something else, such as the JSESSIONID that every Java
// application sets; the store knows which one is a session. The body is
// ignored, and never read.
func (s sap) read(_ http.ResponseWriter, r *http.Request) (logout, *fault) {
	var c candidates
	c.presentCookies(r, s.cookies)
	byCookie := len(c.list) > 0
	// No page of another site can send a header of its own.
	for _, sent := range [][]string{r.Header["X-Smp-Sessid"], bearers(r)} {
		byCookie = byCookie && strings.Trim(strings.Join(sent, ""), " \t") == ""
		c.presentList(sent)
	}
	c.presentPath(r.URL)
	return logout{scope: s.scope, candidates: c.list, byCookie: byCookie}, nil
}

// answer is 204, "even if there was no active session for the calling user".
func (s sap) answer(w http.ResponseWriter, _ *http.Request, _ outcome) {
	w.WriteHeader(http.StatusNoContent)
}

func (s sap) fail(w http.ResponseWriter, _ *http.Request, f fault) {
	http.Error(w, f.reason, f.status)
}
