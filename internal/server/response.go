package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// response is the answer to a request. It is sent when the handler has
// returned.
type response struct {
	exchange *exchange
	header   http.Header
	status   int  // 0: WriteHeader was not called
	typed    bool // the handler says what the body is
	over     bool // the handler has returned
}

var errOver = errors.New("server: the handler has returned")

// Header returns the header, which counts as it is at the first WriteHeader or
// Write.
func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// WriteHeader fixes status and header. An informational status is not sent.
func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("server: invalid status %d", status))
	}
	if w.status != 0 || w.over || status < http.StatusOK {
		return
	}
	w.status = status
	w.exchange.ctx.SetStatusCode(status)
	_, w.typed = w.header["Content-Type"]
	w.typed = w.typed || w.header.Get("Content-Encoding") != ""
	var some [8]string // their order is then always the same
	names := some[:0]
	for name := range w.header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w.copyField(name)
	}
}

// copyField gives one field to fasthttp, which counts the body itself.
func (w *response) copyField(name string) {
	switch {
	case name == "Content-Length" && w.exchange.request.Method != http.MethodHead:
		return
	case name == "Content-Type" && w.status == http.StatusNotModified:
		return
	}
	for _, value := range w.header[name] {
		w.exchange.ctx.Response.Header.Add(name, value)
	}
}

// Write adds to the body, which is kept until the handler returns.
func (w *response) Write(p []byte) (int, error) {
	if err := w.begin(); err != nil {
		return 0, err
	}
	w.exchange.ctx.Response.AppendBody(p)
	return len(p), nil
}

// WriteString is Write.
func (w *response) WriteString(p string) (int, error) {
	if err := w.begin(); err != nil {
		return 0, err
	}
	w.exchange.ctx.Response.AppendBodyString(p)
	return len(p), nil
}

// begin prepares for a piece of the body.
func (w *response) begin() error {
	if w.over {
		return errOver
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return http.ErrBodyNotAllowed
	}
	return nil
}

// finish completes the answer once the handler has returned.
func (w *response) finish() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.over = true
	answer := &w.exchange.ctx.Response
	if body := answer.Body(); !w.typed && len(body) > 0 {
		answer.Header.SetContentType(http.DetectContentType(body))
	}
}

// fail replaces the answer: the handler panicked.
func (w *response) fail() {
	w.exchange.ctx.Error("The server failed to answer.\n", http.StatusInternalServerError)
	w.status, w.typed = http.StatusInternalServerError, true
	w.exchange.request.Close = true
}
