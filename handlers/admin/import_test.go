package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/store"
)

func line(typ, rest string) string {
	return fmt.Sprintf(`{"type":%q,"user_id":"u",%s}`, typ, rest)
}

func sessionLine(token string) string {
	return line("session", fmt.Sprintf(`"session_token":%q,"expires_at":%q`, raw+token, later()))
}

func accepted(sessions, tokens, pushes int) map[string]any {
	return map[string]any{
		"session": float64(sessions), "refresh_token": float64(tokens), "push_registration": float64(pushes),
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lines := []string{
		sessionLine("s1"),
		line("refresh_token", fmt.Sprintf(`"refresh_token":%q,"expires_at":%q,"session_id":%q`, raw+"r1", later(), store.TokenID(raw+"s1"))),
		line("refresh_token", fmt.Sprintf(`"refresh_token":%q,"expires_at":%q,"rotated_from":%q`, raw+"r2", later(), raw+"r1")),
		"",
		line("push_registration", `"device_id":"d","provider":"http","push_token":"raw-p"`),
		sessionLine("s2") + "\r",
	}
	a := w.must(http.StatusOK, "POST", "/v1/import", strings.Join(lines, "\n"))
	want := map[string]any{
		"lines": 5.0, "accepted": accepted(2, 2, 1), "rejected": 0.0, "errors": []any{}, "errors_truncated": false,
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
	for _, token := range []string{"s1", "s2", "r1", "r2"} {
		if !w.active(raw + token) {
			t.Errorf("%s is not active", token)
		}
	}
}

func TestImportRejectsLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(http.StatusAccepted, "POST", "/v1/revocations", `{"user_id":"u"}`)
	cases := []struct{ line, field, detail string }{
		{sessionLine("s0"), "", ""},
		{`{"type":"session"`, "", "invalid JSON at byte"},
		{`[]`, "", "JSON object"},
		{`{"user_id":"u"}`, "type", "session, refresh_token or push_registration"},
		{`{"type":7}`, "type", "session, refresh_token or push_registration"},
		{line("cookie", `"a":1`), "type", "session, refresh_token or push_registration"},
		{line("session", `"expires_at":"`+later()+`"`), "session_token", "required"},
		{line("session", `"session_token":"raw-x","expires_at":"`+later()+`","x":1`), "x", "unknown"},
		{line("session", `"session_token":"raw-x","expires_at":"`+later()+`","device_id":"`+strings.Repeat("d", 70<<10)+`"`), "", "64 KiB"},
		{"{\"type\":\"session\",\"user_id\":\"\xff\"}", "", "UTF-8"},
		{line("session", fmt.Sprintf(`"session_token":"raw-old","expires_at":%q,"authenticated_at":%q`, later(), earlier(time.Minute))), "", "cutoff"},
		{line("refresh_token", fmt.Sprintf(`"refresh_token":"raw-r","expires_at":%q,"session_id":%q`, later(), store.TokenID("no"))), "session_id", "register it first"},
		{sessionLine("s1"), "", ""},
	}
	var body strings.Builder
	var want []string
	for i, c := range cases {
		body.WriteString(c.line + "\n")
		if c.detail != "" {
			want = append(want, fmt.Sprintf("%d %s", i+1, c.field))
		}
	}
	a := w.must(http.StatusOK, "POST", "/v1/import", body.String())
	var got []string
	for _, e := range a.body["errors"].([]any) {
		e := e.(map[string]any)
		field, _ := e["field"].(string)
		number := int(e["line"].(float64))
		got = append(got, fmt.Sprintf("%d %s", number, field))
		if !strings.Contains(e["detail"].(string), cases[number-1].detail) {
			t.Errorf("line %d: detail is %q, want %q", number, e["detail"], cases[number-1].detail)
		}
		if (e["cutoff"] != nil) != (cases[number-1].detail == "cutoff") {
			t.Errorf("line %d: cutoff is %v", number, e["cutoff"])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if a.body["lines"] != float64(len(cases)) || a.body["rejected"] != float64(len(want)) {
		t.Errorf("answer is %v", a.body)
	}
	if !w.active(raw+"s0") || !w.active(raw+"s1") {
		t.Error("a bad line stopped good ones")
	}
}

func TestImportListsSomeErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.must(http.StatusOK, "POST", "/v1/import", strings.Repeat("bad\n", 1300)+sessionLine("s"))
	if len(a.body["errors"].([]any)) != 1000 || a.body["errors_truncated"] != true ||
		a.body["rejected"] != 1300.0 || a.body["lines"] != 1301.0 {
		t.Errorf("%d errors listed of %v in %v lines", len(a.body["errors"].([]any)), a.body["rejected"], a.body["lines"])
	}
}

// The first lines are registered before the last are sent.
func TestImportStreams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader, writer := io.Pipe()
	go func() {
		defer writer.Close()
		for i := range 501 {
			fmt.Fprintln(writer, sessionLine(fmt.Sprint("s", i)))
		}
		for !w.active(raw+"s0") && t.Context().Err() == nil {
			runtime.Gosched()
		}
		fmt.Fprintln(writer, sessionLine("last"))
	}()
	a := w.do(w.request("POST", "/v1/import", reader))
	if diff := cmp.Diff(accepted(502, 0, 0), a.body["accepted"]); diff != "" {
		t.Errorf("%d: %s", a.status, diff)
	}
	if !w.active(raw + "last") {
		t.Error("the last line is not active")
	}
}

// What a broken import says is enough to go on from.
func TestImportResumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var lines []string
	for i := range 700 {
		lines = append(lines, sessionLine(fmt.Sprint("s", i)))
	}
	lines[3] = "bad"
	w.store.calls.Store(2) // the second batch fails
	a := w.call("POST", "/v1/import", strings.Join(lines, "\n"))
	w.refused(a, http.StatusServiceUnavailable, "", "line 501")
	done := int(a.body["last_line"].(float64))
	if done != 500 || a.body["rejected"] != 1.0 || a.body["lines"] != 500.0 {
		t.Fatalf("answer is %v", a.body)
	}
	w.store.away.Store(false)
	rest := w.must(http.StatusOK, "POST", "/v1/import", strings.Join(lines[done:], "\n"))
	if diff := cmp.Diff(accepted(200, 0, 0), rest.body["accepted"]); diff != "" {
		t.Error(diff)
	}
	again := w.must(http.StatusOK, "POST", "/v1/import", strings.Join(lines, "\n"))
	if diff := cmp.Diff(accepted(699, 0, 0), again.body["accepted"]); diff != "" {
		t.Error(diff)
	}
}

