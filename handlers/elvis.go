package handlers

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/logoutd/logoutd/internal/forwarded"
	"github.com/logoutd/logoutd/store"
)

// elvis is the logout service of Elvis (WoodWing Assets) for scripts, POST
// /services/logout.
type elvis struct {
	cookie string
	secret []byte
	csrf   bool // a browser's session needs a CSRF token
}

// read takes the session of cookie, bearer token and path. Only a cookie is
// sent along by pages of other sites: a browser's session needs its CSRF token
// where nothing else presents it. A bearer token says that no such page sent
// the request, since it cannot set the header.
func (e elvis) read(_ http.ResponseWriter, r *http.Request) (logout, *fault) {
	var c candidates
	c.presentCookies(r, cookieNames{e.cookie})
	tokens := bearers(r)
	byCookie := len(c.list) > 0 && len(tokens) == 0
	for i := range c.list {
		c.list[i].refuseBrowser = e.csrf && len(tokens) == 0 &&
			!validCSRFToken(e.secret, c.list[i].sessionID, r.Header.Get("X-CSRF-TOKEN"))
	}
	c.presentList(tokens)
	c.presentPath(r.URL)
	return logout{scope: store.ScopeSession, candidates: c.list, byCookie: byCookie}, nil
}

// answer says the same of a session that had ended or is unknown: logging out
// twice is no error.
func (e elvis) answer(w http.ResponseWriter, _ *http.Request, _ outcome) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"logoutSuccess": true}`)
}

func (e elvis) fail(w http.ResponseWriter, _ *http.Request, f fault) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(struct {
		ErrorCode int    `json:"errorcode"`
		Message   string `json:"message"`
	}{f.status, f.reason})
}

// elvisRedirect is the logout of Elvis for browsers, /logout: it clears the
// cookie and redirects. As a plain link it cannot ask for a CSRF token.
type elvisRedirect struct {
	elvis
	to      redirects
	proxies forwarded.Proxies
}

func (e elvisRedirect) answer(w http.ResponseWriter, r *http.Request, o outcome) {
	if o != outcomeNoCredential || !fromOtherSite(r) { // a strict cookie may be there, and was not sent
		http.SetCookie(w, &http.Cookie{
			Name: e.cookie, Path: "/", MaxAge: -1,
			HttpOnly: true, SameSite: http.SameSiteLaxMode,
			Secure: e.proxies.Client(r).HTTPS,
		})
	}
	w.Header().Set("Location", e.to.location(r.URL.Query().Get("logoutSuccessUrl")))
	w.WriteHeader(http.StatusFound)
}

// fail lets a browser that another site's page led here ask its user.
func (e elvisRedirect) fail(w http.ResponseWriter, r *http.Request, f fault) {
	if f == crossSiteFault && r.Method == http.MethodGet {
		e.askFirst(w, r)
		return
	}
	e.elvis.fail(w, r, f)
}
