package handlers_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/store"
)

var update = flag.Bool("update", false, "write what the handler does into the transcripts")

// TestTranscripts runs the transcripts: testdata/README.md says how they are
// to be read. They are the specification of the dialects.
func TestTranscripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			runTranscript(t, file)
		})
	}
}

func runTranscript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	server := eventstest.Start(t)
	cases := strings.SplitAfter(string(text), "\n\n")
	for i, part := range cases {
		title, _, _ := strings.Cut(part, "\n")
		t.Run(fmt.Sprintf("%d %s", i, strings.TrimLeft(title, "# ")), func(t *testing.T) {
			replayed := replay(t, server, part)
			if diff := cmp.Diff(strings.Split(part, "\n"), strings.Split(replayed, "\n")); diff != "" && !*update {
				t.Errorf("-transcript +handler:\n%s", diff)
			}
			cases[i] = replayed
		})
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(cases, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// replay plays one case and returns it as it went.
func replay(t *testing.T, server *eventstest.Broker, part string) string {
	var w *world
	var out, request []string
	settings := worldSettings{}
	play := func() {
		if request == nil {
			return
		}
		if w == nil {
			w = newWorld(t, server, settings)
		}
		out = append(out, w.exchange(t, request)...)
		request = nil
	}
	for _, line := range strings.Split(strings.TrimRight(part, "\n"), "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		if kind != ">" {
			play()
		}
		switch kind {
		case ">":
			request = append(request, rest)
		case "+":
			settings = append(settings, rest)
		case "<", "=":
			continue
		}
		out = append(out, line)
	}
	play()
	return strings.Join(out, "\n") + part[len(strings.TrimRight(part, "\n")):]
}

// exchange sends a request as it stands and returns the answer and what came
// of it.
func (w *world) exchange(t *testing.T, request []string) []string {
	t.Helper()
	answer := send(t, w.addr, rawRequest(request))
	var out []string
	for _, line := range strings.Split(strings.TrimRight(answer, "\n"), "\n") {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Date":
			continue
		case "Retry-After":
			line = retryAfter.ReplaceAllString(line, "Retry-After: 1 to 3")
		}
		out = append(out, strings.TrimRight("< "+line, " "))
	}
	for _, effect := range w.effects(t, strings.Join(request, "\n")) {
		out = append(out, "= "+effect)
	}
	return out
}

var retryAfter = regexp.MustCompile(`^Retry-After: [123]$`)

// rawRequest turns the lines of a request into bytes.
func rawRequest(lines []string) string {
	text := repeated.ReplaceAllStringFunc(strings.Join(lines, "\n"), func(m string) string {
		parts := repeated.FindStringSubmatch(m)
		n, _ := strconv.Atoi(parts[2])
		return strings.Repeat(parts[1], n)
	})
	text = csrfOf.ReplaceAllStringFunc(text, func(m string) string {
		return handlers.CSRFToken(secret, store.TokenID(csrfOf.FindStringSubmatch(m)[1]))
	})
	head, body, _ := strings.Cut(text, "\n\n")
	switch {
	case strings.Contains(head, "\nTransfer-Encoding: chunked"):
		body = strings.ReplaceAll(body, "\n", "\r\n") + "\r\n\r\n"
	case body != "" && !strings.Contains(head, "\nContent-Length:"):
		head += fmt.Sprintf("\nContent-Length: %d", len(body))
	}
	return strings.ReplaceAll(strings.TrimRight(head, "\n"), "\n", "\r\n") + "\r\n\r\n" + body
}

var (
	repeated = regexp.MustCompile(`\{(.)\*(\d+)\}`)
	csrfOf   = regexp.MustCompile(`\{csrf (\S+)\}`)
)

// send returns the raw answer, with its line ends as \n. It ends its side of
// the connection if the body is shorter than announced.
func send(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(request, "\r\nX-Truncated: ") {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	var raw strings.Builder
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(io.TeeReader(conn, &raw)), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(raw.String(), "\r\n", "\n")
}
