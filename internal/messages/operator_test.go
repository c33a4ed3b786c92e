package messages_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func acted() messages.OperatorActed {
	return messages.OperatorActed{
		Action: "replay.start", By: "ada", Reason: "the provider is back", JobID: "j1",
		Selection: json.RawMessage(`{"filter": {"step": "http"}}`), Counts: map[string]int{"eligible": 3, "done": 1}, At: testkit.Noon,
	}
}

func TestActionIsRecorded(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	audit, err := acted().Message("a1")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is a duplicate
		if err := testkit.NewPublisher(t, b.JS).All(t.Context(), []*nats.Msg{audit}); err != nil {
			t.Fatal(err)
		}
	}
	msgs := b.Messages(messages.StreamAudit)
	if len(msgs) != 1 || msgs[0].Subject != "logout.audit.replay.start" {
		t.Fatalf("the log holds %d messages, want one under logout.audit.replay.start", len(msgs))
	}
	expectGolden(t, "operator", msgs[0].Data)
}

func TestActionsThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*messages.OperatorActed){
		"no action":     func(a *messages.OperatorActed) { a.Action = "" },
		"a wildcard":    func(a *messages.OperatorActed) { a.Action = "replay.>" },
		"an empty word": func(a *messages.OperatorActed) { a.Action = "replay..start" },
		"no JSON":       func(a *messages.OperatorActed) { a.Selection = json.RawMessage("{") },
		"too long": func(a *messages.OperatorActed) {
			a.Selection = json.RawMessage(`"` + strings.Repeat("x", 256<<10) + `"`)
		},
	} {
		a := acted()
		change(&a)
		if _, err := a.Message("a1"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	audit, err := acted().Message("a1")
	if err != nil {
		t.Fatal(err)
	}
	if err := testkit.NewPublisher(t, b.JS).All(t.Context(), []*nats.Msg{audit}); err != nil {
		t.Fatal(err)
	}
	stream, err := b.JS.Stream(t.Context(), messages.StreamAudit)
	if err != nil {
		t.Fatal(err)
	}
	if stream.DeleteMsg(t.Context(), 1) == nil || stream.Purge(t.Context()) == nil {
		t.Error("the broker lets an entry go")
	}
	if diff := cmp.Diff(1, len(b.Messages(messages.StreamAudit))); diff != "" {
		t.Error(diff)
	}
}