// A server that shuts down breaks an import off where it can be resumed.
func TestImportStopsWithServer(t *testing.T) {
	t.Parallel()
	lifetime, die := context.WithCancel(t.Context())
	die()
	w := newWorld(t, func(c *admin.Config) { c.Lifetime = lifetime })
	a := w.call("POST", "/v1/import", sessionLine("s"))
	w.refused(a, http.StatusServiceUnavailable, "", "from line 1 on")
}

func TestImportOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []string{"", "\n", "\n \n"} {
		a := w.must(http.StatusOK, "POST", "/v1/import", body)
		if a.body["lines"] != 0.0 {
			t.Errorf("%q: %v", body, a.body)
		}
	}
}

// A line may be exactly as long as the limit.
func TestImportLineLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for length, rejected := range map[int]float64{64 << 10: 0, 64<<10 + 1: 1, 64<<10 + 2: 1, 200 << 10: 1} {
		for _, end := range []string{"", "\n"} {
			padded := sessionLine("s") + strings.Repeat(" ", length)
			a := w.must(http.StatusOK, "POST", "/v1/import", padded[:length]+end)
			if a.body["rejected"] != rejected {
				t.Errorf("a line of %d bytes, end %q: %v", length, end, a.body)
			}
		}
	}
}

func TestImportBreaksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader, writer := io.Pipe()
	go func() {
		_, _ = io.WriteString(writer, sessionLine("whole")+"\n"+sessionLine("half")[:20])
		writer.CloseWithError(io.ErrUnexpectedEOF)
	}()
	response, err := w.server.Client().Do(w.request("POST", "/v1/import", reader))
	if err == nil {
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusOK || !json.Valid(body.Bytes()) {
			t.Errorf("a broken body got %d %s", response.StatusCode, body.String())
		}
	}
	if w.active(raw + "half") {
		t.Error("half a line was taken for a whole one")
	}
}

// TestImportReadsWhatEditorsWrite: a byte order mark, UTF-16 and CRLF.
func TestImportReadsWhatEditorsWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	line := `{"type":"push_registration","push_token":"p","user_id":"u","device_id":"d","provider":"http"}` + "\r\n"
	utf16 := "\xff\xfe"
	for _, c := range line + line {
		utf16 += string([]byte{byte(c), 0})
	}
	for name, body := range map[string]string{"a byte order mark": "\ufeff" + line + line, "UTF-16": utf16} {
		a := w.call("POST", "/v1/import", body)
		if a.status != http.StatusOK || a.body["rejected"] != 0.0 || a.body["lines"] != 2.0 {
			t.Errorf("%s: %d %v", name, a.status, a.body)
		}
	}
}

// TestCompressedBodiesAreRefused, and say what is accepted.
func TestCompressedBodiesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for coding, want := range map[string]int{"gzip": 415, "identity, br": 415, "identity": 200, "": 200} {
		r := w.request("POST", "/v1/import", strings.NewReader("\n"))
		r.Header.Set("Content-Encoding", coding)
		a := w.do(r)
		if a.status != want || want == 415 && a.header.Get("Accept-Encoding") != "identity" {
			t.Errorf("%q: %d %v", coding, a.status, a.body)
		}
	}
}
