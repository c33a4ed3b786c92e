package messages

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/logoutd/logoutd/events"

	"github.com/nats-io/nats.go"
)

// OperatorActed is an operator's action, an entry of the audit log. It is private:
// subscribers have no rights on [StreamAudit].
type OperatorActed struct {
	Action string `json:"action"` // such as replay.start: words with dots between them
	By     string `json:"by"`     // the name of the operator's token
	Reason string `json:"reason,omitempty"`
	JobID  string `json:"job_id,omitempty"`
	// Selection is what it applied to, in JSON; MaxBatchBytes at most.
	Selection json.RawMessage `json:"selection,omitempty"`
	Counts    map[string]int  `json:"counts,omitzero"`
	Address   string          `json:"address,omitempty"` // of the client
	At        events.Time     `json:"at"`
}

// Message returns the entry for [StreamAudit], under the given id. An error means
// that the action cannot be part of a subject, or that the selection is not JSON
// or too long.
func (a OperatorActed) Message(id string) (*nats.Msg, error) {
	for word := range strings.SplitSeq(a.Action, ".") {
		if !ValidToken(word) {
			return nil, fmt.Errorf("encoding audit entry: action %q cannot stand in a subject", a.Action)
		}
	}
	if len(a.Selection) > MaxBatchBytes {
		return nil, errors.New("encoding audit entry: the selection is too long")
	}
	e := NewEvent(id, TypeOperatorActed, a.At, "", a)
	return message(e, SubjectAudit+a.Action, id)
}
