package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// beatInterval is how often a live page gets a heartbeat, and how long a live
// page can outlive its token.
const beatInterval = 10 * time.Second

// errEnded says that the session of a live page has ended.
var errEnded = errors.New("session ended")

// isStream reports whether the request comes from a browser's EventSource.
func isStream(r *http.Request) bool { return r.Header.Get("Accept") == "text/event-stream" }

// stream sends events to a live page (HTML, section 9.2, server-sent events).
type stream struct {
	visit *visit
	ctx   context.Context // ends with the visit, and with the process
	c     *console
	beat  *time.Ticker
	out   *http.ResponseController
	sent  map[string]string // the last version sent of each part
}

// live serves the events of a live page.
func (c *console) live(follow func(*stream) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.enter(w, r)
		if !ok {
			return
		}
		closeTail, ok := c.Tails.Open(v.By())
		if !ok {
			http.Error(w, "This token has reached its limit of live pages. Close one and try again.", http.StatusTooManyRequests)
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
		w.Header().Set("X-Accel-Buffering", "no") // stops nginx from buffering events
		_ = s.out.SetWriteDeadline(time.Time{})   // no limit, unlike other answers
		_ = s.write("retry: 2000\n\n")
		// The browser reconnects by itself, whatever ended the stream.
		if err := follow(s); err != nil && ctx.Err() == nil && !errors.Is(err, errEnded) {
			c.Logger.Debug("live page ended", "page", r.Pattern, "err", err)
		}
	})
}

// parts renders parts of a page and sends the changed ones.
func (s *stream) parts(page string, data any, names ...string) error {
	var changed strings.Builder
	for _, name := range names {
		html, err := fragment(page, name, data)
		if err != nil {
			s.c.Logger.Error("rendering a part of a live page failed", "part", name, "err", err)
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

// send sends one event. The browser sends back a non-empty id when it
// reconnects.
func (s *stream) send(event, id, data string) error {
	if id != "" {
		id = "id: " + id + "\n"
	}
	return s.write(fmt.Sprintf("event: %s\n%sdata: %s\n\n", event, id, strings.ReplaceAll(data, "\n", "\ndata: ")))
}

// alive sends a heartbeat if the session is still valid.
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
