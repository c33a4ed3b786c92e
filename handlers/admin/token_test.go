package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestTokenThatNoCookieCarriesIsRefused: nobody could log it out. The answer
// names the character, and the token stays out of it.
func TestTokenThatNoCookieCarriesIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for token, names := range map[string]string{
		raw + ";x": `';'`, raw + "\nx": `'\n'`, raw + "\x00": `'\x00'`, raw + "\x7fx": `'\x7f'`, raw + "\t": `'\t'`,
		" " + raw: "a blank", raw + " ": "a blank",
	} {
		quoted := fmt.Sprintf("%q", token)
		quoted = strings.NewReplacer(`\x00`, `\u0000`, `\x7f`, "\x7f").Replace(quoted)
		body := fmt.Sprintf(`{"type":"session","session_token":%s,"user_id":"u","expires_at":%q}`, quoted, later())
		detail := fmt.Sprint(w.must(http.StatusBadRequest, "PUT", "/v1/sessions", strings.Replace(body, `"type":"session",`, "", 1)).body)
		line := fmt.Sprint(w.must(http.StatusOK, "POST", "/v1/import", body).body)
		for _, answer := range []string{detail, line} {
			if !strings.Contains(answer, names) || !strings.Contains(answer, "session_token") || strings.Contains(answer, raw) {
				t.Errorf("%q: %s does not name %s", token, answer, names)
			}
		}
	}
	for _, token := range []string{`a"b`, `a\b`, `a, b`, "ü"} {
		w.must(http.StatusCreated, "PUT", "/v1/sessions", fmt.Sprintf(`{"session_token":%q,"user_id":"u","expires_at":%q}`, token, later()))
	}
}
