package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/logoutd/logoutd/events"
)

// How many dead letters a page holds.
const (
	defaultPage = 100
	maxPage     = 1000
)

// maxLetterID is in bytes: a request's id, an underscore and a registration's.
const maxLetterID = 512

// listFailed answers with a page of dead letters, oldest first. Its "next",
// where it is there, is the "after" of the next page.
func (a *api) listFailed(w http.ResponseWriter, r *http.Request) {
	after, limit, err := page(r.URL.Query())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	letters, err := a.DeadLetters.List(r.Context(), after, limit)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	list := struct {
		Failed []deadLetter `json:"failed"`
		Next   uint64       `json:"next,omitempty"`
	}{Failed: make([]deadLetter, len(letters))}
	for i, letter := range letters {
		list.Failed[i] = show(letter)
	}
	if len(letters) == limit {
		list.Next = letters[limit-1].Seq
	}
	answer(w, http.StatusOK, list)
}

func page(query url.Values) (after uint64, limit int, err error) {
	for name := range query {
		if name != "after" && name != "limit" {
			return 0, 0, invalid(shorten(name), "is unknown here; there are after and limit")
		}
	}
	limit = defaultPage
	if s := query.Get("after"); s != "" {
		if after, err = strconv.ParseUint(s, 10, 64); err != nil {
			return 0, 0, invalid("after", "must be the \"next\" of the page before")
		}
	}
	if s := query.Get("limit"); s != "" {
		if limit, err = strconv.Atoi(s); err != nil || limit < 1 || limit > maxPage {
			return 0, 0, invalid("limit", "must be between 1 and %d", maxPage)
		}
	}
	return after, limit, nil
}

func (a *api) showFailed(w http.ResponseWriter, r *http.Request) {
	letter, err := a.DeadLetters.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, show(letter))
}

func (a *api) replayFailed(w http.ResponseWriter, r *http.Request) {
	done, missing, err := a.each(w, r, a.DeadLetters.Replay)
	if err != nil {
		a.failAfter(w, r, err, "replayed", done)
		return
	}
	answer(w, http.StatusOK, struct {
		Replayed int      `json:"replayed"`
		Missing  []string `json:"missing"`
	}{done, missing})
}

func (a *api) discardFailed(w http.ResponseWriter, r *http.Request) {
	done, missing, err := a.each(w, r, a.DeadLetters.Discard)
	if err != nil {
		a.failAfter(w, r, err, "discarded", done)
		return
	}
	answer(w, http.StatusOK, struct {
		Discarded int      `json:"discarded"`
		Missing   []string `json:"missing"`
	}{done, missing})
}

// failAfter fails a call that has done a part of its work.
func (a *api) failAfter(w http.ResponseWriter, r *http.Request, err error, verb string, done int) {
	p := *problemOf(err)
	if done > 0 {
		p.Detail += fmt.Sprintf("; %d are %s, the rest stays", done, verb)
	}
	a.fail(w, r, &p)
}

// each does something to the dead letters that the body names. Those that are
// gone are missing.
func (a *api) each(w http.ResponseWriter, r *http.Request, do func(context.Context, string) error) (done int, missing []string, err error) {
	ids, err := a.named(w, r)
	if err != nil {
		return 0, nil, err
	}
	missing = []string{}
	for _, id := range ids {
		switch err := do(r.Context(), id); {
		case errors.Is(err, events.ErrNoDeadLetter):
			missing = append(missing, id)
		case err != nil:
			return done, nil, err
		default:
			done++
		}
	}
	return done, missing, nil
}

// named reads {"ids":[…]} or {"all":true}.
func (a *api) named(w http.ResponseWriter, r *http.Request) ([]string, error) {
	o, err := body(w, r)
	if err != nil {
		return nil, err
	}
	all, ids := o.all(), o.ids()
	if err := o.done(); err != nil {
		return nil, err
	}
	if all == (len(ids) > 0) {
		return nil, invalid("ids", "give {\"ids\":[…]} or {\"all\":true}")
	}
	if all {
		return a.allFailed(r.Context())
	}
	return ids, nil
}

// allFailed lists first what is then worked on, so that a letter that fails
// anew meanwhile is not taken again.
func (a *api) allFailed(ctx context.Context) ([]string, error) {
	var ids []string
	for after := uint64(0); ; {
		letters, err := a.DeadLetters.List(ctx, after, maxPage)
		if err != nil {
			return nil, err
		}
		for _, letter := range letters {
			ids, after = append(ids, letter.ID), letter.Seq
		}
		if len(letters) < maxPage {
			return ids, nil
		}
	}
}

func (o *object) all() bool {
	var all bool
	if o.take("all", &all, "true") && !all {
		o.refuse("all", "must be true; leave it out if ids are given")
	}
	return all
}

// ids takes each id once.
func (o *object) ids() []string {
	var given []json.RawMessage
	o.take("ids", &given, "a list of ids")
	var ids []string
	seen := map[string]bool{}
	for _, raw := range given {
		var id string
		if string(raw) == "null" || json.Unmarshal(raw, &id) != nil || id == "" || len(id) > maxLetterID {
			o.refuse("ids", "must be a list of strings of 1 to %d bytes", maxLetterID)
			continue
		}
		if !seen[id] {
			ids, seen[id] = append(ids, id), true
		}
	}
	return ids
}
