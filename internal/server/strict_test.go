package server_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// raw is what a client sends, and the status of the answer.
type raw struct {
	text   string
	status int
}

// refusedFields, behind a request line and a Host, may be understood in
// different ways, or not at all.
var refusedFields = []raw{
	// where the request ends
	{"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
	{"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", 400},
	{"Content-Length: 2, 2\r\n\r\nab", 400},
	{"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"Transfer-Encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n", 400},
	{"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nab", 400},
	{"Transfer-Encoding: identity\r\n\r\n", 501},
	{"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
	{"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
	{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
	{"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 501},
	{"Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400},
	{"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
	{"Content-Length : 2\r\n\r\nab", 400},
	{"Content Length: 2\r\n\r\nab", 400},
	{"Content-Length: -1\r\n\r\n", 400},
	{"Content-Length: +2\r\n\r\nab", 400},
	{"Content-Length: 0x2\r\n\r\nab", 400},
	{"Content-Length: 2 3\r\n\r\nab", 400},
	{"Content-Length:\r\n\r\n", 400},
	{"Content-Length: 99999999999999999999\r\n\r\nab", 400},
	{"Trailer: Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	// lines
	{"X-A: 1\r\n folded\r\n\r\n", 400},
	{"X-A: 1\r\n\tfolded\r\n\r\n", 400},
	{" X-A: 1\r\n\r\n", 400},
	{"X-A: 1\nCookie: a=b\r\n\r\n", 400},
	{"X-A: 1\n\r\n", 400},
	{"X-A: 1\r\n\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"X-A: 1\rCookie: a=b\r\n\r\n", 400},
	{"X-A: 1\r\r\n\r\n", 400},
	{"X-A: a\x00b\r\n\r\n", 400},
	{"X-A: a\x7fb\r\n\r\n", 400},
	{"X-A\x00: a\r\n\r\n", 400},
	{"X(A): a\r\n\r\n", 400},
	{"X\xe9: a\r\n\r\n", 400},
	{"X A: a\r\n\r\n", 400},
	{": a\r\n\r\n", 400},
	{"no name\r\n\r\n", 400},
	{"X-A: " + strings.Repeat("x", 72<<10) + "\r\n\r\n", 431},
	{strings.Repeat("X-A: x\r\n", 9<<10) + "\r\n", 431},
	{"Expect: 200-ok\r\n\r\n", 417},
	{"Host: a\r\n\r\n", 400}, // a second one
	{"host: b\r\n\r\n", 400},
}

// refusedRequests are none.
var refusedRequests = []raw{
	// hosts
	{"GET / HTTP/1.1\r\nX-A: a\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: \"a\"\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", 400},
	{"GET http://b/ HTTP/1.1\r\n\r\n", 400},
	{"GET http://b/ HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
	// request lines
	{"GET /\r\n", 400},
	{"GET /\r\n\r\n", 400},
	{"GET / HTTP/0.9\r\n\r\n", 505},
	{"PRI * HTTP/2.0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"PRI * HTTP/2.0\r\nHost: a\r\n\r\n", 400},
	{"PRI / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET / http/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET / x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\n", 400}, // TLS
}

// TestStrict: what is refused does not reach the handler, and neither does
// what comes behind it. The answer shows nothing of it.
func TestStrict(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var reached []string
	addr := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		reached = append(reached, r.RequestURI)
	}))
	t.Run("all", func(t *testing.T) {
		for _, fields := range refusedFields {
			expectRefusal(t, addr, raw{"POST /refused HTTP/1.1\r\nHost: a\r\n" + fields.text, fields.status})
		}
		for _, request := range refusedRequests {
			expectRefusal(t, addr, request)
		}
	})
	if len(reached) > 0 {
		t.Errorf("the handler is asked for %q", reached)
	}
}

func expectRefusal(t *testing.T, addr string, request raw) {
	t.Run(strings.ToValidUTF8(request.text[:min(len(request.text), 100)], "?"), func(t *testing.T) {
		t.Parallel()
		c := dial(t, addr)
		go func() { _, _ = c.Conn.Write([]byte(request.text + "POST /behind HTTP/1.1\r\nHost: a\r\n\r\n")) }()
		response, body := c.answer(http.MethodPost)
		if response.StatusCode != request.status || !response.Close {
			t.Errorf("answer %v, want %d and Connection: close", response, request.status)
		}
		if !plainWords.MatchString(body) {
			t.Errorf("the answer says %q", body)
		}
		c.expectEnd()
	})
}

// plainWords quote nothing.
var plainWords = regexp.MustCompile(`^[A-Za-z0-9 :]*$`)

// TestNormalized: what net/http understands in one way only, doc.go lists.
func TestNormalized(t *testing.T) {
	t.Parallel()
	addr := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %s %q", r.Method, r.RequestURI, r.Proto, r.Host)
	}))
	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost:\r\n\r\n":           `GET / HTTP/1.1 ""`,
		"GET / HTTP/1.2\r\nHost: a\r\n\r\n":         `GET / HTTP/1.2 "a"`,
		"CONNECT b:80 HTTP/1.1\r\nHost: a\r\n\r\n":  `CONNECT b:80 HTTP/1.1 "b:80"`,
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n":     `OPTIONS * HTTP/1.1 "a"`,
		"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n": `GET http://b/ HTTP/1.1 "b"`,
		"POST / HTTP/1.1\r\nHost: a\r\n\r\n\r\n":    `POST / HTTP/1.1 "a"`,
		"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1;x=\"y\"\r\na\r\n0\r\nHost: b\r\n\r\n": `PUT / HTTP/1.1 "a"`,
	} {
		c := dial(t, addr)
		c.send(request + "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if response, body := c.answer(http.MethodPost); response.StatusCode != http.StatusOK || body != want {
			t.Errorf("%q: %d %q, want %q", request, response.StatusCode, body, want)
		}
		c.answer(http.MethodHead)
		c.expectEnd()
	}
}

// TestPrefaceInTheMiddle: HTTP/2 begins with the connection, or not at all.
func TestPrefaceInTheMiddle(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, nothing))
	c.send(logout + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	c.expect(http.StatusNoContent)
	c.expect(http.StatusBadRequest)
	c.expectEnd()
}

// TestArrivesByteByByte: pieces change nothing.
func TestArrivesByteByByte(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, ignoresBody))
	for _, b := range []byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na\nPOST / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n folded\r\n\r\n") {
		c.send(string(b))
	}
	for _, status := range []int{http.StatusNoContent, http.StatusNoContent, http.StatusBadRequest} {
		c.expect(status)
	}
	c.expectEnd()
}

// TestPipeline: requests are answered in their order, each with its own body.
func TestPipeline(t *testing.T) {
	t.Parallel()
	var paths []string
	c := dial(t, start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		w.Header().Set("X-Path", r.URL.Path)
	})))
	c.send("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" +
		"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\r\n" +
		"GET /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcHEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n" +
		"POST /5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nPOST /6 HTTP/1.1\r\nHost: a\r\n\r\n")
	want := []string{"/1", "/2", "/3", "/4", "/5"}
	for _, path := range want {
		method := http.MethodPost
		if path == "/4" {
			method = http.MethodHead
		}
		if response, _ := c.answer(method); response.Header.Get("X-Path") != path {
			t.Errorf("answer to %s: %v", path, response)
		}
	}
	c.expectEnd()
	if !slices.Equal(paths, want) {
		t.Errorf("asked for %q, want %q", paths, want)
	}
}
