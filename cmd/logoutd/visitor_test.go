package main

import (
	"net/http"
	"net/url"
	"strings"
)

// visitor is somebody who has logged in to the console.
type visitor struct {
	i      *instance
	cookie string
}

// visit logs in to the console with a token.
func (i *instance) visit(token string) visitor {
	i.t.Helper()
	v := visitor{i: i}
	a := v.post("/console/login", url.Values{"token": {token}})
	if a.status != http.StatusSeeOther {
		i.t.Fatalf("a login to the console: %d %s", a.status, a.body)
	}
	v.cookie, _, _ = strings.Cut(a.header.Get("Set-Cookie"), ";")
	return v
}

func (v visitor) get(path string) answer {
	return v.send(newRequest(http.MethodGet, v.i.admin+path, ""))
}

func (v visitor) post(path string, form url.Values) answer {
	request := newRequest(http.MethodPost, v.i.admin+path, form.Encode())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", v.i.admin)
	return v.send(request)
}

func (v visitor) send(request *http.Request) answer {
	if v.cookie != "" {
		request.Header.Set("Cookie", v.cookie)
	}
	return do(request)
}
