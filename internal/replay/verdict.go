package replay

import (
	"context"
	"slices"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// verdicts say why letters are not eligible, by place. Where there is doubt
// there is none: a replay that is not needed is harmless, because the workers
// revoke only up to the letter's cutoff, and ask about each push registration
// again.
type verdicts map[uint64]string

// ask asks the store about letters, each stage about all of them at once.
func (r *Replays) ask(ctx context.Context, all []deadletters.Letter) (verdicts, error) {
	v := verdicts{}
	var pushes, requests []deadletters.Letter
	for _, l := range all {
		switch {
		case l.UserID == "": // nobody knows whose it is
		case l.Step == messages.StepRevoke:
			requests = append(requests, l)
		case slices.Contains(r.RegistrationKinds, l.Step) && !l.Cutoff.IsZero():
			pushes = append(pushes, l)
		}
	}
	if err := v.askPushes(ctx, r.Store, pushes); err != nil {
		return nil, err
	}
	return v, v.askRequests(ctx, r.Store, requests)
}

// askPushes finds the registrations that were made anew since: a provider must
// not be told to delete them.
func (v verdicts) askPushes(ctx context.Context, s store.Store, pushes []deadletters.Letter) error {
	if len(pushes) == 0 {
		return nil
	}
	checks := make([]store.PushCheck, len(pushes))
	for i, l := range pushes {
		checks[i] = store.PushCheck{User: userOf(l), PushRegistrationID: registrationID(l.ID), Cutoff: l.Cutoff}
	}
	anew, err := s.Reregistered(ctx, checks)
	for i := range anew {
		if anew[i] {
			v[pushes[i].Seq] = obsolete
		}
	}
	return err
}

// registrationID returns the end of a delivery's id.
func registrationID(taskID string) string {
	return taskID[max(0, len(taskID)-len(store.TokenID(""))):]
}

// askRequests finds the requests that were finished by a redelivery or an
// earlier replay, and those that have nothing left to do.
func (v verdicts) askRequests(ctx context.Context, s store.Store, requests []deadletters.Letter) error {
	if len(requests) == 0 {
		return nil
	}
	asked := make([]store.Revocation, len(requests))
	for i, l := range requests {
		asked[i] = store.Revocation{RequestID: l.RequestID, SessionID: l.SessionID, User: userOf(l)}
	}
	finished, err := s.Finished(ctx, asked)
	if err != nil {
		return err
	}
	var open []deadletters.Letter
	for i, l := range requests {
		if finished[i] {
			v[l.Seq] = done
		} else {
			open = append(open, l)
		}
	}
	return v.askHolders(ctx, s, open)
}

// askHolders finds the requests whose work others have done.
func (v verdicts) askHolders(ctx context.Context, s store.Store, open []deadletters.Letter) error {
	if len(open) == 0 {
		return nil
	}
	sessionIDs, users := make([]string, len(open)), make([]store.User, len(open))
	for i, l := range open {
		sessionIDs[i], users[i] = l.SessionID, userOf(l)
	}
	holders, err := s.Users(ctx, users)
	if err != nil {
		return err
	}
	sessions, err := s.Sessions(ctx, sessionIDs)
	if err != nil {
		return err
	}
	for i, l := range open {
		if nothingLeft(l, sessions[i], holders[i]) {
			v[l.Seq] = obsolete
		}
	}
	return nil
}

// nothingLeft reports whether a request has nothing to revoke any more and
// nothing to tell: the user holds nothing that its cutoff covers, and either a
// later logout of the whole user has covered all that it did, or the session
// presented is so long gone that even its tombstone is. A session that bears
// the request's own mark has yet to be told.
func nothingLeft(l deadletters.Letter, session store.SessionState, holder store.UserState) bool {
	if l.Cutoff.IsZero() {
		return false
	}
	live := holder.Err != nil || holder.Partial || !holder.Since.IsZero() && !holder.Since.After(l.Cutoff)
	if live || session.Active || session.Known && session.RevokedBy == l.RequestID {
		return false
	}
	covered := holder.Cutoff.After(l.Cutoff)
	forgotten := l.SessionID != "" && !session.Known
	return covered || forgotten
}

func userOf(l deadletters.Letter) store.User { return store.User{TenantID: l.TenantID, ID: l.UserID} }
