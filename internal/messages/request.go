package messages

import (
	"errors"
	"fmt"

	"github.com/logoutd/logoutd/events"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
)

// Initiators of a logout.
const (
	InitiatorUser   = "user"
	InitiatorAdmin  = "admin"
	InitiatorSystem = "system"
)

// MaxBatch is how many entries one message has at most, MaxBatchBytes its maximum
// length: all candidates in 16 KiB of header take less.
const (
	MaxBatch      = 256
	MaxBatchBytes = 256 << 10
)

// Request is one logout request, part of a message of [StreamRequests].
type Request struct {
	// ID comes from the session and the scope ([RequestID]), or is a UUIDv7
	// if an operator made the request.
	ID        string `json:"id"`
	Dialect   string `json:"dialect"`
	Initiator string `json:"initiator"`
	Scope     string `json:"scope"` // session, user or device
	Reason    string `json:"reason,omitempty"`
	SessionID string `json:"session_id,omitempty"` // the session presented
	UserID    string `json:"user_id,omitempty"`
	TenantID  string `json:"tenant_id,omitempty"`
	AppID     string `json:"app_id,omitempty"`
	DeviceID  string `json:"device_id,omitempty"`
	// Candidates make it one entry for many requests, which differ only in
	// SessionID and ID: one logout presented all these sessions, and the store
	// was not asked about them. [DecodeRequests] returns the requests.
	Candidates []string `json:"candidates,omitempty"`
	// AuthenticatedAt is that of the session presented.
	AuthenticatedAt events.Time `json:"authenticated_at"`
	// Cutoff is the time up to which the logout revokes, by the store's clock. If
	// Fenced is false it is an upper bound, or zero if none is known.
	Cutoff events.Time `json:"cutoff"`
	// Fenced means that the store fenced the session before the request was
	// accepted, so that user and cutoff are known. Otherwise a worker has to.
	Fenced      bool        `json:"fenced"`
	RequestedAt events.Time `json:"requested_at"`
	// AppendedAt is when the broker first had an unfenced request, by the
	// broker's clock. Later copies of the request keep it.
	AppendedAt  events.Time `json:"appended_at,omitzero"`
	TraceParent string      `json:"-"` // an attribute of the event
	History     History     `json:"history,omitzero"`
}

// RequestID returns the id of a request that a client makes by presenting a
// session: the same for each repetition, and different for each scope.
func RequestID(scope, sessionID string) string { return scope + "-" + sessionID }

// Encoded is an encoded request.
type Encoded struct {
	body        []byte
	traceParent string
	Unfenced    bool
}

// Size returns the request's length in a batch, with the bracket or comma.
func (r Encoded) Size() int { return len(r.body) + 2 }

// Subject returns the subject of the message that the request belongs in.
func (r Encoded) Subject() string {
	if r.Unfenced {
		return SubjectUnfenced
	}
	return SubjectRequests
}

// EncodeRequests encodes requests for [JoinRequests].
func EncodeRequests(requests []Request) ([]Encoded, error) {
	encoded := make([]Encoded, len(requests))
	for i, r := range requests {
		body, err := Encode(NewEvent(r.ID, TypeRequested, r.RequestedAt, r.TraceParent, r))
		if err != nil {
			return nil, err
		}
		encoded[i] = Encoded{body, r.TraceParent, !r.Fenced}
	}
	return encoded, nil
}

// RequestBatch returns requests as one message under the given message id.
func RequestBatch(id string, requests []Request) (*nats.Msg, error) {
	encoded, err := EncodeRequests(requests)
	if err != nil {
		return nil, err
	}
	return JoinRequests(id, encoded), nil
}

// Divide divides requests into as few parts as the limits of a message allow.
func Divide(requests []Encoded) [][]Encoded {
	var parts [][]Encoded
	for len(requests) > 0 {
		n, size := 0, 0
		for n < len(requests) && n < MaxBatch && (n == 0 || size+requests[n].Size() <= MaxBatchBytes) {
			size += requests[n].Size()
			n++
		}
		parts = append(parts, requests[:n:n])
		requests = requests[n:]
	}
	return parts
}

// FitTogether returns how many of the first parts fit into one message: one at
// least.
func FitTogether(parts [][]Encoded) (n int) {
	requests, size := 0, 0
	for _, part := range parts {
		requests += len(part)
		for _, r := range part {
			size += r.Size()
		}
		if n > 0 && (requests > MaxBatch || size > MaxBatchBytes) {
			return n
		}
		n++
	}
	return n
}

// JoinRequests returns encoded requests as one message. There must be at least one,
// and either all or none fenced.
func JoinRequests(id string, requests []Encoded) *nats.Msg {
	size := 0
	for _, r := range requests {
		size += r.Size()
	}
	body := make([]byte, 0, size)
	for i, r := range requests {
		body = append(append(body, "[,"[min(i, 1)]), r.body...)
	}
	body = append(body, ']')
	return NewMessage(requests[0].Subject(), id, ContentTypeBatch, requests[0].traceParent, body)
}

// DecodeRequests reads a message of [StreamRequests]. There may be more
// requests than [MaxBatch]: see Request.Candidates. There are none in a probe:
// see Publisher.Trouble in package broker.
func DecodeRequests(body []byte) ([]Request, error) {
	var batch []events.Event[Request]
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, fmt.Errorf("decoding requests: %w", err)
	}
	if batch == nil {
		return nil, errors.New("decoding requests: null is no batch")
	}
	requests := make([]Request, 0, len(batch))
	for i := range batch {
		e := &batch[i]
		if err := check(e, TypeRequested); err != nil {
			return nil, err
		}
		e.Data.TraceParent = e.TraceParent
		var err error
		if requests, err = e.Data.appendTo(requests); err != nil {
			return nil, err
		}
	}
	return requests, nil
}

// appendTo appends the requests of an entry: itself, or one for each of its
// candidates.
func (r *Request) appendTo(requests []Request) ([]Request, error) {
	if len(r.Candidates) == 0 {
		return append(requests, *r), r.Check()
	}
	for _, sessionID := range r.Candidates {
		request := *r
		request.Candidates, request.SessionID, request.ID = nil, sessionID, RequestID(r.Scope, sessionID)
		if sessionID == "" {
			return nil, errors.New("decoding request: an empty candidate")
		}
		if err := request.Check(); err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	return requests, nil
}

// Check returns an error if the request misses what every request has.
func (r *Request) Check() error {
	switch {
	case !ValidToken(r.ID):
		return fmt.Errorf("decoding request: id %q cannot stand in a subject", r.ID)
	case r.Scope != "session" && r.Scope != "user" && r.Scope != "device":
		return fmt.Errorf("decoding request: unknown scope %q", r.Scope)
	case r.SessionID == "" && r.UserID == "":
		return fmt.Errorf("decoding request: neither session nor user")
	case r.Fenced && r.Cutoff.IsZero():
		return fmt.Errorf("decoding request: no cutoff")
	}
	return nil
}
