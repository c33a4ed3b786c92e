package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxRefusal is how much of a refusal is read, in bytes: an import lists its
// rejected lines.
const maxRefusal = 1 << 20

// problem is a problem document of the admin API (RFC 9457).
type problem struct {
	Title  string         `json:"title"`
	Detail string         `json:"detail"`
	Field  string         `json:"field"`
	Cutoff string         `json:"cutoff"`
	Errors []rejectedLine `json:"errors"` // of an import that broke off
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

// refusal turns an answer that is not good into an error. tokenFrom is where
// the admin token was found.
func refusal(response *http.Response, tokenFrom string) error {
	p := &problem{}
	raw, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if json.Unmarshal(raw, p) != nil || p.Title == "" {
		p = &problem{Title: "the server answers " + response.Status}
	}
	switch response.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return &failure{error: p, hint: "redirects are not followed, because the token is meant for one server only: check --admin-url (LOGOUTD_ADMIN_URL)"}
	case http.StatusUnauthorized:
		return &failure{error: fmt.Errorf("the server does not accept the admin token"), hint: "it was read from " + tokenFrom, code: exitDenied}
	case http.StatusForbidden:
		return &failure{error: p, hint: "`logoutd tokens list` shows the roles", code: exitDenied}
	case http.StatusServiceUnavailable:
		return &failure{error: p, hint: "`logoutd health` says what the server is missing", code: exitUnavailable}
	case http.StatusNotFound:
		hint := ""
		if p.Detail == "" {
			hint = "does the server have the role admin, and is --admin-url its admin listener?"
		}
		return &failure{error: p, hint: hint, code: exitNothing}
	}
	return p
}
