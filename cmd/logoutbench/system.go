package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/httpclient"
)

// client is that of calls to the admin listener, each of which its context
// bounds.
var client = httpclient.New(httpclient.Config{})

const (
	// callTimeout is for calls that take a moment only.
	callTimeout = 10 * time.Second
	// settleTimeout is how long a backlog may take to be worked off.
	settleTimeout = 5 * time.Minute
	// settleEvery is how often the backlog is read. The broker is asked for it
	// each time, which takes time from what is measured.
	settleEvery = 100 * time.Millisecond
	// maxEvent is how long a public event may be: 1,000 session ids, and more.
	maxEvent = 1 << 20
)

// system is a running logoutd, seen from outside.
type system struct {
	public string // URL of the public listener
	admin  string // URL of the admin listener
	token  string // of the admin API
	// shared: others use the system too, so that its backlog may never be empty.
	shared bool
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

// ready reports whether the system says that it is.
func (s *system) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := s.call(ctx, "GET", "/readyz", nil)
	return err == nil && body.Close() == nil
}

// importLines registers what the lines hold. One that is rejected is an error.
func (s *system) importLines(ctx context.Context, lines []byte) error {
	body, err := s.call(ctx, "POST", "/v1/import", bytes.NewReader(lines))
	if err != nil {
		return fmt.Errorf("registering: %w", err)
	}
	defer body.Close()
	var answer struct {
		Lines    int               `json:"lines"`
		Rejected int               `json:"rejected"`
		Errors   []json.RawMessage `json:"errors"`
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return fmt.Errorf("registering: %w", err)
	}
	if answer.Rejected > 0 {
		return fmt.Errorf("registering: %d of %d lines were rejected: %s", answer.Rejected, answer.Lines, answer.Errors)
	}
	return nil
}

// metric returns the sum of the samples of a metric that have all labels, given
// as name="value"; false where there is none.
func (s *system) metric(ctx context.Context, name string, labels ...string) (sum float64, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := s.call(ctx, "GET", "/metrics", nil)
	if err != nil {
		return 0, false, fmt.Errorf("reading metrics: %w", err)
	}
	defer body.Close()
	for lines := bufio.NewScanner(body); lines.Scan(); {
		series, value, _ := cutLast(lines.Text(), " ")
		metric, of, _ := strings.Cut(series, "{")
		if metric != name || !hasAll(of, labels) {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, false, fmt.Errorf("reading metrics: %w", err)
		}
		sum, found = sum+number, true
	}
	return sum, found, nil
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

func hasAll(series string, labels []string) bool {
	for _, label := range labels {
		if !strings.Contains(series, label) {
			return false
		}
	}
	return true
}

// settled waits until all is done that was accepted.
func (s *system) settled(ctx context.Context) error {
	if s.shared {
		return nil
	}
	return s.reach(ctx, 0, "logoutd_backlog_messages")
}

// reach waits until a metric has a value.
func (s *system) reach(ctx context.Context, value float64, name string, labels ...string) error {
	var now float64
	err := eventually(ctx, settleTimeout, func() (bool, error) {
		if err := pause(ctx, settleEvery-pollEvery); err != nil {
			return false, err
		}
		var found bool
		var err error
		now, found, err = s.metric(ctx, name, labels...)
		return found && now == value, err
	})
	if err != nil {
		return fmt.Errorf("waiting until %s is %.0f instead of %.0f: %w", name, value, now, err)
	}
	return nil
}

// follow calls seen for each public event from now on, with the id of its
// request and the time at which it came in, until stop is called.
func (s *system) follow(ctx context.Context, seen func(requestID string, at time.Time)) (stop func() error, err error) {
	ctx, cancel := context.WithCancel(ctx)
	body, err := s.call(ctx, "GET", "/v1/events", nil)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("following events: %w", err)
	}
	var following sync.WaitGroup
	var ended error
	following.Go(func() {
		defer body.Close()
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, maxEvent)
		for ended == nil && lines.Scan() {
			at := time.Now()
			var e events.Event[struct {
				RequestID string `json:"request_id"`
			}]
			if ended = json.Unmarshal(lines.Bytes(), &e); ended == nil {
				seen(e.Data.RequestID, at)
			}
		}
		ended = errors.Join(ended, lines.Err())
	})
	return func() error {
		wanted := ctx.Err() == nil
		cancel() // which cuts the last line off
		following.Wait()
		if wanted || ended == nil {
			return nil
		}
		return fmt.Errorf("following events: %w", ended)
	}, nil
}

// pause waits for d, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
