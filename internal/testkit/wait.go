package testkit

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long [Eventually] waits: many times what anything takes on a
// busy machine with two cores.
const patience = 20 * time.Second

// Eventually polls until ok, and fails the test if that takes too long. It shows
// the logs then.
func Eventually(t testing.TB, what string, ok func() bool, logs ...fmt.Stringer) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s\n%s", what, patience, fmt.Sprint(logs))
		}
	}
}

// Log keeps what several goroutines write. The zero value is ready.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Contains reports whether a text was written.
func (l *Log) Contains(text string) bool { return strings.Contains(l.String(), text) }

// Reset forgets what was written.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}
