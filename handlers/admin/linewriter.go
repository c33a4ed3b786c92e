package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// tailWrite is how long the caller may take to read an event.
const tailWrite = 30 * time.Second

// lineWriter writes each event at once.
type lineWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (l lineWriter) start() {
	l.w.Header().Set("Content-Type", "application/x-ndjson")
	l.w.Header().Set("Cache-Control", "no-store")
	l.w.WriteHeader(http.StatusOK)
	_ = l.control.SetReadDeadline(time.Time{}) // it would end the context
	_ = l.control.Flush()
}

// line writes one event on one line; what is not JSON is left out.
func (l lineWriter) line(event []byte) error {
	var line bytes.Buffer
	if json.Compact(&line, event) != nil {
		return nil
	}
	line.WriteByte('\n')
	err := l.control.SetWriteDeadline(time.Now().Add(tailWrite))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := l.w.Write(line.Bytes()); err != nil {
		return err
	}
	return l.control.Flush()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
