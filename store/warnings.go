package store

import "context"

// Warning is a setting of a store that breaks a promise sooner or later.
type Warning struct {
	Code string // one of a few: evicts, not_persistent, snapshots_only
	Text string // for operators: what can happen, and what to set
}

// Warner is a [Store] that can be set up so that it forgets.
type Warner interface {
	// Warnings returns what is wrong with the settings of the store. An error
	// wraps ErrUnavailable.
	Warnings(ctx context.Context) ([]Warning, error)
}
