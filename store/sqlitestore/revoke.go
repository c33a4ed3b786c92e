package sqlitestore

import (
	"context"
	"errors"

	"github.com/logoutd/logoutd/store"
)

// Revoke implements [store.Store].
func (s *Store) Revoke(ctx context.Context, asked []store.Revocation) ([]store.Revoked, error) {
	revocations := make([]revocation, len(asked))
	for i, r := range asked {
		revocations[i].Revocation = r
	}
	err := s.inChunks(ctx, len(asked), func(h handle, i, rows int) (int, bool, error) {
		return h.revoke(&revocations[i], rows)
	}, func(i int, err error) { revocations[i].told = store.Revoked{Err: err} })
	if err != nil {
		return nil, err
	}
	results := make([]store.Revoked, len(asked))
	var written []string
	for i := range revocations {
		r := &revocations[i]
		results[i] = r.told
		written = append(written, r.written...)
		if r.told.Err == nil && !r.told.Done {
			s.found.remember(r.RequestID, r.found)
		}
	}
	s.fences.remove(written)
	return results, nil
}

// revocation is a [store.Revocation], how far it has come, and what it found.
type revocation struct {
	store.Revocation
	cutoff  int64 // that is applied
	stage   stage
	at      position // within the stage
	found   found    // for Finish
	told    store.Revoked
	written []string // sessions whose fences were written
}

type stage int

const (
	begin stage = iota // look up what decides, write the cutoff
	ofCredentials
	ofPushes
	end
)

// errNoDevice keeps a revocation by device from becoming one of the user.
var errNoDevice = errors.New("a revocation by device names none")

// revoke goes on with the revocation, through about so many rows, and returns
// through how many it went and whether there is more.
func (h handle) revoke(r *revocation, rows int) (read int, more bool, err error) {
	for r.stage < end && read < rows {
		n := 0
		switch r.stage {
		case begin:
			err = h.begin(r)
		case ofCredentials:
			n, err = h.markCredentials(r, rows-read)
		case ofPushes:
			n, err = h.markPushes(r, rows-read)
		}
		if err != nil {
			return 0, false, err
		}
		read += n
	}
	return read, r.stage < end, nil
}

func (h handle) begin(r *revocation) error {
	if err := h.ofWhom(&r.Revocation); err != nil {
		return err
	}
	p, err := h.presented(r.Revocation)
	if err != nil {
		return err
	}
	if p.done {
		r.told.Done, r.stage = true, end
		return nil
	}
	r.stage = ofCredentials
	r.found = h.found(p)
	r.cutoff = millis(r.Cutoff)
	if p.overtaken != 0 {
		r.cutoff = min(r.cutoff, p.overtaken)
	}
	if ended := h.endOf(r.SessionID, p); ended != 0 {
		r.cutoff = min(r.cutoff, ended)
	}
	r.told.Cutoff = fromMillis(r.cutoff)
	if r.SessionID != "" {
		r.told.SessionIDs, r.told.Sessions = []string{r.SessionID}, 1
		if err := h.claim(r, p); err != nil {
			return err
		}
	}
	return h.raise(r)
}

// endOf is when the session presented was revoked, 0 if it was not.
func (h handle) endOf(sessionID string, p presented) int64 {
	ended := max(p.revokedAt, 0)
	if of, fenced := h.fences.of(sessionID); fenced && (ended == 0 || of.at < ended) {
		ended = of.at
	}
	return ended
}

// claim makes sure that the session presented has a fence, no later than the
// cutoff, which is written with the rest. Where the front end's is missing it
// is the request's.
func (h handle) claim(r *revocation, p presented) error {
	of, fenced := h.fences.of(r.SessionID)
	end := max(r.cutoff, millis(r.AuthenticatedAt))
	if p.revokedAt != 0 { // it is on disk already, or unknown
		if fenced {
			r.written = append(r.written, r.SessionID)
		}
		if p.revokedAt <= end {
			return nil
		}
		r.found.endedAt = end
		return h.lowerEnd(r.SessionID, end)
	}
	if fenced && end < of.at {
		h.fences.lower(r.SessionID, end)
		of.at = end
	}
	if !fenced {
		x, _, err := h.record(r.SessionID)
		if err != nil {
			return err
		}
		of, _ = h.fences.add(r.SessionID, r.RequestID, x.keepUntil, func(int64) int64 { return x.within(r.cutoff) })
	}
	r.found.endedAt = of.at
	return nil
}

