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
	following.Go(func() {
		defer body.Close()
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, maxEvent)
		for err == nil && lines.Scan() {
			at := time.Now()
			var e events.Event[struct {
				RequestID string `json:"request_id"`
			}]
			if err = json.Unmarshal(lines.Bytes(), &e); err == nil {
				seen(e.Data.RequestID, at)
			} else if ctx.Err() != nil {
				err = ctx.Err() // it was cut off
			}
		}
		if err == nil {
			err = lines.Err()
		}
	})
	return func() error {
		cancel()
		following.Wait()
		if err != nil && !errors.Is(err, context.Canceled) {
			return fmt.Errorf("following events: %w", err)
		}
		return nil
	}, nil
}
