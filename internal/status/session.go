package status

import (
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// session finds out about the session with the id.
func (q *inquiry) session() error {
	id := q.SessionID
	session, err := q.lookUp(id)
	if err != nil {
		return err
	}
	switch {
	case session.Active:
		return q.liveSession(session)
	case session.RevokedBy != "":
		q.RequestID = session.RevokedBy
		err = q.request(session)
		q.SessionID, q.RevokedAt = id, session.EndedAt
		return err
	case session.Known:
		return q.endedSession(session)
	}
	return q.unknownSession()
}

// liveSession looks for a logout that the store did not hear of yet, or that
// was given up before it did.
func (q *inquiry) liveSession(session store.SessionState) error {
	waits, err := q.pending(func(r messages.Request) bool { return r.SessionID == session.ID })
	if err != nil {
		return err
	}
	if err := q.failed(q.Letters.OfSession(q.ctx, session.ID, maxLetters)); err != nil {
		return err
	}
	switch {
	case waits != nil:
		q.tellRequest(*waits)
		q.State = Pending
		q.note(liveAndWaiting)
	case len(q.Failed) > 0:
		q.State = Failed
		q.note(notRevoked)
	default:
		q.State = Active
		q.note(live)
	}
	return nil
}

// endedSession is one that no request has marked.
func (q *inquiry) endedSession(session store.SessionState) error {
	q.RevokedAt = session.EndedAt
	if err := q.failed(q.Letters.OfSession(q.ctx, session.ID, maxLetters)); err != nil {
		return err
	}
	if session.EndedAt.Before(session.ExpiresAt) {
		q.State = Revoked
		q.note(overtaken)
		return nil
	}
	q.State = Expired
	q.note(expired)
	return nil
}

// unknownSession looks for what a logout of it leaves elsewhere: sessions may
// be kept by somebody else.
func (q *inquiry) unknownSession() error {
	if !q.storeDown {
		q.note(neverHeard)
	}
	q.RequestID = messages.RequestID(string(store.ScopeSession), q.SessionID)
	if err := q.request(store.SessionState{}); err != nil || q.State != Unknown {
		return err
	}
	q.RequestID = ""
	if err := q.failed(q.Letters.OfSession(q.ctx, q.SessionID, maxLetters)); err != nil || len(q.Failed) == 0 {
		return err
	}
	q.State = Failed
	q.note(userFailed)
	return nil
}
