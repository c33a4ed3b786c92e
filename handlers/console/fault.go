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

// fault is an error for the operator: what failed and what to do.
type fault struct {
	status int
	What   string
	Do     string
}

// Error implements error.
func (f *fault) Error() string { return f.What + ": " + f.Do }

// notFound answers an unknown path.
func notFound(*visit) (view, error) {
	return view{}, &fault{http.StatusNotFound, "Page not found", "Choose one of the pages above."}
}

// faultOf maps every error to a fault. It is the only place that does.
func faultOf(err error) *fault {
	var f *fault
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, deadletters.ErrNoDeadLetter):
		return &fault{http.StatusNotFound, "This dead letter no longer exists",
			"It was replayed or discarded: the audit log shows by whom, and Search shows the state of the logout."}
	case errors.Is(err, jobs.ErrNoJob):
		return &fault{http.StatusNotFound, "Job not found", "See the list of jobs."}
	case errors.Is(err, jobs.ErrNoPlan):
		return &fault{http.StatusConflict, "This dry run is no longer valid",
			"A dry run is valid for one hour. Nothing was done: repeat the dry run."}
	case errors.Is(err, jobs.ErrState):
		return &fault{http.StatusConflict, "The job's state does not allow this", "Reload the page to see its current state."}
	case errors.Is(err, broker.ErrUnavailable):
		return &fault{http.StatusServiceUnavailable, "The broker is unavailable", "Nothing was changed. Try again once it is back."}
	case errors.Is(err, store.ErrUnavailable):
		return &fault{http.StatusServiceUnavailable, "The store is unavailable", "Try again once it is back."}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &fault{http.StatusServiceUnavailable, "The request timed out", "Try again. If it persists, check the broker and the store."}
	default:
		return &fault{http.StatusInternalServerError, "Internal error", "See the log of this process."}
	}
}
