package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxRefusal is how much of an error answer is read, in bytes: that of an import
// lists the rejected lines.
const maxRefusal = 1 << 20

// problem is a problem document of the admin API (RFC 9457).
type problem struct {
	Title  string         `json:"title"`
	Detail string         `json:"detail"`
	Field  string         `json:"field"`
	Cutoff string         `json:"cutoff"`
	Errors []rejectedLine `json:"errors"` // of an import that was aborted
}

// Error implements error, as "field: detail".
func (p *problem) Error() string {
	text := p.Title
	if p.Detail != "" {
		text = p.Detail
	}
	if p.Field != "" {
		text = p.Field + ": " + text
	}
	if p.Cutoff != "" {
		text += " (cutoff " + p.Cutoff + ")"
	}
	return plain(text)
}

// refusal turns an answer other than 2xx into an error. tokenFrom is the source
// of the admin token.
func refusal(response *http.Response, tokenFrom string) error {
	p := &problem{}
	raw, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if json.Unmarshal(raw, p) != nil || p.Title == "" {
		p = &problem{Title: "the server answered " + response.Status}
	}
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return &failure{error: p, hint: "redirects are not followed, so that the token reaches only one server: check --admin-url (LOGOUTD_ADMIN_URL)"}
	case http.StatusUnauthorized:
		return &failure{error: fmt.Errorf("the server rejected the admin token"), hint: "the token was read from " + tokenFrom, code: exitDenied}
	case http.StatusForbidden:
		return &failure{error: p, hint: "`logoutd tokens list` shows the roles", code: exitDenied}
	case http.StatusServiceUnavailable:
		return &failure{error: p, hint: "`logoutd health` shows what the server is missing", code: exitUnavailable}
	case http.StatusNotFound:
		hint := ""
		if p.Detail == "" {
			hint = "check that the server has the admin role and that --admin-url is its admin listener"
		}
		return &failure{error: p, hint: hint, code: exitNothing}
	}
	return p
}
