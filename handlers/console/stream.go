package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// beatInterval is how often a live page hears from us, and how long a revoked
// token goes on seeing one.
const beatInterval = 10 * time.Second

// errEnded says that the session of a live page is over.
var errEnded = errors.New("session ended")

// isStream reports whether a browser's EventSource asks.
func isStream(r *http.Request) bool { return r.Header.Get("Accept") == "text/event-stream" }

// stream sends events to a live page (HTML, section 9.2, server-sent events).
type stream struct {
	visit *visit
	ctx   context.Context // ends with the visit, and with the process
	c     *console
	beat  *time.Ticker
	out   *http.ResponseController
	sent  map[string]string // the parts as the page has them
}

// live serves the events of a page that changes by itself.
func (c *console) live(follow func(*stream) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.enter(w, r)
		if !ok {
			return
		}
		closeTail, ok := c.Tails.Open(v.By())
		if !ok {
			http.Error(w, "This token has as many live pages open as it can have.", http.StatusTooManyRequests)
			return
		}
		defer closeTail()
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(c.Lifetime, cancel)()
		defer context.AfterFunc(v.session.Alive, cancel)()
		s := &stream{visit: v, ctx: ctx, c: c, beat: time.NewTicker(beatInterval), out: http.NewResponseController(w), sent: map[string]string{}}
		defer s.beat.Stop()
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no") // nginx would keep events back
		_ = s.out.SetWriteDeadline(time.Time{})   // the server has others
		_ = s.write("retry: 2000\n\n")
		// The browser connects again by itself, whatever ended it.
		if err := follow(s); err != nil && ctx.Err() == nil && !errors.Is(err, errEnded) {
			c.Logger.Debug("live page ended", "page", r.Pattern, "err", err)
		}
	})
}

// parts renders parts of a page and sends those that have changed.
func (s *stream) parts(page string, data any, names ...string) error {
	var changed strings.Builder
	for _, name := range names {
		html, err := fragment(page, name, data)
		if err != nil {
			s.c.Logger.Error("part of a live page cannot be rendered", "part", name, "err", err)
			return err
		}
		if s.sent[name] != html {
			s.sent[name] = html
			changed.WriteString(html)
		}
	}
	if changed.Len() == 0 {
		return nil
	}
	return s.send("parts", "", changed.String())
}

// send sends one event; id, where it is not empty, comes back when the browser
// connects again.
func (s *stream) send(event, id, data string) error {
	if id != "" {
		id = "id: " + id + "\n"
	}
	return s.write(fmt.Sprintf("event: %s\n%sdata: %s\n\n", event, id, strings.ReplaceAll(data, "\n", "\ndata: ")))
}

// alive tells the browser that the line stands, while the session does.
func (s *stream) alive() error {
	if _, ok := s.c.current(s.visit.Request); !ok {
		return errEnded
	}
	return s.write(":\n\n")
}

func (s *stream) write(text string) error {
	if _, err := s.visit.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.out.Flush()
}
