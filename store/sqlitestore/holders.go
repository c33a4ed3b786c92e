package sqlitestore

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/logoutd/logoutd/store"
)

// Holders implements [store.Store]. It goes through the two tables in the order
// of their keys, which no row ever changes, limit rows a page.
func (s *Store) Holders(ctx context.Context, after string, limit int) (store.HolderPage, error) {
	from, err := parsePlace(after)
	if err != nil {
		return store.HolderPage{}, err
	}
	var page store.HolderPage
	err = s.read(ctx, func(h handle) error {
		page.At = fromMillis(h.now)
		rows, err := h.holdings(from.query(), append(slices.Clone(from.key), limit)...)
		if err != nil {
			return err
		}
		page.Holders = s.holders(h, rows)
		page.Next = from.next(rows, limit)
		return nil
	})
	if err != nil {
		return store.HolderPage{}, err
	}
	return page, nil
}

// place is where a walk through all rows stands: the key of the last row.
type place struct {
	pushes bool // in the second table
	key    []any
}

var (
	errPlace = errors.New("not a place that Holders has returned")
	atStart  = []any{"", "", "", ""} // a key before all
)

func (p place) query() string {
	if p.pushes {
		return pushesFrom
	}
	return credentialsFrom
}

// next is the place after these rows: that of the last, or in the second
// table, or nowhere.
func (p place) next(rows []holding, limit int) string {
	switch {
	case len(rows) == limit:
		p.key = rows[limit-1].key()
	case p.pushes:
		return ""
	default:
		p = place{pushes: true, key: atStart}
	}
	return p.String()
}

// String is the place in one word; ids may be any bytes.
func (p place) String() string {
	words := []string{"credentials"}
	if p.pushes {
		words[0] = "pushes"
	}
	for _, part := range p.key {
		words = append(words, base64.RawURLEncoding.EncodeToString([]byte(part.(string))))
	}
	return strings.Join(words, ".")
}

func parsePlace(s string) (place, error) {
	if s == "" {
		return place{key: atStart}, nil
	}
	words := strings.Split(s, ".")
	if len(words) != 1+len(atStart) || words[0] != "credentials" && words[0] != "pushes" {
		return place{}, errPlace
	}
	p := place{pushes: words[0] == "pushes"}
	for _, word := range words[1:] {
		part, err := base64.RawURLEncoding.DecodeString(word)
		if err != nil {
			return place{}, errPlace
		}
		p.key = append(p.key, string(part))
	}
	return p, nil
}

// holders are the users of those rows that are live. The rows of a user follow
// one another.
func (s *Store) holders(h handle, rows []holding) []store.Holder {
	var holders []store.Holder
	for _, row := range rows {
		if row.unreadable != nil {
			s.config.logger().Error("record unreadable", "user_id", row.User.ID, "session_id", row.ID, "err", row.unreadable)
			continue
		}
		if !h.holds(row) {
			continue
		}
		if n := len(holders); n == 0 || holders[n-1].User != row.User {
			holders = append(holders, store.Holder{User: row.User})
		}
		row.addTo(&holders[len(holders)-1], h.now)
	}
	return holders
}
