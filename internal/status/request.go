package status

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// presented looks up the session whose id is in the request's.
func (q *inquiry) presented(requestID string) (store.SessionState, error) {
	scope, sessionID, _ := strings.Cut(requestID, "-")
	if !store.ValidTokenID(sessionID) {
		return store.SessionState{}, nil
	}
	q.Scope, q.SessionID = scope, sessionID
	return q.lookUp(sessionID)
}

// request finds out about the request with the id. It looks first where it was
// first: what moves on meanwhile is found later.
func (q *inquiry) request(session store.SessionState) error {
	id := q.RequestID
	waits, err := q.pending(func(r messages.Request) bool { return r.ID == id })
	if err != nil {
		return err
	}
	if waits != nil {
		q.tellRequest(*waits)
	}
	if err := q.event(begun(id, session)); err != nil {
		return err
	}
	finished, err := q.finished(session)
	if err != nil {
		return err
	}
	if err := q.failed(q.Letters.OfRequest(q.ctx, id, maxLetters)); err != nil {
		return err
	}
	waiting, err := q.deliveries(func(t messages.Delivery) bool { return t.Request.ID == id })
	if err != nil {
		return err
	}
	q.conclude(waits, finished, session)
	q.concludeDeliveries(waiting)
	return nil
}

// begun is a time before which the request was not done; zero: not known. The
// id of a job's request begins with the job's.
func begun(requestID string, session store.SessionState) time.Time {
	const length = 36 // RFC 9562, section 4
	if len(requestID) >= length {
		if id, err := uuid.Parse(requestID[:length]); err == nil && id.Version() == 7 {
			return time.Unix(id.Time().UnixTime())
		}
	}
	if session.RevokedBy == requestID {
		return session.EndedAt
	}
	return time.Time{}
}

// finished asks the store whether everything was told.
func (q *inquiry) finished(session store.SessionState) (bool, error) {
	r := store.Revocation{RequestID: q.RequestID, SessionID: q.SessionID, User: session.User}
	finished, err := q.Store.Finished(q.ctx, []store.Revocation{r})
	if err != nil {
		return false, q.excuse(err)
	}
	return finished[0], nil
}

// conclude makes a state of what was found.
func (q *inquiry) conclude(waits *messages.Request, finished bool, session store.SessionState) {
	done := q.Event != nil || finished
	switch {
	case len(q.Failed) > 0:
		q.State = Failed
		if !done {
			q.tellLetter(q.Failed[0])
		}
		if q.undone() {
			q.note(notRevoked)
		} else {
			q.note(targetsUntold)
		}
	case q.Event != nil:
		q.State = Revoked
		q.note(told)
	case finished:
		q.State, q.RevokedAt = Revoked, session.EndedAt
		q.note(recorded)
	case waits != nil && waits.Fenced:
		q.State = Pending
		q.note(waiting)
	case waits != nil:
		q.State = Pending
		q.note(waitingUnfenced)
	case session.RevokedBy == q.RequestID:
		q.State, q.RevokedAt = Pending, session.EndedAt
		q.note(fencedOnly)
	case session.Known && !session.Active:
		q.note(endedByAnother)
	case len(q.NotAsked) == 0: // otherwise the answer says so at its end
		q.note(noTrace)
	}
}

// concludeDeliveries takes back that a logout is done where a target has still
// to be told, and says so where that is not known.
func (q *inquiry) concludeDeliveries(waiting bool) {
	switch {
	case q.State != Revoked:
	case waiting:
		q.State = Pending
		q.note(untold)
	case !q.Told:
		q.note(notAsked)
	}
}
