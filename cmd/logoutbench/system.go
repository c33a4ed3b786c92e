package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/httpclient"
)

// callTimeout is for calls that take a moment only.
const callTimeout = 10 * time.Second

// client is that of calls to the admin listener, each of which its context
// bounds.
var client = httpclient.New(httpclient.Config{})

// system is a running logoutd, seen from outside.
type system struct {
	public string // URL of the public listener
	admin  string // URL of the admin listener
	token  string // of the admin API
}

// call sends a request to the admin listener and returns the body of a 200,
// which the caller closes.
func (s *system) call(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.admin, "/")+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(response.Body, 500))
	return nil, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(said))
}

// ready tells whether the system says that it is.
func (s *system) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := s.call(ctx, "GET", "/readyz", nil)
	if err != nil {
		return false
	}
	return body.Close() == nil
}

// imported is what POST /v1/import answers.
type imported struct {
	Lines    int `json:"lines"`
	Rejected int `json:"rejected"`
	Errors   []struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
	} `json:"errors"`
}

// importLines registers what the lines hold. One that is rejected is an error.
func (s *system) importLines(ctx context.Context, lines []byte) error {
	body, err := s.call(ctx, "POST", "/v1/import", bytes.NewReader(lines))
	if err != nil {
		return fmt.Errorf("registering: %w", err)
	}
	defer body.Close()
	var answer imported
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return fmt.Errorf("registering: %w", err)
	}
	if answer.Rejected > 0 && len(answer.Errors) > 0 {
		first := answer.Errors[0]
		return fmt.Errorf("registering: %d of %d lines were rejected: %s: %s", answer.Rejected, answer.Lines, first.Field, first.Detail)
	}
	return nil
}
