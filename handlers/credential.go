package handlers

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/logoutd/logoutd/store"
)

// candidate is a session that a request may mean. The store decides which it
// knows.
type candidate struct {
	sessionID string
	// refuseBrowser: the credential does not suffice for a browser's session.
	refuseBrowser bool
}

// candidates are all sessions that a request may mean, each once. Only the size
// of the request bounds them.
type candidates struct {
	list []candidate
	// index has the positions in list once there are many.
	index map[string]int
}

// fewCandidates is how many candidates are searched without an index, and how
// many a logout may have to share a call of the store with others: more than
// any client presents that means no harm.
const fewCandidates = 16

// add takes in a credential as it stands. Nothing behind it sees a token. A
// session that is there already is presented in a way that suffices now.
func (c *candidates) add(token string) {
	if token == "" {
		return
	}
	id := store.TokenID(token)
	if known := c.find(id); known >= 0 {
		c.list[known].refuseBrowser = false
		return
	}
	c.list = append(c.list, candidate{sessionID: id})
	if c.index != nil {
		c.index[id] = len(c.list) - 1
	}
}

func (c *candidates) find(id string) int {
	if len(c.list) <= fewCandidates {
		return slices.IndexFunc(c.list, func(known candidate) bool { return known.sessionID == id })
	}
	if c.index == nil {
		c.index = make(map[string]int, 2*len(c.list))
		for i, known := range c.list {
			c.index[known.sessionID] = i
		}
	}
	if i, known := c.index[id]; known {
		return i
	}
	return -1
}

// present takes in a value of a header, a cookie or a path. Clients and
// frameworks write the same token in different ways (in quotes, percent-encoded,
// with blanks around it), and a token may look like any of them: each reading
// is a candidate.
func (c *candidates) present(value string) {
	value = strings.Trim(value, " \t")
	c.addDecoded(value)
	if bare, quoted := unquote(value); quoted {
		c.addDecoded(bare)
	}
}

func (c *candidates) addDecoded(value string) {
	c.add(value)
	if !strings.Contains(value, "%") {
		return
	}
	if decoded, err := url.PathUnescape(value); err == nil {
		c.add(decoded)
	}
}

// unquote returns the text of a quoted-string (RFC 9110, section 5.6.4).
func unquote(value string) (text string, quoted bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return value, false
	}
	text = value[1 : len(value)-1]
	if !strings.Contains(text, `\`) {
		return text, true
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String(), true
}

// presentList takes in values of a header field. A proxy may have joined them
// with commas (RFC 9110, section 5.3).
func (c *candidates) presentList(values []string) {
	for _, value := range values {
		c.present(value)
		if !strings.Contains(value, ",") {
			continue
		}
		for part := range strings.SplitSeq(value, ",") {
			c.present(part)
		}
	}
}

// bearers returns the tokens of that scheme in the Authorization fields (RFC
// 6750, section 2.1), also where a client forgot the space, and where fields
// were joined with commas.
func bearers(r *http.Request) (tokens []string) {
	for _, field := range r.Header["Authorization"] {
		if token, ok := bearer(field); ok {
			tokens = append(tokens, token)
			continue
		}
		for part := range strings.SplitSeq(field, ",") {
			token, ok := bearer(part)
			if token = strings.Trim(cmp.Or(token, part), " \t"); ok || len(tokens) > 0 && token != "" {
				tokens = append(tokens, token)
			}
		}
	}
	return tokens
}

func bearer(field string) (token string, ok bool) {
	const scheme = "bearer"
	field = strings.Trim(field, " \t")
	if len(field) < len(scheme) || !strings.EqualFold(field[:len(scheme)], scheme) {
		return "", false
	}
	token = strings.Trim(field[len(scheme):], " \t")
	return token, token != ""
}
