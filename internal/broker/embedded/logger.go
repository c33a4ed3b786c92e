package embedded

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/logoutd/logoutd/internal/broker"
)

// logger hands the broker's log on. What the broker calls notice is detail
// here. Of what is fatal it keeps the first: the broker tells it nowhere else.
type logger struct {
	slog  *slog.Logger
	fatal chan string
}

func newLogger(l *slog.Logger) logger {
	return logger{slog: l, fatal: make(chan string, 1)}
}

// failure returns the first fatal error that nobody has been told, or nil.
func (l logger) failure() error {
	select {
	case reason := <-l.fatal:
		return errors.New(reason)
	default:
		return nil
	}
}

func (l logger) log(level func(string, ...any), format string, v []any) {
	says := fmt.Sprintf(format, v...)
	// The broker logs the names of users that it refuses, and a subscriber can
	// have put the password there.
	level("embedded broker", "says", broker.RedactPasswords(says))
}

func (l logger) Fatalf(format string, v ...any) {
	l.log(l.slog.Error, format, v)
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

func (l logger) Noticef(format string, v ...any) { l.log(l.slog.Debug, format, v) }
func (l logger) Warnf(format string, v ...any)   { l.log(l.slog.Warn, format, v) }
func (l logger) Errorf(format string, v ...any)  { l.log(l.slog.Error, format, v) }
func (l logger) Debugf(format string, v ...any)  { l.log(l.slog.Debug, format, v) }
func (l logger) Tracef(format string, v ...any)  { l.log(l.slog.Debug, format, v) }
