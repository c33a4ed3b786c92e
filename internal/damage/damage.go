package damage

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/messages"
)

const (
	// lookEvery is how often the streams are looked at, lookFirst how often while
	// not all of them are known: somebody is setting them up.
	lookEvery = 2 * time.Second
	lookFirst = 100 * time.Millisecond
	// saveEvery is how often it is written down how far the streams are: what
	// came later than that can be lost unnoticed, if the stream keeps its
	// identity, as a restored backup does.
	saveEvery = time.Minute
	// lookTimeout bounds one look.
	lookTimeout = 5 * time.Second
)

// Finding is a stream that has lost what it had.
type Finding struct {
	Stream  string    `json:"stream"`
	FoundAt time.Time `json:"found_at"`
	// Text says what was found, in a sentence.
	Text string `json:"text"`
	// At is what the stream was then.
	At identity `json:"at"`
}

// Config configures a [Watch]. All fields are required.
type Config struct {
	JetStream jetstream.JetStream
	// Path is the file.
	Path   string
	Logger *slog.Logger
}

// Watch watches the streams. It is safe for concurrent use. A nil Watch has found
// nothing.
type Watch struct {
	Config

	mu    sync.Mutex
	state state
	saved time.Time
}

// Open reads the file. Without one, whatever streams there are first are the
// right ones.
func Open(c Config) (*Watch, error) {
	w := &Watch{Config: c}
	var err error
	if w.state, err = read(c.Path); err != nil {
		return nil, fmt.Errorf("reading what the streams were: %w", err)
	}
	return w, nil
}

// Run looks at the streams until ctx ends. It returns nil.
func (w *Watch) Run(ctx context.Context) error {
	for {
		next := lookEvery
		if w.look(ctx); !w.complete() {
			next = lookFirst
		}
		select {
		case <-time.After(next):
		case <-ctx.Done():
			return nil
		}
	}
}

// complete reports whether all streams are known.
func (w *Watch) complete() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.state.Streams) >= len(messages.Streams())
}

// look compares all streams with what they were. A broker that does not answer
// says nothing.
func (w *Watch) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	for _, name := range messages.Streams() {
		stream, err := w.JetStream.Stream(ctx, name)
		if err != nil {
			continue
		}
		info := stream.CachedInfo()
		w.compare(name, identity{Created: info.Created.UTC(), Last: info.State.LastSeq})
	}
	if err := w.share(ctx); err != nil && ctx.Err() == nil {
		w.Logger.Debug("acknowledgements of damage are not shared yet", "err", err)
	}
}

// compare notes what a stream is now.
func (w *Watch) compare(name string, now identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was, known := w.state.Streams[name]
	text := ""
	switch {
	case known && !was.Created.Equal(now.Created):
		text = fmt.Sprintf("The stream %s is a new one, made at %s: what was on the one before it is lost.",
			name, now.Created.Format(time.RFC3339))
	case known && now.Last < was.Last:
		text = fmt.Sprintf("The stream %s ends at message %d and was at %d: what came between is lost.", name, now.Last, was.Last)
	}
	w.state.Streams[name] = now
	if text != "" {
		w.Logger.Error("a stream has lost what it had", "stream", name, "err", text)
		w.state.Findings = append(w.state.Findings, Finding{Stream: name, FoundAt: time.Now().UTC().Truncate(time.Second), Text: text, At: now})
	}
	if !known || text != "" || now.Last != was.Last && time.Since(w.saved) > saveEvery {
		w.save()
	}
}

// save writes the file. Where it cannot, it is tried again when something
// changes.
func (w *Watch) save() {
	if err := w.state.write(w.Path); err != nil {
		w.Logger.Error("what the streams are cannot be written down", "err", err)
		return
	}
	w.saved = time.Now()
}

// Findings returns what was found and not acknowledged by anybody, oldest first.
func (w *Watch) Findings() []Finding {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.state.Findings)
}
