package embedded

import (
	"fmt"
	"log/slog"
	"strings"
)

// logger hands the broker's log on. What the broker calls notice is detail
// here. Of what is fatal it keeps the first: the broker tells it nowhere else.
type logger struct {
	slog  *slog.Logger
	fatal chan string
	// token is not to be shown: the broker logs the names of users that it
	// refuses, and a subscriber may take the token for one.
	token string
}

func newLogger(l *slog.Logger, token string) logger {
	return logger{slog: l, fatal: make(chan string, 1), token: token}
}

func (l logger) log(level func(string, ...any), format string, v []any) {
	says := fmt.Sprintf(format, v...)
	if l.token != "" {
		says = strings.ReplaceAll(says, l.token, "[REDACTED]")
	}
	level("embedded broker", "says", says)
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
