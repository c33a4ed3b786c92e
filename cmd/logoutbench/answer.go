package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strconv"
)

// answer is what the load needs to know of an HTTP answer.
type answer struct {
	status int
	last   bool // the connection cannot be used again
}

var errMalformed = errors.New("malformed answer")

// readAnswer reads one answer to a request that was not HEAD, with its body
// (RFC 9112, section 6.3).
func readAnswer(in *bufio.Reader) (answer, error) {
	for {
		a, body, err := readHead(in)
		if err != nil {
			return answer{}, err
		}
		if a.status < http.StatusOK { // more of the answer comes (RFC 9110, section 15.2)
			continue
		}
		if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
			return a, nil
		}
		return skipBody(in, a, body)
	}
}

// framing says where a body ends.
type framing struct {
	length  int // -1: not told
	chunked bool
}

func readHead(in *bufio.Reader) (answer, framing, error) {
	body := framing{length: -1}
	line, err := readLine(in)
	if err != nil {
		return answer{}, body, err
	}
	a, err := parseStatus(line)
	for err == nil {
		if line, err = readLine(in); err != nil || len(line) == 0 {
			break
		}
		err = readField(line, &a, &body)
	}
	return a, body, err
}

// parseStatus reads "HTTP/1.1 204 No Content".
func parseStatus(line []byte) (answer, error) {
	if len(line) < len("HTTP/1.1 204") || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' {
		return answer{}, fmt.Errorf("%w: it begins with %.20q", errMalformed, line)
	}
	a := answer{last: line[7] == '0'}
	for _, digit := range line[9:12] {
		if digit < '0' || digit > '9' {
			return answer{}, fmt.Errorf("%w: status %.3q", errMalformed, line[9:12])
		}
		a.status = a.status*10 + int(digit-'0')
	}
	return a, nil
}

// readField takes what matters out of one header field.
func readField(line []byte, a *answer, body *framing) (err error) {
	if line[0]|0x20 != 'c' && line[0]|0x20 != 't' {
		return nil
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		if body.length, err = strconv.Atoi(string(value)); err != nil || body.length < 0 {
			return fmt.Errorf("%w: Content-Length %.20q", errMalformed, value)
		}
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		body.chunked = bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("Connection")):
		a.last = a.last || bytes.EqualFold(value, []byte("close"))
	}
	return nil
}

func skipBody(in *bufio.Reader, a answer, body framing) (_ answer, err error) {
	switch {
	case body.chunked:
		err = skipChunks(in)
	case body.length >= 0:
		_, err = in.Discard(body.length)
	default:
		a.last = true
		_, err = io.Copy(io.Discard, in)
	}
	return a, err
}

func skipChunks(in *bufio.Reader) error {
	if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(in)); err != nil {
		return err
	}
	for { // trailers, up to an empty line
		line, err := readLine(in)
		if err != nil || len(line) == 0 {
			return err
		}
	}
}

// readLine returns a line without its end, valid until the next read.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}
