package text_test

import (
	"slices"
	"testing"

	"github.com/logoutd/logoutd/internal/text"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"ada": "ada", "\ufeffada": "ada", "\xff\xfea\x00d\x00a\x00": "ada", "\xfe\xff\x00a\x00d\x00a": "ada", "": "", "\u00fc": "\u00fc",
	} {
		if got, err := text.Decode([]byte(given)); got != want || err != nil {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
	for _, given := range []string{"\xfc", "a\x00d\x00a\x00"} {
		if got, err := text.Decode([]byte(given)); err == nil {
			t.Errorf("%q is taken for %q", given, got)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"ada": {"ada"}, "ada \u00a0\r": {"ada"}, "acme\tada": {"acme", "ada"}, "acme\t": {"acme", ""}, "cn=ada,ou=x": {"cn=ada,ou=x"}, `a"b`: {`a"b`},
		`"ada" `: {"ada"}, `"acme","ada"`: {"acme", "ada"}, `"acme";ada `: {"acme", "ada"}, `"a ""b"""`: {`a "b"`}, "": {""},
	} {
		if got, err := text.Fields(line); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", line, got, err, want)
		}
	}
	for _, line := range []string{`"ada`, `"ada"x`} {
		if got, err := text.Fields(line); err == nil {
			t.Errorf("%q is taken for %q", line, got)
		}
	}
}

func TestEscapes(t *testing.T) {
	t.Parallel()
	const turned = "a\u202eb"
	for got, want := range map[string]string{
		text.Plain(turned + "\x1b\u0085"):                            `a\u202eb  `,
		text.JSON(`"` + turned + "\u0085\""):                         `"a\u202eb\u0085"`,
		string(text.HTML([]byte(`<i v="` + turned + `">` + turned))): `<i v="a&#x202e;b">a⟨U+202E⟩b`,
		text.Printable(" \x00a\r\n b" + turned):                      "a bab",
		text.PrintableOrBidi(" \x00a\r\n b" + turned):                "a ba\u202eb",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
