package admin

import (
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
)

// progress is the progress of rebuilding the index of dead letters. It is present
// while answers can be incomplete.
type progress struct {
	Done  uint64 `json:"done"`
	Total uint64 `json:"total"`
}

func (a *api) progress() *progress {
	p := a.Letters.Progress()
	if p.Ready {
		return nil
	}
	return &progress{p.Done, p.Total}
}

// stale reports whether the broker is unreachable: newer dead letters are
// missing.
func (a *api) stale() bool { return !a.JetStream.Conn().IsConnected() }

// listFailed answers with a page of dead letters, newest first. Its "next", if
// present, is the "after" of the next page.
func (a *api) listFailed(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := query(r)
	if err != nil {
		return 0, nil, err
	}
	filter, after, limit := o.filter(), o.optional("after", maxLetterID), o.limit()
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	page, err := a.Letters.List(r.Context(), filter, after, limit)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, struct {
		Failed   []letter  `json:"failed"`
		Next     string    `json:"next,omitempty"`
		Total    int       `json:"total"`
		Progress *progress `json:"progress,omitempty"`
		Stale    bool      `json:"stale,omitempty"`
	}{each(page.Letters, showLetter), page.Next, page.Total, a.progress(), a.stale()}, nil
}

type group struct {
	Step          string      `json:"step"`
	Target        string      `json:"target,omitempty"`
	Code          string      `json:"code"`
	Count         int         `json:"count"`
	Users         int         `json:"users"` // number of affected users
	FirstFailedAt events.Time `json:"first_failed_at"`
	LastFailedAt  events.Time `json:"last_failed_at"`
	SampleID      string      `json:"sample_id"`
	SampleError   string      `json:"sample_error"`
}

func showGroup(g deadletters.Group) group {
	return group{
		Step: g.Step, Target: g.Target, Code: g.Code, Count: g.Count, Users: g.Users,
		FirstFailedAt: events.At(g.First), LastFailedAt: events.At(g.Last), SampleID: g.SampleID, SampleError: g.SampleError,
	}
}

// groupFailed answers with the groups of dead letters, largest first.
func (a *api) groupFailed(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := query(r)
	if err != nil {
		return 0, nil, err
	}
	filter := o.filter()
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	groups, err := a.Letters.Groups(r.Context(), filter)
	if err != nil {
		return 0, nil, err
	}
	total := 0
	for _, g := range groups {
		total += g.Count
	}
	return http.StatusOK, struct {
		Groups   []group   `json:"groups"`
		Total    int       `json:"total"` // dead letters in all of them
		Progress *progress `json:"progress,omitempty"`
		Stale    bool      `json:"stale,omitempty"`
	}{each(groups, showGroup), total, a.progress(), a.stale()}, nil
}

// showFailed answers with a dead letter and its timeline.
func (a *api) showFailed(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	found, err := a.DeadLetters.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, a.show(found), nil
}

// each applies show to each item. The result is never nil, so that JSON has an
// empty list.
func each[T, S any](items []T, show func(T) S) []S {
	shown := make([]S, len(items))
	for i, item := range items {
		shown[i] = show(item)
	}
	return shown
}
