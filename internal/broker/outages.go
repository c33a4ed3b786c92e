package broker

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connectionLog logs why the broker cannot be reached: each cause once, not
// each attempt.
type connectionLog struct {
	logger *slog.Logger

	mu sync.Mutex
	// causes are those logged since the last connection, the latest of each
	// server.
	causes []string
}

// unreachable logs why an attempt to connect failed, unless it is known.
func (l *connectionLog) unreachable(conn *nats.Conn, err error) {
	if errors.Is(err, nats.ErrNoServers) {
		return // the client has dropped the cause; the next attempt has it
	}
	cause, servers := causeOf(err), max(1, len(conn.Servers()))
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.causes, cause) {
		return
	}
	l.causes = append(l.causes, cause)
	l.causes = l.causes[max(0, len(l.causes)-servers):]
	l.logger.Warn("broker cannot be reached", "err", cause)
}

// follow logs what the client tells to no handler: an attempt that reached the
// server and was refused by it, say for the password or its certificate. It
// returns when the connection is closed.
func (l *connectionLog) follow(conn *nats.Conn, changed <-chan nats.Status) {
	for range changed {
		if conn.IsClosed() {
			return
		}
		if err := conn.LastError(); err != nil && !conn.IsConnected() {
			l.unreachable(conn, err)
		}
	}
}

// connected logs that the connection is back. A first connection without an outage
// before it is not logged.
func (l *connectionLog) connected(again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if again || len(l.causes) > 0 {
		l.logger.Info("broker connected")
	}
	l.causes = nil
}

// causeOf describes why an attempt failed. No error of the client holds a
// credential.
func causeOf(err error) string {
	text := strings.TrimPrefix(err.Error(), "nats: ")
	if strings.EqualFold(strings.Trim(text, "'"), nats.AUTHORIZATION_ERR) {
		return "the server refuses the user, password or token (authorization violation)"
	}
	return text
}

// isAuthError reports whether the server refuses the credentials.
func isAuthError(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) ||
		errors.Is(err, nats.ErrAuthRevoked) || errors.Is(err, nats.ErrAccountAuthExpired)
}

// LogFailure logs at level warn that something failed because of the broker. While
// the connection is down it logs at level debug: [Connect] has logged the cause
// already. It reports whether it warned.
func LogFailure(ctx context.Context, logger *slog.Logger, js jetstream.JetStream, msg string, attrs ...any) bool {
	if conn := js.Conn(); conn != nil && !conn.IsConnected() {
		logger.DebugContext(ctx, msg, attrs...)
		return false
	}
	logger.WarnContext(ctx, msg, attrs...)
	return true
}
