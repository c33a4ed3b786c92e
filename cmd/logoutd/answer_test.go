package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAnswersAreBounded has a server whose answer is valid but starts with
// more blanks than a command reads.
func TestAnswersAreBounded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		blanks := bytes.Repeat([]byte(" "), 1<<20)
		for range maxAnswer >> 20 {
			if _, err := w.Write(blanks); err != nil {
				return
			}
		}
		_, _ = io.WriteString(w, `{"lines":1}`)
	}))
	defer server.Close()
	t.Setenv(adminTokenSetting, scriptToken)
	flags := clientFlags{AdminURL: server.URL}
	if err := flags.call(t.Context(), "GET", "/v1/overview", nil, &imported{}); err == nil {
		t.Error("a call read an answer of more than maxAnswer bytes")
	}
	var out bytes.Buffer
	command := importCmd{clientFlags: flags, File: "-"}
	if err := command.Run(t.Context(), &terminal{in: bufio.NewReader(strings.NewReader("{}\n")), out: &out, err: io.Discard}); err == nil {
		t.Errorf("an import read an answer of more than maxAnswer bytes: %s", out.String())
	}
}
