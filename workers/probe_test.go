package workers_test

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/internal/messages"
)

// TestProbeIsRemoved: a batch without requests is a front end's probe of the
// broker. It is nobody's logout, and no dead letter.
func TestProbeIsRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.login("ada", "one")
	w.must(w.publisher.All(t.Context(), []*nats.Msg{messages.NewMessage(messages.SubjectRequests, messages.NewID(), messages.ContentTypeBatch, "", []byte("[]"))}))
	w.must(w.publisher.Requests(t.Context(), w.logout("session", id)))
	w.run(w.revoker().Run)
	w.eventually("the request behind it is done", func() bool { return len(w.revoked("session")) == 1 })
	w.eventually("nothing is left", func() bool { return w.pending() == 0 })
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("dead letters: %+v", letters)
	}
}
