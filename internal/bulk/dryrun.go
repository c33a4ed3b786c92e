package bulk

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/store"
)

// Why a dry run leaves somebody out.
const (
	unknown     = "unknown"      // a user of whom the store knows nothing
	nothingLive = "nothing_live" // a user who holds nothing from up to the cutoff
	later       = "later"        // a session of the app from after the cutoff
	notText     = "not_text"     // its ids are not UTF-8, as those of a logout request must be
)

// pageSize is how many records of the store a page of a dry run reads, and
// usersSize how many users one look-up.
const (
	pageSize  = 1000
	usersSize = 100
)

// dryRun finds the items of a query.
type dryRun struct {
	store  store.Store
	query  Query
	cutoff time.Time
	// met are the items met so far, and why each is left out; empty: it is
	// not.
	met  map[digest]string
	left map[string]int // how many are left out, by reason, at the end
	// notFound are the users that were named and that the store does not know.
	notFound []json.RawMessage
}

func newDryRun(ctx context.Context, s store.Store, q Query) (*dryRun, error) {
	page, err := s.Holders(ctx, "", 1)
	if err != nil {
		return nil, err
	}
	return &dryRun{store: s, query: q, cutoff: q.cutoff(page.At), met: map[digest]string{}, left: map[string]int{}}, nil
}

// candidate is an item that may be eligible.
type candidate struct {
	item
	out string // why it is left out, if it is
}

// items yields what is eligible, each item once. A user may come several times
// and be eligible for what comes last.
func (d *dryRun) items(ctx context.Context) iter.Seq2[jobs.Item, error] {
	candidates := d.holders
	if len(d.query.Users) > 0 {
		candidates = d.users
	}
	return func(yield func(jobs.Item, error) bool) {
		for c, err := range candidates(ctx) {
			var encoded jobs.Item
			if err == nil {
				if !d.chosen(c) {
					continue
				}
				encoded, err = c.encode()
			}
			if !yield(encoded, err) || err != nil {
				return
			}
		}
		for _, why := range d.met {
			if why != "" {
				d.left[why]++
			}
		}
	}
}

// chosen reports whether the candidate is eligible, and was not before.
func (d *dryRun) chosen(c candidate) bool {
	if !c.writable() {
		c.out = notText
	}
	key := c.digest()
	why, met := d.met[key]
	if met && why == "" {
		return false
	}
	d.met[key] = c.out
	return c.out == ""
}

// holders goes through the store.
func (d *dryRun) holders(ctx context.Context) iter.Seq2[candidate, error] {
	return func(yield func(candidate, error) bool) {
		for after, begun := "", false; !begun || after != ""; begun = true {
			page, err := d.store.Holders(ctx, after, pageSize)
			if err != nil {
				yield(candidate{}, err)
				return
			}
			for _, h := range page.Holders {
				for _, c := range d.of(h, page.At) {
					if !yield(c, nil) {
						return
					}
				}
			}
			after = page.Next
		}
	}
}

// of are the candidates that a holder gives, where the store's clock shows now:
// its sessions of the app, or the user.
func (d *dryRun) of(h store.Holder, now time.Time) []candidate {
	switch {
	case d.query.AppID != "":
		return d.sessionsOf(h, now)
	case d.query.TenantID != "" && d.query.TenantID != h.User.TenantID:
		return nil
	}
	return []candidate{d.user(h, nothingLive)}
}

func (d *dryRun) sessionsOf(h store.Holder, now time.Time) []candidate {
	var candidates []candidate
	for _, s := range h.Sessions {
		if s.AppID != d.query.AppID {
			continue
		}
		c := candidate{item: item{SessionID: s.ID}}
		if store.Since(s.AuthenticatedAt, now).After(d.cutoff) {
			c.out = later
		}
		candidates = append(candidates, c)
	}
	return candidates
}

// user is the candidate that a holder is; otherwise is why not, if it holds
// nothing.
func (d *dryRun) user(h store.Holder, otherwise string) candidate {
	c := candidate{item: ofUser(h.User)}
	switch {
	case h.Since.IsZero():
		c.out = otherwise
	case h.Since.After(d.cutoff):
		c.out = nothingLive
	}
	return c
}

// users looks up those that are named.
func (d *dryRun) users(ctx context.Context) iter.Seq2[candidate, error] {
	return func(yield func(candidate, error) bool) {
		for named := range slices.Chunk(d.query.Users, usersSize) {
			states, err := d.store.Users(ctx, named)
			if err != nil {
				yield(candidate{}, err)
				return
			}
			for _, state := range states {
				c := d.named(state)
				if c.out == unknown && state.Err == nil {
					name, _ := c.encode() // two strings can always be encoded
					d.notFound = append(d.notFound, json.RawMessage(name))
				}
				if !yield(c, state.Err) {
					return
				}
			}
		}
	}
}

func (d *dryRun) named(state store.UserState) candidate {
	switch {
	case state.Partial: // what is live may be behind what was looked at
		return candidate{item: ofUser(state.User)}
	case state.Cutoff.IsZero():
		return d.user(state.Holder, unknown)
	}
	return d.user(state.Holder, nothingLive)
}
