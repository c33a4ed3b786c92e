package server_test

import (
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
	{"X-A: " + strings.Repeat("x", 16<<10) + "\r\n\r\n", 431},
	{strings.Repeat("X-A: x\r\n", 4<<10) + "\r\n", 431},
	{"Expect: 200-ok\r\n\r\n", 417},
	{"Host: a\r\n\r\n", 400}, // a second one
	{"host: b\r\n\r\n", 400},
}

// refusedRequests are none.
var refusedRequests = []raw{
	// hosts
	{"GET / HTTP/1.1\r\nX-A: a\r\n\r\n", 400},
	{"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
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
	{"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
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
	{"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
	{"GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
	{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
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
		if !oneSentence.MatchString(body) {
			t.Errorf("the answer says %q", body)
		}
		c.expectEnd()
	})
}

// oneSentence has nothing quoted in it.
var oneSentence = regexp.MustCompile(`^[A-Z][A-Za-z0-9 /.-]+\.\n$`)

// TestPipeline: requests are answered in their order, each with its own body.
func TestPipeline(t *testing.T) {
	t.Parallel()
	var paths []string
	c := dial(t, start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		w.Header().Set("X-Path", r.URL.Path)
	})))
	c.send("\r\nPOST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" +
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
