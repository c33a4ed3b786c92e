package httpcall

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/logoutd/logoutd/internal/text"
)

// maxAnswer is how much of an answer is kept, in bytes. It travels in the task
// with every retry.
const maxAnswer = 1 << 10

// masked stands in the place of a credential.
const masked = "…"

const (
	// minCredential is the length below which nothing is taken for a
	// credential: masking it would leave nothing to read.
	minCredential = 4
	// minOpenSecret is the length from which a user name or a value of the query
	// is taken for one: shorter ones are words such as "json".
	minOpenSecret = 8
	// minPathSecret is the length from which a part of a URL's path is taken
	// for one, as in webhooks that need no other.
	minPathSecret = 16
)

// Mask is the credentials that a request carries, in the forms in which an
// answer may quote them, longest first.
type Mask []string

// openHeaders are headers whose values are no credentials.
var openHeaders = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}

// NewMask returns the mask of what every request to a URL carries in it and in its
// headers. Placeholders in the URL are written {like_this}.
func NewMask(template string, headers map[string]string) Mask {
	var m Mask
	for name, value := range headers {
		if !slices.Contains(openHeaders, http.CanonicalHeaderKey(name)) {
			m = m.With(headerCredentials(value)...)
		}
	}
	return m.With(urlCredentials(template)...)
}

// headerCredentials returns a header's value and its parts, such as the token
// behind "Bearer" and the password behind "Basic".
func headerCredentials(value string) []string {
	credentials := []string{value}
	parts := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" ,;&\"'", r) })
	if len(parts) > 1 {
		parts = parts[1:] // without the scheme
	}
	for _, part := range parts {
		_, behind, _ := strings.Cut(part, "=")
		credentials = append(credentials, part, behind)
		if pair, err := base64.StdEncoding.DecodeString(part); err == nil && utf8.Valid(pair) {
			user, password, _ := strings.Cut(string(pair), ":")
			credentials = append(credentials, string(pair), password)
			if len(user) >= minOpenSecret {
				credentials = append(credentials, user)
			}
		}
	}
	return credentials
}

// urlCredentials returns what stands in a URL besides its placeholders and may
// be one: user and password, long parts of the path, values of the query.
func urlCredentials(template string) []string {
	u, err := url.Parse(Placeholder.ReplaceAllString(template, ""))
	if err != nil {
		return nil
	}
	var credentials []string
	if password, ok := u.User.Password(); ok {
		credentials = append(credentials, u.User.Username()+":"+password, password)
	}
	open := []string{u.User.Username()}
	for _, segment := range strings.Split(u.Path, "/") {
		if len(segment) >= minPathSecret {
			credentials = append(credentials, segment)
		}
	}
	for _, values := range u.Query() {
		open = append(open, values...)
	}
	return append(credentials, slices.DeleteFunc(open, func(s string) bool { return len(s) < minOpenSecret })...)
}

// quotes escapes as JSON does that is not meant for HTML.
var quotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// With returns the mask with more credentials.
func (m Mask) With(credentials ...string) Mask {
	all := slices.Clone(m)
	for _, credential := range credentials {
		if len(credential) < minCredential {
			continue
		}
		quoted, _ := json.Marshal(credential) // a string can always be encoded
		for _, form := range []string{
			credential, url.QueryEscape(credential), url.PathEscape(credential), Escape(credential), html.EscapeString(credential),
			strings.Trim(string(quoted), `"`), quotes.Replace(credential), strings.ReplaceAll(credential, "/", `\/`),
			base64.StdEncoding.EncodeToString([]byte(credential)), base64.RawURLEncoding.EncodeToString([]byte(credential)),
		} {
			if form = lowerASCII(text.Printable(form)); len(form) >= minCredential && !slices.Contains(all, form) {
				all = append(all, form)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// answer returns what is kept of the body of an answer; cut: it went on.
// Bidirectional control characters are escaped, or left out where they hide a
// credential from the mask.
func (m Mask) answer(body string, cut bool) string {
	body = strings.ToValidUTF8(body, "")
	said := m.hide(text.PrintableOrBidi(body), cut)
	if without := m.hide(text.Printable(body), cut); text.Printable(said) != without {
		said = without
	}
	said = text.Plain(said)
	if len(said) > maxAnswer {
		said = strings.ToValidUTF8(said[:maxAnswer-len(masked)], "") + masked
	}
	return said
}

// hide masks all credentials, and the beginning of one where the text was cut.
func (m Mask) hide(said string, cut bool) string {
	said = m.apply(said)
	if cut {
		said = m.withoutBeginning(said)
	}
	return said
}

// apply masks each credential, in upper and lower case.
func (m Mask) apply(said string) string {
	for _, credential := range m {
		lower := lowerASCII(said)
		var b strings.Builder
		from := 0
		for {
			at := strings.Index(lower[from:], credential)
			if at < 0 {
				break
			}
			b.WriteString(said[from : from+at])
			b.WriteString(masked)
			from += at + len(credential)
		}
		b.WriteString(said[from:])
		said = b.String()
	}
	return said
}

// withoutBeginning takes the beginning of a credential off the end of what was
// cut there.
func (m Mask) withoutBeginning(said string) string {
	lower := lowerASCII(said)
	for _, credential := range m {
		for n := min(len(credential)-1, len(said)); n >= minCredential; n-- {
			if strings.HasSuffix(lower, credential[:n]) {
				return said[:len(said)-n] + masked
			}
		}
	}
	return said
}

// lowerASCII lowers the case without changing the length.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
