package status

import (
	"errors"
	"slices"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// note adds a sentence, unless it has been said.
func (q *inquiry) note(sentence string) {
	if !slices.Contains(q.said, sentence) {
		q.said = append(q.said, sentence)
	}
}

// excuse notes that a place could not be asked, and returns any other error.
func (q *inquiry) excuse(err error) error {
	switch {
	case errors.Is(err, store.ErrUnavailable):
		q.storeDown = true
		q.notAsked("store")
		q.note(noStore)
	case errors.Is(err, broker.ErrUnavailable):
		q.brokerDown = true
		q.notAsked("broker")
		q.note(noBroker)
	default:
		return err
	}
	return nil
}

func (q *inquiry) notAsked(place string) {
	if !slices.Contains(q.NotAsked, place) {
		q.NotAsked = append(q.NotAsked, place)
	}
}

// lookUp returns what the store knows of a session, and tells of it.
func (q *inquiry) lookUp(sessionID string) (store.SessionState, error) {
	states, err := q.Store.Sessions(q.ctx, []string{sessionID})
	if err != nil {
		return store.SessionState{}, q.excuse(err)
	}
	if s := states[0]; s.Known {
		q.Sessions = []SessionStatus{ofSession(s)}
		q.TenantID, q.UserID = s.User.TenantID, s.User.ID
		q.DeviceID, q.AppID = s.DeviceID, s.AppID
	}
	return states[0], nil
}

func ofSession(s store.SessionState) SessionStatus {
	return SessionStatus{
		SessionID: s.ID, Active: s.Active, DeviceID: s.DeviceID, AppID: s.AppID,
		AuthenticatedAt: s.AuthenticatedAt, ExpiresAt: s.ExpiresAt, EndedAt: s.EndedAt, RevokedBy: s.RevokedBy,
	}
}

// failed takes in dead letters.
func (q *inquiry) failed(found []deadletters.Letter, err error) error {
	if err != nil {
		return q.excuse(err)
	}
	q.Failed = found
	if !q.Letters.Progress().Ready {
		q.note(lettersBehind)
	}
	return nil
}

// undone reports whether a dead letter is about more than a target that was
// not told.
func (q *inquiry) undone() bool {
	for _, l := range q.Failed {
		if l.Step == messages.StepRevoke || l.Step == messages.StepDecode {
			return true
		}
	}
	return false
}

// tellRequest takes in what is known of the request.
func (q *inquiry) tellRequest(r messages.Request) {
	q.RequestID, q.Scope, q.Dialect, q.Reason = r.ID, r.Scope, r.Dialect, r.Reason
	q.TenantID, q.UserID, q.DeviceID, q.AppID, q.SessionID = r.TenantID, r.UserID, r.DeviceID, r.AppID, r.SessionID
	q.RequestedAt, q.Cutoff = r.RequestedAt.Time, r.Cutoff.Time
}

func (q *inquiry) tellEvent(e events.Revoked) {
	q.Event = &e
	q.Scope, q.Dialect, q.Reason = e.Scope, e.Dialect, e.Reason
	if q.SessionID == "" && e.Scope == string(store.ScopeSession) && len(e.SessionIDs) > 0 {
		q.SessionID = e.SessionIDs[0]
	}
	q.TenantID, q.UserID, q.DeviceID, q.AppID = e.TenantID, e.UserID, e.DeviceID, e.AppID
	q.RequestedAt, q.RevokedAt, q.Cutoff = e.RequestedAt.Time, e.CompletedAt.Time, e.RevokedBefore.Time
}

func (q *inquiry) tellLetter(l deadletters.Letter) {
	q.Scope, q.Dialect = l.Scope, l.Dialect
	q.TenantID, q.UserID, q.SessionID = l.TenantID, l.UserID, l.SessionID
	q.RequestedAt = l.RequestedAt
}
