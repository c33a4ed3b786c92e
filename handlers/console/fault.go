package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/store"
)

// fault is an error as the operator sees it: what is wrong, and what to do.
type fault struct {
	status int
	What   string
	Do     string
}

// Error implements error.
func (f *fault) Error() string { return f.What + ": " + f.Do }

// nowhere answers what is no page.
func nowhere(*visit) (view, error) {
	return view{}, &fault{http.StatusNotFound, "There is no such page", "Choose one of the pages above."}
}

// faultOf maps every error to what is shown: the only place that does.
func faultOf(err error) *fault {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, deadletters.ErrNoDeadLetter):
		return &fault{http.StatusNotFound, "There is no such failed revocation any more",
			"It was replayed or discarded since: the audit log says by whom, and Search says what became of the logout."}
	case errors.Is(err, jobs.ErrNoJob):
		return &fault{http.StatusNotFound, "There is no such job", "Jobs lists those there are."}
	case errors.Is(err, jobs.ErrNoPlan):
		return &fault{http.StatusConflict, "This dry run is no longer valid",
			"A dry run is good for an hour. Nothing was done: make the dry run again."}
	case errors.Is(err, jobs.ErrState):
		return &fault{http.StatusConflict, "The job is not in a state for that", "Reload the page to see where it is now."}
	case errors.Is(err, broker.ErrUnavailable):
		return &fault{http.StatusServiceUnavailable, "The broker is unavailable", "Nothing was changed. Try the same again once it is back."}
	case errors.Is(err, store.ErrUnavailable):
		return &fault{http.StatusServiceUnavailable, "The store is unavailable", "Try the same again once it is back."}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &fault{http.StatusServiceUnavailable, "This took too long", "Try again; if it stays so, look at the broker and the store."}
	default:
		return &fault{http.StatusInternalServerError, "Something went wrong here", "The log of this process says what."}
	}
}
