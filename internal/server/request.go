package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"
)

// What fasthttp calls the length of a body that is chunked, or not there.
const (
	lengthChunked = -1
	lengthNone    = -2
)

// exchange is a request and its answer, in one piece of memory.
type exchange struct {
	ctx      *fasthttp.RequestCtx
	request  http.Request
	body     body
	response response
}

// newExchange makes a request of net/http of what fasthttp has read. Its
// strings are copies, so that a handler may keep them.
func newExchange(ctx *fasthttp.RequestCtx) (*exchange, *refusal) {
	read := &ctx.Request.Header
	minor := 1
	switch string(read.Protocol()) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		minor = 0
	default:
		return nil, &versionUnsupported
	}
	block, target := read.RawHeaders(), read.RequestURI()
	lines, ok := canonicalize(block)
	if !ok {
		return nil, &headerMalformed
	}
	var text strings.Builder
	text.Grow(len(block) + len(target))
	text.Write(block)
	text.Write(target)
	uri := text.String()[len(block):]
	u, err := url.ParseRequestURI(uri)
	if err != nil || u.Opaque != "" { // CONNECT a:80, to net/http: this is no proxy
		return nil, &targetMalformed
	}
	header, host := fields(text.String()[:len(block)], lines)
	if refused := checkFraming(header); refused != nil {
		return nil, refused
	}
	if !validHost(host) {
		return nil, &hostMalformed
	}
	if u.Host != "" { // RFC 9112, section 3.2.2
		host = u.Host
	}

	x := &exchange{ctx: ctx, request: http.Request{
		Method: method(read.Method()), URL: u, RequestURI: uri,
		Proto: protos[minor], ProtoMajor: 1, ProtoMinor: minor,
		Header: header, Host: host, RemoteAddr: ctx.Conn().(*conn).client,
		Close: closes(header["Connection"], minor),
	}}
	x.response.exchange = x
	x.receive(int64(read.ContentLength()))
	return x, nil
}

var protos = [...]string{"HTTP/1.0", "HTTP/1.1"}

// receive gives the request its body.
func (x *exchange) receive(length int64) {
	if length == 0 || length == lengthNone {
		x.request.Body = http.NoBody
		return
	}
	x.request.ContentLength = length
	x.body = body{conn: x.ctx.Conn().(*conn), stream: x.ctx.RequestBodyStream(), left: length}
	x.request.Body = &x.body
	if length == lengthChunked {
		x.request.TransferEncoding = []string{"chunked"}
		delete(x.request.Header, "Transfer-Encoding")
	}
}

// checkFraming refuses what leaves open where the request ends (RFC 9112,
// section 6.3), and expectations that cannot be met.
func checkFraming(header http.Header) *refusal {
	lengths, codings := header["Content-Length"], header["Transfer-Encoding"]
	switch {
	case len(lengths)+len(codings) > 1:
		return &lengthAmbiguous
	case len(codings) == 1 && !strings.EqualFold(codings[0], "chunked"):
		return &codingUnsupported
	}
	for _, expectation := range header["Expect"] {
		if !strings.EqualFold(expectation, continues) {
			return &expectationUnknown
		}
	}
	return nil
}

// closes reports whether the client wants no more than this answer.
func closes(connection []string, minor int) bool {
	return hasToken(connection, "close") || minor == 0 && !hasToken(connection, "keep-alive")
}

// method saves the allocation for those that are usual.
func method(name []byte) string {
	switch string(name) {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodHead:
		return http.MethodHead
	case http.MethodPost:
		return http.MethodPost
	case http.MethodDelete:
		return http.MethodDelete
	case http.MethodOptions:
		return http.MethodOptions
	default:
		return string(name)
	}
}

// finish completes the answer once the handler has returned, and decides
// whether the connection goes on: only behind the body the next request begins.
func (x *exchange) finish() {
	x.response.finish()
	ends := x.request.Close || x.ctx.Response.ConnectionClose() ||
		x.response.status == http.StatusRequestEntityTooLarge // whoever sends too much sends more
	if !ends {
		x.body.skip()
	}
	if complete := x.body.complete(); ends || !complete {
		x.ctx.SetConnectionClose()
		x.ctx.Conn().(*conn).sending.Store(!complete)
	}
	x.body.closed = true // its memory is used again
}
