package overview

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// streams is what is asked about streams. It remembers where they are.
type streams struct {
	js      jetstream.JetStream
	streams map[string]jetstream.Stream
}

// forget makes the next question find the streams anew.
func (b *streams) forget() { b.streams = nil }

// stream returns a stream; what it tells without a question may be old.
func (b *streams) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	if stream := b.streams[name]; stream != nil {
		return stream, nil
	}
	stream, err := b.js.Stream(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("finding stream %s: %w", name, err)
	}
	if b.streams == nil {
		b.streams = map[string]jetstream.Stream{}
	}
	b.streams[name] = stream
	return stream, nil
}

// state asks for the state of a stream.
func (b *streams) state(ctx context.Context, name string) (jetstream.StreamState, error) {
	stream, err := b.stream(ctx, name)
	if err != nil {
		return jetstream.StreamState{}, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return jetstream.StreamState{}, fmt.Errorf("asking for stream %s: %w", name, err)
	}
	return info.State, nil
}

// subjects asks how many messages lie on each subject of a stream that matches
// a filter.
func (b *streams) subjects(ctx context.Context, name, filter string) (map[string]uint64, error) {
	stream, err := b.stream(ctx, name)
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, fmt.Errorf("asking for subjects of %s: %w", name, err)
	}
	return info.State.Subjects, nil
}
