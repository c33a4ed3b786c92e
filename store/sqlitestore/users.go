package sqlitestore

import (
	"context"

	"github.com/logoutd/logoutd/store"
)

// What a user may hold: of each kind the first, but no tombstones.
const (
	stillHeld      = ` AND revoked_at = 0 AND expires_at > ?3 ORDER BY tenant_id, user_id, session_id, token_id LIMIT ?4 + 0`
	sessionsHeldBy = credentialsHeld + ofUser + ` AND token_id = ''` + stillHeld
	tokensHeldBy   = credentialsHeld + ofUser + ` AND token_id <> ''` + stillHeld
	pushesHeldBy   = pushesHeld + ofUser + ` AND mark = '' ORDER BY device_id, id LIMIT ?4 + 0`
)

// Users implements [store.Store].
func (s *Store) Users(ctx context.Context, users []store.User) ([]store.UserState, error) {
	states := make([]store.UserState, len(users))
	err := s.read(ctx, func(h handle) error {
		return each(users, func(i int, u store.User) error {
			states[i].User, states[i].At = u, fromMillis(h.now)
			return s.lookUp(h, &states[i])
		}, func(i int, err error) { states[i].Err = err })
	})
	if err != nil {
		return nil, err
	}
	return states, nil
}

func (s *Store) lookUp(h handle, state *store.UserState) error {
	cutoff, err := h.cutoffOf(state.User, "")
	if err != nil {
		return err
	}
	state.Cutoff = fromMillis(cutoff)
	var held []holding
	for _, query := range []string{sessionsHeldBy, tokensHeldBy, pushesHeldBy} {
		rows, err := h.holdings(query, state.User.TenantID, state.User.ID, h.now, store.MaxUserRecords+1)
		if err != nil {
			return err
		}
		if len(rows) > store.MaxUserRecords {
			rows, state.Partial = rows[:store.MaxUserRecords], true
		}
		held = append(held, rows...)
	}
	for _, holder := range s.holders(h, held) {
		state.Holder = holder
	}
	return nil
}
