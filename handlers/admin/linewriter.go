package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// lineWriter writes and flushes each event.
type lineWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (l lineWriter) start() {
	l.w.Header().Set("Content-Type", "application/x-ndjson")
	l.w.Header().Set("Cache-Control", "no-store")
	l.w.WriteHeader(http.StatusOK)
	// The deadlines of a request would end the stream. The server has other limits
	// for a caller that does not read.
	_ = l.control.SetReadDeadline(time.Time{})
	_ = l.control.SetWriteDeadline(time.Time{})
	_ = l.control.Flush()
}

// line writes one event on one line. It skips what is not JSON.
func (l lineWriter) line(event []byte) error {
	var line bytes.Buffer
	if json.Compact(&line, event) != nil {
		return nil
	}
	line.WriteByte('\n')
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
