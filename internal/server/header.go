package server

import (
	"bytes"
	"net/http"
	"strings"
)

// canonicalize brings the names of a header block into the form that
// http.Header has them in, in place, and returns how many lines there are. It
// is false where the block may be read in two ways (RFC 9112, section 5): a
// line that ends in a bare line feed, a folded line, space in or after a name.
// What bytes a value may have was checked by fasthttp.
func canonicalize(block []byte) (lines int, ok bool) {
	for len(block) > 0 {
		end := bytes.IndexByte(block, '\n')
		if end < 1 || block[end-1] != '\r' {
			return 0, false
		}
		line := block[:end-1]
		block = block[end+1:]
		if len(line) == 0 {
			return lines, len(block) == 0
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 || !canonicalizeName(line[:colon]) {
			return 0, false
		}
		lines++
	}
	return lines, true
}

// canonicalizeName is http.CanonicalHeaderKey without allocations. It is false
// where the name is no token.
func canonicalizeName(name []byte) bool {
	upper := true
	for i, c := range name {
		switch {
		case !isToken[c]:
			return false
		case upper && 'a' <= c && c <= 'z':
			name[i] = c - 'a' + 'A'
		case !upper && 'A' <= c && c <= 'Z':
			name[i] = c - 'A' + 'a'
		}
		upper = c == '-'
	}
	return true
}

var (
	isToken = alphanumericAnd("!#$%&'*+-.^_`|~")     // RFC 9110, section 5.6.2
	isHost  = alphanumericAnd("!$%&'()*+,-.:;=[]_~") // RFC 3986, section 3.2.2, and a port
)

func alphanumericAnd(more string) (is [256]bool) {
	for c := range 256 {
		is[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	for _, c := range []byte(more) {
		is[c] = true
	}
	return is
}

// validHost reports whether a host consists of what may stand in one.
func validHost(host string) bool {
	for _, c := range []byte(host) {
		if !isHost[c] {
			return false
		}
	}
	return true
}

// fields returns the fields of a block of canonical lines, and apart from them
// Host. They share the memory of the block.
func fields(block string, lines int) (header http.Header, host string) {
	header = make(http.Header, max(0, lines-1)) // without Host
	values := make([]string, 0, lines)
	for range lines {
		line, rest, _ := strings.Cut(block, "\r\n")
		block = rest
		name, value, _ := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if name == "Host" {
			host = value
			continue
		}
		if earlier := header[name]; earlier != nil {
			header[name] = append(earlier, value)
			continue
		}
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return header, host
}

// hasToken reports whether a list of tokens names one, in any letter case.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.Trim(item, " \t"), token) {
				return true
			}
		}
	}
	return false
}
