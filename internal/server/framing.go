package server

import (
	"bytes"
	"strconv"
	"strings"
)

// framing follows the requests on an HTTP/1 connection and finds those whose
// end is ambiguous (RFC 9112, sections 2.2, 5.2 and 6). Its zero value is the
// start of a connection. It is at least as strict as net/http about where a
// body ends, so that both agree on where the next request begins.
type framing struct {
	next    part
	line    []byte // the beginning of a line whose end has not arrived
	left    int64  // bytes to skip: a body, or the data of a chunk
	preface string // what must follow the first line of the HTTP/2 preface

	// Of the request whose header is read:
	old     bool // HTTP/1.0
	length  int64
	sized   bool // there was a Content-Length
	chunked bool // there was a Transfer-Encoding
}

// part is what the next line belongs to.
type part int

const (
	firstLine   part = iota // of the connection
	requestLine             // of another request
	fieldLine
	chunkSize
	chunkEnd
	trailerLine
	prefaceLine
	opaque // HTTP/2
)

// prefaceRest follows "PRI * HTTP/2.0" (RFC 9113, section 3.4).
const prefaceRest = "\r\nSM\r\n\r\n"

// scan looks at the next bytes, and returns how many of them are good. All are,
// or it ends before the line feed of an ambiguous line, so that net/http sees no
// complete header.
func (f *framing) scan(p []byte) (clean int) {
	for clean < len(p) {
		if f.next == opaque {
			return len(p)
		}
		if f.left > 0 {
			n := min(f.left, int64(len(p)-clean))
			f.left -= n
			clean += int(n)
			continue
		}
		end := clean + bytes.IndexByte(p[clean:], '\n') + 1
		if end == clean {
			f.line = append(f.line, p[clean:]...)
			return len(p)
		}
		line := p[clean:end]
		if f.line != nil {
			line = append(f.line, line...)
			f.line = nil
		}
		if !f.take(line) {
			return end - 1
		}
		clean = end
	}
	return clean
}

// take reports whether a line is unambiguous.
func (f *framing) take(line []byte) bool {
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok {
		return false
	}
	switch f.next {
	case firstLine, requestLine:
		return f.takeRequestLine(text)
	case fieldLine:
		return f.takeField(text)
	case chunkSize:
		return f.takeChunkSize(text)
	case chunkEnd:
		f.next = chunkSize
		return len(text) == 0
	case trailerLine:
		if len(text) == 0 {
			f.next = requestLine
		}
		return !folded(text)
	default: // prefaceLine
		f.preface, ok = strings.CutPrefix(f.preface, string(line))
		if f.preface == "" {
			f.next = opaque
		}
		return ok
	}
}

func (f *framing) takeRequestLine(text []byte) bool {
	switch {
	case len(text) == 0: // net/http skips some of these behind a POST
		return true
	case bytes.HasPrefix(text, []byte("PRI ")):
		first := f.next == firstLine
		f.next, f.preface = prefaceLine, prefaceRest
		return first && string(text) == "PRI * HTTP/2.0"
	}
	*f = framing{next: fieldLine, old: bytes.HasSuffix(text, []byte(" HTTP/1.0"))}
	return true
}

func (f *framing) takeField(text []byte) bool {
	if len(text) == 0 {
		f.endHeader()
		return true
	}
	name, value, found := bytes.Cut(text, []byte(":"))
	switch {
	case !found || folded(text):
		return false
	case bytes.EqualFold(name, []byte("Content-Length")):
		length, err := strconv.ParseUint(string(bytes.Trim(value, " \t")), 10, 63)
		ambiguous := f.sized || f.chunked || err != nil
		f.length, f.sized = int64(length), true
		return !ambiguous
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.chunked = true // or net/http refuses it
		return !f.sized && !f.old
	}
	return true
}

func (f *framing) endHeader() {
	f.next, f.left = requestLine, f.length
	if f.chunked {
		f.next = chunkSize
	}
}

func (f *framing) takeChunkSize(text []byte) bool {
	digits, _, _ := bytes.Cut(text, []byte(";"))
	size, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 63)
	f.next, f.left = chunkEnd, int64(size)
	if size == 0 {
		f.next = trailerLine
	}
	return err == nil
}

// folded reports whether a line continues the one before it (RFC 9112, section
// 5.2).
func folded(text []byte) bool { return len(text) > 0 && (text[0] == ' ' || text[0] == '\t') }
