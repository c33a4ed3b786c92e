package main

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wire string
		want answer
		rest string // what the next answer would begin with
	}{
		"no content":         {"HTTP/1.1 204 No Content\r\nDate: x\r\n\r\nNEXT", answer{status: 204}, "NEXT"},
		"no reason":          {"HTTP/1.1 204 \r\n\r\nNEXT", answer{status: 204}, "NEXT"},
		"bare line feeds":    {"HTTP/1.1 204 No Content\nA: b\n\nNEXT", answer{status: 204}, "NEXT"},
		"length":             {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloNEXT", answer{status: 200}, "NEXT"},
		"length, lower case": {"HTTP/1.1 503 X\r\ncontent-length:5 \r\n\r\nhelloNEXT", answer{status: 503}, "NEXT"},
		"empty body":         {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nNEXT", answer{status: 200}, "NEXT"},
		"204 with a length":  {"HTTP/1.1 204 X\r\nContent-Length: 4\r\n\r\nNEXT", answer{status: 204}, "NEXT"},
		"chunked":            {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nNEXT", answer{status: 200}, "NEXT"},
		"chunked, trailer":   {"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\nNEXT", answer{status: 200}, "NEXT"},
		"early hints":        {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 X\r\n\r\nNEXT", answer{status: 204}, "NEXT"},
		"close":              {"HTTP/1.1 204 X\r\nConnection: Close\r\n\r\n", answer{status: 204, last: true}, ""},
		"until it closes":    {"HTTP/1.1 200 OK\r\n\r\nall of this", answer{status: 200, last: true}, ""},
		"HTTP/1.0":           {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", answer{status: 200, last: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := bufio.NewReader(strings.NewReader(c.wire))
			got, err := readAnswer(in)
			if err != nil || got != c.want {
				t.Errorf("answer is %+v, %v; want %+v", got, err, c.want)
			}
			if rest, _ := io.ReadAll(in); string(rest) != c.rest {
				t.Errorf("%q is left, want %q", rest, c.rest)
			}
		})
	}
}

func TestReadAnswerRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wire string
		want error
	}{
		"nothing":          {"", io.EOF},
		"not HTTP":         {"SSH-2.0-x very much another protocol\r\n\r\n", errMalformed},
		"HTTP/2":           {"HTTP/2.0 204 No Content\r\n\r\n", errMalformed},
		"status":           {"HTTP/1.1 2x4 No Content\r\n\r\n", errMalformed},
		"length":           {"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n", errMalformed},
		"negative length":  {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", errMalformed},
		"cut off in head":  {"HTTP/1.1 204 No Content\r\nDate", io.EOF},
		"cut off in body":  {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", io.EOF},
		"cut off in chunk": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", io.ErrUnexpectedEOF},
		"endless field":    {"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 1<<16), bufio.ErrBufferFull},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if a, err := readAnswer(bufio.NewReader(strings.NewReader(c.wire))); !errors.Is(err, c.want) {
				t.Errorf("answer is %+v, %v; want error %v", a, err, c.want)
			}
		})
	}
}
