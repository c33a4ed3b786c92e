package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var requests = []string{
	"POST /a HTTP/1.1\r\nHost: a.example:8080\r\n\r\n",
	"POST /a HTTP/1.1\r\nhOST: a\r\ncontent-TYPE:text/plain \t\r\nX_y.z:\t \r\n-x-: 1\r\n\r\n",
	"POST /a HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=\"2 3\";;c\r\nX-A: 1\r\ncookie: a=\x80\xff; =x; d=e=f,g\r\nCOOKIE:\r\nX-A: 2\r\n\r\n",
	"POST /%2Fa%20b/..;jsessionid=t%3Bx;y?q=%zz&r=http://b/&s#f HTTP/1.1\r\nHost: a\r\n\r\n",
	"POST //b.example/../c\xe9?\xff HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET http://b.example:1/c?d HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET http:///c HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET http://user:password@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
	"get / HTTP/1.1\r\nHost: a\r\n\r\n",
	"M-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n",
	"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
	"DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
	"DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 0020\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nnot a form, end",
	"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n00003;x=\"y\"\r\ncde\r\n0\r\n\r\n",
	"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nab\r\n0\r\nX-Trailer: 1\r\n\r\n",
	"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n" + strings.Repeat("x", 70000),
	"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-A\r\nUpgrade: websocket\r\n\r\n",
	"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
}

// TestRequestsAreThoseOfNetHTTP: a handler sees the same of them, sent on one
// connection one after the other.
func TestRequestsAreThoseOfNetHTTP(t *testing.T) {
	t.Parallel()
	var seen strings.Builder
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(&seen, "%s %q %q %s %d %d host %q\n  %q\n  cookies %q\n  length %d %q close %v, %d bytes %x %v\n",
			r.Method, r.RequestURI, []string{r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.URL.String()}, r.Proto, r.ProtoMajor, r.ProtoMinor, r.Host, r.Header, r.Cookies(),
			r.ContentLength, r.TransferEncoding, r.Close, len(body), body[:min(len(body), 50)], err)
	})
	see := func(addr string) string {
		seen.Reset()
		c := dial(t, addr)
		for _, request := range requests {
			c.send(request)
			method, _, _ := strings.Cut(request, " ")
			if response, body := c.answer(method); response.StatusCode != http.StatusOK {
				t.Errorf("%.60q: %d %q", request, response.StatusCode, body)
			}
		}
		c.expectEnd()
		return seen.String()
	}
	theirs := httptest.NewServer(h)
	defer theirs.Close()
	want := see(theirs.Listener.Addr().String())
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(see(start(t, h)), "\n")); diff != "" {
		t.Errorf("-net/http +this:\n%s", diff)
	}
}

// TestRemoteAddr is the client's.
func TestRemoteAddr(t *testing.T) {
	t.Parallel()
	c := dial(t, start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.RemoteAddr)
	})))
	c.send(logout)
	if _, body := c.answer(http.MethodPost); body != c.LocalAddr().String() {
		t.Errorf("remote address %q, want %q", body, c.LocalAddr())
	}
}

// TestRequestsMayBeKept: what a handler has read stays when the memory of the
// connection is used again.
func TestRequestsMayBeKept(t *testing.T) {
	t.Parallel()
	const requests = 10
	var kept []*http.Request
	c := dial(t, start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept = append(kept, r) })))
	for i := range requests {
		c.send(strings.ReplaceAll("PUT# /#?# HTTP/1.1\r\nHost: #\r\nX-#: #\r\nCookie: #=#\r\nContent-Length: 1\r\n\r\n#", "#", fmt.Sprint(i)))
		c.expect(http.StatusOK)
	}
	for i, r := range kept {
		n := fmt.Sprint(i)
		for _, got := range []string{r.Method[3:], r.URL.Path[1:], r.URL.RawQuery, r.RequestURI[1:2], r.Host, r.Header.Get("X-" + n), r.Cookies()[0].Name} {
			if got != n {
				t.Errorf("request %d has become %v", i, r)
			}
		}
		if _, err := r.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
			t.Errorf("a body after its request: %v", err)
		}
	}
}
