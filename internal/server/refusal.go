package server

import (
	"errors"
	"net"
	"net/http"

	"github.com/valyala/fasthttp"
)

// refusal is the answer to what is no request. The connection ends with it:
// nobody knows where the next request begins. The text says nothing of what
// the client sent.
type refusal struct {
	status int
	text   string
}

var (
	requestMalformed   = refusal{http.StatusBadRequest, "The request line or the header is malformed."}
	headerMalformed    = refusal{http.StatusBadRequest, "The header is malformed."}
	hostMalformed      = refusal{http.StatusBadRequest, "The host is malformed."}
	targetMalformed    = refusal{http.StatusBadRequest, "The request target is malformed."}
	lengthAmbiguous    = refusal{http.StatusBadRequest, "Content-Length and Transfer-Encoding leave open where the request ends."}
	expectationUnknown = refusal{http.StatusExpectationFailed, "The expectation is not 100-continue."}
	tooSlow            = refusal{http.StatusRequestTimeout, "The request did not arrive in time."}
	headerTooLarge     = refusal{http.StatusRequestHeaderFieldsTooLarge, "Request line and header are larger than 16 KiB."}
	codingUnsupported  = refusal{http.StatusNotImplemented, "The transfer coding is not chunked."}
	versionUnsupported = refusal{http.StatusHTTPVersionNotSupported, "The version is neither HTTP/1.1 nor HTTP/1.0."}
)

// answer answers with r and has the connection closed.
func (r *refusal) answer(ctx *fasthttp.RequestCtx) {
	ctx.Error(r.text+"\n", r.status)
	ctx.SetConnectionClose()
	ctx.Conn().(*conn).sending.Store(true)
}

// refuseUnread answers what fasthttp could not read.
func refuseUnread(ctx *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	var network net.Error
	r := requestMalformed
	switch {
	case errors.As(err, &small):
		r = headerTooLarge
	case errors.As(err, &network) && network.Timeout():
		r = tooSlow
	case errors.Is(err, fasthttp.ErrDuplicateContentLength):
		r = lengthAmbiguous
	case errors.Is(err, fasthttp.ErrUnsupportedTransferEncoding):
		r = codingUnsupported
	}
	r.answer(ctx)
}
