package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/store"
)

// TestEveryTokenLogsOutByCookie: each token that can be registered is read back
// from a cookie as it is sent, in every dialect that has cookies.
func TestEveryTokenLogsOutByCookie(t *testing.T) {
	t.Parallel()
	tokens := []string{strings.Repeat("x", 4<<10), strings.Repeat("y", 12<<10), "tök-ü☃", "a b", "a=b==", `"`, `""`, `"a"`, `a"b`, `a\b`, `\`, "a%41", "%", "a,b", ",", "Bearer x"}
	for c := byte('!'); c <= '~'; c++ {
		if c != ';' {
			tokens = append(tokens, string(c), "a"+string(c)+"b", string(c)+"a"+string(c))
		}
	}
	for path, cookie := range map[string]string{
		"/mobileservices/sessions/logout": "X-SMP-SESSID", "/mobileservices/sessions/v2/logout": "JSESSIONID",
		"/services/logout": "authToken", "/logout": "authToken",
	} {
		for _, token := range tokens {
			r := httptest.NewRequest(http.MethodPost, path, nil)
			r.Header.Set("Cookie", "a=b; "+cookie+"="+token+"; c=d")
			_, published := serve(handlers.Config{FenceTimeout: longEnough, Store: fencesAll(store.FenceFenced)}, r)
			found := false
			for _, request := range published {
				found = found || request.SessionID == store.TokenID(token)
			}
			if !found {
				t.Errorf("%s: %q was not looked at", path, token)
			}
		}
	}
}

// TestManyCookies: net/http reads none of more than 3,000.
func TestManyCookies(t *testing.T) {
	t.Parallel()
	r := logoutRequest("tok-alice")
	r.Header.Set("Cookie", strings.Repeat("s=;", 3100)+"s=tok-alice")
	if _, published := serve(handlers.Config{FenceTimeout: longEnough, Store: fencesAll(store.FenceFenced), SAP: handlers.SAP{Cookies: []string{"s"}}}, r); len(published) != 1 {
		t.Errorf("published %v", published)
	}
}
