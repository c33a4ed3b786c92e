package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/logoutd/logoutd/store"
)

// dialect is a logout API: how it is asked, and what it answers.
type dialect struct {
	name   string
	method string
	path   string
	header string // with TOKEN in the place of the token
	body   string // with TOKEN in the place of the token
	good   int
	scope  store.Scope
}

const tokenPlace = "TOKEN"

var dialects = map[string]dialect{
	"sap_v1": {
		name: "sap_v1", method: "POST", path: "/mobileservices/sessions/logout",
		header: "Cookie: X-SMP-SESSID=TOKEN\r\n", good: http.StatusNoContent, scope: store.ScopeSession,
	},
	"sap_v2": {
		name: "sap_v2", method: "POST", path: "/mobileservices/sessions/v2/logout",
		header: "Cookie: X-SMP-SESSID=TOKEN\r\n", good: http.StatusNoContent, scope: store.ScopeUser,
	},
	"elvis": {
		name: "elvis", method: "POST", path: "/services/logout",
		header: "Cookie: authToken=TOKEN\r\n", good: http.StatusOK, scope: store.ScopeSession,
	},
	"kratos": {
		name: "kratos", method: "DELETE", path: "/self-service/logout/api",
		header: "Content-Type: application/json\r\n", body: `{"session_token":"TOKEN"}`,
		good: http.StatusNoContent, scope: store.ScopeSession,
	},
}

// request returns the bytes of a request, and where the number of its token
// stands in them.
func (d dialect) request(u *url.URL, tokens tokenSeries) (request []byte, digits int) {
	token := string(tokens.append(nil, 0))
	body := strings.Replace(d.body, tokenPlace, token, 1)
	header := strings.Replace(d.header, tokenPlace, token, 1)
	request = fmt.Appendf(nil, "%s %s%s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %d\r\n\r\n%s",
		d.method, strings.TrimSuffix(u.EscapedPath(), "/"), d.path, u.Host, header, len(body), body)
	return request, bytes.Index(request, []byte(token)) + len(token) - numberWidth
}
