package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// bareCmd is the baseline bare, which is also a push provider that answers at
// once: a net/http handler that answers 204 and does nothing else.
type bareCmd struct{}

// Run serves until ctx ends.
func (*bareCmd) Run(ctx context.Context) error {
	return serveBaseline(ctx, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
}

// serveBaseline serves on a free port, which it prints.
func serveBaseline(ctx context.Context, handler http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	printListening(os.Stdout, "http://"+l.Addr().String())
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// printListening prints what [startSelf] waits for.
func printListening(out io.Writer, url string) { fmt.Fprintln(out, "listening:", url) }

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
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(30 * time.Second) {
		return errors.New("starting nats-server: it does not become ready")
	}
	printListening(os.Stdout, s.ClientURL())
	<-ctx.Done()
	return nil
}

// runBare runs the baseline bare.
func runBare(ctx context.Context, connections int, duration time.Duration) (*result, error) {
	s, url, err := startSelf(ctx, "bare")
	if err != nil {
		return nil, err
	}
	defer s.stop()
	t, err := newTarget(url, dialects["sap_v1"], newUsers().sessions)
	if err != nil {
		return nil, err
	}
	return load{target: t, next: endless(), connections: connections, duration: duration}.run(ctx)
}

// inlineUsers is how many users a second are registered for a run of the
// baseline inline: more than it logs out.
const inlineUsers = 15_000

// runInline runs the baseline inline in a dialect, with users as they are in
// like.
func runInline(ctx context.Context, r *redisServer, dialectName string, like *users, connections int, duration time.Duration) (*result, error) {
	s, url, err := startSelf(ctx, "inline", "--redis", r.client.Options().Addr)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	u := newUsers()
	u.Sessions, u.RefreshTokens = like.Sessions, like.RefreshTokens
	if err := u.registerInline(ctx, r.client, int(inlineUsers*duration.Seconds())); err != nil {
		return nil, err
	}
	t, err := newTarget(url, dialects[dialectName], u.sessions)
	if err != nil {
		return nil, err
	}
	return load{target: t, next: u.next, connections: connections, duration: duration}.run(ctx)
}

// between runs a measurement between two runs of its baseline, so that both
// meet the same machine, and returns the baseline's throughput.
func between(baseline func() (*result, error), measure func() error) (perSecond float64, err error) {
	before, err := baseline()
	if err != nil {
		return 0, err
	}
	if err := measure(); err != nil {
		return 0, err
	}
	after, err := baseline()
	if err != nil {
		return 0, err
	}
	return (before.throughput() + after.throughput()) / 2, nil
}
