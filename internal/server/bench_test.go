package server_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/logoutd/logoutd/internal/server"
)

// logout is a request as apps send it: cookies, trace context, no body.
const logout = "POST /mobileservices/sessions/logout HTTP/1.1\r\nHost: logout.example\r\n" +
	"User-Agent: app/1.2 (phone)\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nContent-Length: 0\r\n" +
	"Cookie: X-SMP-SESSID=tok-alice; X-SMP-SESSIDSSO=tok-alice-too; theme=dark\r\n" +
	"X-Request-Id: 5f0d1a2b\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n"

// nothing reads what a logout reads, and answers as one does.
var nothing = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Traceparent") == "" || r.Header.Get("Cookie") == "" {
		http.Error(w, "bad", http.StatusBadRequest)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
})

// BenchmarkServe answers logouts on one connection that is kept alive.
func BenchmarkServe(b *testing.B) {
	b.Run("this", func(b *testing.B) { benchmark(b, server.New(server.Config{Handler: nothing}).Serve) })
	b.Run("net_http", func(b *testing.B) { benchmark(b, (&http.Server{Handler: nothing}).Serve) })
}

func benchmark(b *testing.B, serve func(net.Listener) error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() { _ = serve(l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.WriteString(conn, logout); err != nil {
			b.Fatal(err)
		}
		for {
			line, err := answers.ReadSlice('\n')
			if err != nil {
				b.Fatal(err)
			}
			if len(line) == 2 {
				break
			}
		}
	}
}
