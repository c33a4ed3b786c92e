package http

import (
	"context"

	"github.com/logoutd/logoutd/internal/batcher"
	"github.com/logoutd/logoutd/store"
)

// check asks the store whether a device has registered again.
type check struct {
	store.PushCheck
	store store.Store
	again bool // the answer
}

// newRechecker returns what lets concurrent checks share a call of the store.
func newRechecker() *batcher.Batcher[*check] {
	return batcher.New(batcher.Config[*check]{Do: func(batch []*check, _ func()) error {
		checks := make([]store.PushCheck, len(batch))
		for i, c := range batch {
			checks[i] = c.PushCheck
		}
		again, err := batch[0].store.Reregistered(context.Background(), checks)
		for i := range again {
			batch[i].again = again[i]
		}
		return err
	}})
}
