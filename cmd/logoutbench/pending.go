package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/embedded"
)

// leavePending puts logouts of n users of a crowd on the stream of a
// deployment that is stopped, as a front end leaves them when it has accepted
// them and no worker runs. An empty natsURL means the embedded broker.
func leavePending(ctx context.Context, d *deployment, natsURL string, c *crowd, dialectName string, n int) error {
	conn, release, err := openBroker(d, natsURL)
	if err != nil {
		return fmt.Errorf("leaving requests pending: %w", err)
	}
	defer release()
	js, err := events.JetStream(conn)
	if err != nil {
		return fmt.Errorf("leaving requests pending: %w", err)
	}
	if err := events.Setup(ctx, js); err != nil {
		return fmt.Errorf("leaving requests pending: %w", err)
	}
	publisher := events.NewPublisher(js, nil)
	defer publisher.Close()
	publishing, ctx := errgroup.WithContext(ctx)
	publishing.SetLimit(4)
	for begin := 0; begin < n; begin += events.MaxBatch {
		requests, err := c.requests(dialects[dialectName], min(events.MaxBatch, n-begin))
		if err != nil {
			return fmt.Errorf("leaving requests pending: %w", err)
		}
		publishing.Go(func() error { return publisher.Requests(ctx, requests...) })
	}
	return publishing.Wait()
}

func openBroker(d *deployment, natsURL string) (conn *nats.Conn, release func(), err error) {
	if natsURL != "" {
		conn, err = events.Connect(events.ConnectConfig{URL: natsURL, Name: "bench"})
		if err != nil {
			return nil, nil, err
		}
		return conn, conn.Close, nil
	}
	broker, err := embedded.Start(embedded.Config{Dir: d.brokerDir(), Listen: "-"})
	if err != nil {
		return nil, nil, err
	}
	if conn, err = broker.Connect(events.ConnectConfig{Name: "bench"}); err != nil {
		broker.Close()
		return nil, nil, err
	}
	return conn, func() { conn.Close(); broker.Close() }, nil
}

// requests returns the logout requests of the next n users.
func (c *crowd) requests(d dialect, n int) ([]events.Request, error) {
	requests := make([]events.Request, n)
	now := events.At(time.Now())
	for i := range requests {
		session, ok := c.next()
		if !ok {
			return nil, fmt.Errorf("only %d of %d users are left", i, n)
		}
		id := c.sessionID(session)
		requests[i] = events.Request{
			ID: events.RequestID(string(d.scope), id), Dialect: d.name, Initiator: events.InitiatorUser,
			Scope: string(d.scope), SessionID: id, UserID: c.userID(session / c.Sessions),
			AuthenticatedAt: events.At(c.authenticated), Cutoff: now, Fenced: true, RequestedAt: now,
		}
	}
	return requests, nil
}
