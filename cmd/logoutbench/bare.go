package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
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
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	printListening(os.Stdout, "http://"+l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
