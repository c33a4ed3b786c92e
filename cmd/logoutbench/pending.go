package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// leavePending puts SAP v2 logouts of n users on the stream, as a front end
// leaves them when it has accepted them and no worker runs.
func leavePending(ctx context.Context, natsURL string, u *users, n int) error {
	conn, err := broker.Connect(broker.ConnectConfig{URL: natsURL, Name: "bench"})
	if err != nil {
		return fmt.Errorf("leaving requests pending: %w", err)
	}
	defer conn.Close()
	js, err := broker.JetStream(conn)
	if err != nil {
		return fmt.Errorf("leaving requests pending: %w", err)
	}
	publisher := broker.NewPublisher(js, nil)
	defer publisher.Close()
	publishing, ctx := errgroup.WithContext(ctx)
	publishing.SetLimit(4)
	for begin := 0; begin < n; begin += messages.MaxBatch {
		requests, err := u.requests(dialects["sap_v2"], min(messages.MaxBatch, n-begin))
		if err != nil {
			return fmt.Errorf("leaving requests pending: %w", err)
		}
		publishing.Go(func() error { return publisher.Requests(ctx, requests...) })
	}
	return publishing.Wait()
}
