package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/logoutd/logoutd/events"
)

// maxEvent is how long a public event may be: 1,000 session ids, and more.
const maxEvent = 1 << 20

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
			} else if ctx.Err() != nil {
				ended = ctx.Err() // it was cut off
			}
		}
		if ended == nil {
			ended = lines.Err()
		}
	})
	return func() error {
		cancel()
		following.Wait()
		if ended != nil && !errors.Is(ended, context.Canceled) {
			return fmt.Errorf("following events: %w", ended)
		}
		return nil
	}, nil
}
