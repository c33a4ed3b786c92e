package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsServerCmd is nats-server as a process of its own, which syncs each
// message to disk before it acknowledges it.
type natsServerCmd struct {
	Dir string `required:"" help:"Where the streams are kept."`
}

// Run serves until ctx ends.
func (c *natsServerCmd) Run(ctx context.Context) error {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT,
		JetStream: true, StoreDir: c.Dir, SyncAlways: true, NoSigs: true,
	})
	if err != nil {
		return fmt.Errorf("starting nats-server: %w", err)
	}
	s.Start()
	defer func() {
		s.Shutdown()
		s.WaitForShutdown()
	}()
	if !s.ReadyForConnections(30 * time.Second) {
		return errors.New("starting nats-server: it does not become ready")
	}
	printListening(os.Stdout, s.ClientURL())
	<-ctx.Done()
	return nil
}
