package handlers

import (
	"html/template"
	"net/http"
	"net/url"
)

// logoutPage asks its reader whether to log out, because another site's page
// led here. Its button posts to the same path; browsers tell by the request
// that a page of this site has sent it.
var logoutPage = template.Must(template.New("logout").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Log out</title>
</head>
<body>
<h1>Log out?</h1>
<p>Another site has sent you here. You are still logged in.</p>
<form method="post" action="{{.}}"><button type="submit">Log out</button></form>
</body>
</html>
`))

// askFirst answers with that page. The target is carried along as it is, and
// judged when the button is pressed.
func (e elvisRedirect) askFirst(w http.ResponseWriter, r *http.Request) {
	target := r.URL.Query().Get("logoutSuccessUrl")
	action := "?"
	if target != "" {
		action += "logoutSuccessUrl=" + url.QueryEscape(target)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'"+e.originOfAnswer(target)+
		"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	w.WriteHeader(http.StatusForbidden)
	_ = logoutPage.Execute(w, action)
}

// originOfAnswer returns the origin that the button leads to in the end, for
// form-action, which browsers apply to redirects, too; "" where it is the own
// one.
func (e elvisRedirect) originOfAnswer(target string) string {
	u, err := url.Parse(e.to.location(target))
	if err != nil || u.Host == "" || !sourceHost(u.Host) {
		return ""
	}
	return " " + originOf(u)
}

// sourceHost reports whether a host can stand in a policy.
func sourceHost(host string) bool {
	for _, c := range []byte(host) {
		if c != '.' && c != '-' && c != ':' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}
