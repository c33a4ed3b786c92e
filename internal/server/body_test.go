package server_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// ignoresBody logs out without a look at the body.
var ignoresBody = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })

// TestBodyIsIgnored: the next request begins behind it, or there is none.
func TestBodyIsIgnored(t *testing.T) {
	t.Parallel()
	addr := start(t, ignoresBody)
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	head := "POST / HTTP/1.1\r\nHost: a\r\n"
	for name, tt := range map[string]struct {
		request string
		goesOn  bool
	}{
		"none":                {head + "\r\n", true},
		"short":               {head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(smuggled), smuggled), true},
		"chunked":             {head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), true},
		"long":                {head + "Content-Length: 262144\r\n\r\n" + strings.Repeat("x", 262144), true},
		"too long":            {head + "Content-Length: 262145\r\n\r\n" + strings.Repeat("x", 262145), false},
		"too long in chunks":  {head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("8000\r\n"+strings.Repeat("x", 0x8000)+"\r\n", 9) + "0\r\n\r\n", false},
		"malformed chunks":    {head + "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n" + smuggled, false},
		"much too long":       {head + "Content-Length: 9223372036854775807\r\n\r\n" + strings.Repeat("x", 1<<20), false},
		"chunk of a bare CR":  {head + "Transfer-Encoding: chunked\r\n\r\n2;\rx\r\nab\r\n0\r\n\r\n" + smuggled, false},
		"trailer with a host": {head + "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n", true},
		"folded trailer":      {head + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n c\r\n\r\n" + smuggled, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, addr)
			go func() { _, _ = io.WriteString(c.Conn, tt.request) }()
			response, _ := c.answer(http.MethodPost)
			if response.StatusCode != http.StatusNoContent || response.Close == tt.goesOn {
				t.Fatalf("answer %v, want 204 and that the connection goes on: %v", response, tt.goesOn)
			}
			if !tt.goesOn {
				c.expectEnd()
				return
			}
			c.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			c.expect(http.StatusNoContent)
			c.expectEnd()
		})
	}
}

// TestBodyEndsEarly, in all ways there are.
func TestBodyEndsEarly(t *testing.T) {
	t.Parallel()
	addr := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			http.Error(w, fmt.Sprint(err), http.StatusInternalServerError)
		}
	}))
	for _, rest := range []string{
		"Content-Length: 3\r\n\r\nab", "Content-Length: 30000\r\n\r\n" + strings.Repeat("x", 20000),
		"Transfer-Encoding: chunked\r\n\r\n3\r\nab", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "Transfer-Encoding: chunked\r\n\r\n",
	} {
		c := dial(t, addr)
		c.send("POST / HTTP/1.1\r\nHost: a\r\n" + rest)
		c.endSending()
		c.expect(http.StatusOK)
		c.expectEnd()
	}
}

func (c client) endSending() {
	_ = c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// TestBodyTooLarge is for the handler to say; whoever still sends can read it.
func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var tooLarge *http.MaxBytesError
		if _, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<10)); errors.As(err, &tooLarge) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
	})))
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 50000))
	c.expect(http.StatusRequestEntityTooLarge)
	c.send(strings.Repeat("x", 50000))
	c.endSending()
	c.expectEnd()
}

// TestContinue: a client may wait with its body until it is asked for it.
func TestContinue(t *testing.T) {
	t.Parallel()
	addr := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	for _, expectation := range []string{"100-continue", "100-Continue"} {
		c := dial(t, addr)
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: " + expectation + "\r\n\r\n")
		c.expect(http.StatusContinue)
		c.send("ab")
		if _, body := c.answer(http.MethodPost); body != "ab" {
			t.Errorf("body %q", body)
		}
	}
	old := dial(t, addr)
	old.send("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab")
	old.expect(http.StatusOK)
}
