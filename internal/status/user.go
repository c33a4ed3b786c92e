package status

import (
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// user finds out about the user.
func (q *inquiry) user() error {
	user := store.User{TenantID: q.TenantID, ID: q.UserID}
	waits, err := q.pending(func(r messages.Request) bool { return r.UserID == user.ID && r.TenantID == user.TenantID })
	if err != nil {
		return err
	}
	if err := q.failed(q.Letters.OfUser(q.ctx, user.TenantID, user.ID, maxLetters)); err != nil {
		return err
	}
	state, err := q.holding(user)
	if err != nil {
		return err
	}
	waiting, err := q.deliveries(func(t messages.Delivery) bool {
		return t.Request.UserID == user.ID && t.Request.TenantID == user.TenantID
	})
	if err != nil {
		return err
	}
	if err := q.otherTenants(); err != nil {
		return err
	}
	latest, err := q.latestLogout()
	if err != nil {
		return err
	}
	q.concludeUser(waits, state)
	if q.State == Unknown && latest != nil && !q.storeDown && state.Since.IsZero() && !state.Partial {
		q.State = Revoked
		q.RequestID = latest.RequestID
		q.tellEvent(*latest)
		q.note(userLoggedOut)
	}
	q.concludeDeliveries(waiting)
	if q.State == Unknown && !q.storeDown {
		return q.liveElsewhere()
	}
	return nil
}

// liveElsewhere notes the tenants in which a user of the id has something live,
// as far as a look at a part of the store tells.
func (q *inquiry) liveElsewhere() error {
	after := ""
	for range maxHolders / holdersPage {
		page, err := q.Store.Holders(q.ctx, after, holdersPage)
		if err != nil {
			return q.excuse(err)
		}
		for _, h := range page.Holders {
			if h.User.ID == q.UserID && h.User.TenantID != q.TenantID {
				q.elsewhere(h.User.TenantID)
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
	q.note(manyHolders)
	return nil
}

// otherTenants notes the tenants in which a user of the id has dead letters.
func (q *inquiry) otherTenants() error {
	tenants, err := q.Letters.TenantsOf(q.ctx, q.UserID)
	if err != nil {
		return q.excuse(err)
	}
	for _, tenant := range tenants {
		if tenant != q.TenantID {
			q.elsewhere(tenant)
		}
	}
	return nil
}

// holding takes in what of the user is live.
func (q *inquiry) holding(user store.User) (store.UserState, error) {
	states, err := q.Store.Users(q.ctx, []store.User{user})
	if err == nil {
		err = states[0].Err
	}
	if err != nil {
		return store.UserState{}, q.excuse(err)
	}
	state := states[0]
	q.Cutoff = state.Cutoff
	for _, s := range state.Sessions {
		q.Sessions = append(q.Sessions, ofSession(store.SessionState{Session: s, Known: true, Active: true}))
	}
	switch {
	case state.Partial:
		q.note(userSome)
	case state.Since.IsZero():
		q.note(userNothing)
	case len(state.Sessions) == 0:
		q.note(userLiveNoLogins)
	default:
		q.note(userLive)
	}
	return state, nil
}

func (q *inquiry) concludeUser(waits *messages.Request, state store.UserState) {
	anyLive := !state.Since.IsZero()
	switch {
	case waits != nil:
		q.State, q.RequestID, q.RequestedAt = Pending, waits.ID, waits.RequestedAt.Time
		q.note(userWaiting)
	case q.undone() || !anyLive && len(q.Failed) > 0:
		q.State = Failed
		q.note(userFailed)
	case anyLive:
		q.State = Active
	case !state.Cutoff.IsZero() && !state.Partial:
		q.State, q.RevokedAt = Revoked, state.Cutoff
		q.note(userRevoked)
	}
}
