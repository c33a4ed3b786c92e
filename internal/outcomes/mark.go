package outcomes

import (
	"context"
	"encoding/json"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// Mark is where the streams were before a job began. Every failure and every
// delivery of the job comes after it.
type Mark struct {
	Events uint64 `json:"events"` // last sequence of the public events
	Tasks  uint64 `json:"tasks"`  // last sequence of the deliveries
	// Created is when each stream was created, in Unix nanoseconds. Another
	// time is another stream: what the job did is not in it.
	Created map[string]int64 `json:"created"`
}

// followed are the streams that tell what became of a job.
var followed = []string{messages.StreamRequests, messages.StreamTasks, events.StreamEvents}

// TakeMark returns where the streams are now. Errors wrap
// [events.ErrUnavailable].
func TakeMark(ctx context.Context, js jetstream.JetStream) (json.RawMessage, error) {
	m := Mark{Created: map[string]int64{}}
	for _, name := range followed {
		stream, err := js.Stream(ctx, name)
		if err != nil {
			return nil, unavailable(err)
		}
		info := stream.CachedInfo()
		m.Created[name] = info.Created.UnixNano()
		switch name {
		case events.StreamEvents:
			m.Events = info.State.LastSeq
		case messages.StreamTasks:
			m.Tasks = info.State.LastSeq
		}
	}
	return json.Marshal(m)
}

func unavailable(err error) error {
	return broker.Unavailable("following a job", err)
}