// ofWhom completes the revocation of a session that is kept elsewhere: there
// is nobody to log out, unless the session became known meanwhile.
func (h handle) ofWhom(r *store.Revocation) error {
	if r.User.ID == "" {
		r.Scope = store.ScopeSession
		x, known, err := h.record(r.SessionID)
		if err != nil || !known {
			return err
		}
		r.User = x.User
	}
	if r.Scope == store.ScopeDevice && r.DeviceID == "" {
		return errNoDevice
	}
	return nil
}

// presented is what decides about a revocation: the row of the session
// presented, and what else is known of request and user.
type presented struct {
	revokedAt int64 // 0: not on disk; -1: the session is unknown
	keepUntil int64
	overtaken int64 // the earliest cutoff that overtook the session; 0: none did
	done      bool
	pushes    bool // the user has push registrations
}

// found is what Finish needs of it. A request is known as done at least as
// long as the tombstone of the session presented.
func (h handle) found(p presented) found {
	return found{endedAt: max(p.revokedAt, 0), keepUntil: max(p.keepUntil, h.now+h.retention), pushes: p.pushes}
}

func (h handle) presented(r store.Revocation) (p presented, err error) {
	const around = ` EXISTS (SELECT 1 FROM push_registrations WHERE` + ofUser + `),` + userCutoff + `,` + deviceCutoff
	var ofUsers, ofDevices int64
	args := []any{r.User.TenantID, r.User.ID, r.DeviceID}
	if of, fenced := h.fences.of(r.SessionID); fenced && of.mark == r.RequestID && of.keepUntil != 0 {
		p.keepUntil = of.keepUntil // live on disk: the request is not done
		_, err = h.row(`SELECT`+around, args, &p.pushes, &ofUsers, &ofDevices)
	} else {
		_, err = h.row(`
			SELECT coalesce(s.revoked_at, -1), coalesce(s.keep_until, 0),
				EXISTS (SELECT 1 FROM done WHERE ended_at = coalesce(s.revoked_at, 0) AND request_id = ?5 AND keep_until > ?6),`+around+`
			FROM (SELECT 1) LEFT JOIN credentials AS s
				ON s.tenant_id = ?1 AND s.user_id = ?2 AND s.session_id = ?4 AND s.token_id = '' AND s.keep_until > ?6`,
			append(args, r.SessionID, r.RequestID, h.now),
			&p.revokedAt, &p.keepUntil, &p.done, &p.pushes, &ofUsers, &ofDevices)
	}
	p.overtaken = overtaking(r, ofUsers, ofDevices)
	return p, err
}

// overtaking returns the earliest of the cutoffs that covers the session
// presented, 0 if none does.
func overtaking(r store.Revocation, cutoffs ...int64) (earliest int64) {
	for _, c := range cutoffs {
		if !r.AuthenticatedAt.IsZero() && c >= millis(r.AuthenticatedAt) && (earliest == 0 || c < earliest) {
			earliest = c
		}
	}
	return earliest
}

// raise raises the cutoff of the scope. Once it is written as the user's or
// the device's, later ones do not change any more what overtook the session
// presented.
func (h handle) raise(r *revocation) error {
	switch {
	case r.Scope == store.ScopeUser:
		return h.raiseCutoff(r.User, "", r.cutoff)
	case r.Scope == store.ScopeDevice:
		return h.raiseCutoff(r.User, r.DeviceID, r.cutoff)
	case r.DeviceID != "":
		return h.raisePushCutoff(r.User, r.DeviceID, r.AppID, r.cutoff)
	}
	return nil
}
