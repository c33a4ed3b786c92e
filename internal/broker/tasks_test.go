package broker_test

import (
	"fmt"
	"testing"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/nats-io/nats.go"
)

// tasks returns messages of LOGOUT_TASKS with the ids t<from> up to t<to-1>.
func tasks(t *testing.T, from, to int) []*nats.Msg {
	t.Helper()
	var msgs []*nats.Msg
	for i := from; i < to; i++ {
		task := testkit.PushDelivery(testkit.Request("r"), testkit.Noon, testkit.Registration{ID: fmt.Sprint(i), Provider: "http"})
		msg, err := task.Message(fmt.Sprintf("t%d", i))
		if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, msg)
	}
	return msgs
}

// expectTasks fails unless LOGOUT_TASKS holds tasks t0 up to t<n-1>, each once.
func expectTasks(t *testing.T, b *eventstest.Broker, n int) {
	t.Helper()
	counts := map[string]int{}
	for _, msg := range b.Messages(messages.StreamTasks) {
		counts[msg.Header.Get(nats.MsgIdHdr)]++
	}
	for i := range n {
		if id := fmt.Sprintf("t%d", i); counts[id] != 1 {
			t.Errorf("%s is stored %d times, want once", id, counts[id])
		}
	}
	if len(counts) != n {
		t.Errorf("%d tasks are stored, want %d", len(counts), n)
	}
}
