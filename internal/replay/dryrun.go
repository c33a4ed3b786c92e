package replay

import (
	"context"
	"errors"
	"iter"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
)

// Why a letter is not eligible. A discard knows only the first.
const (
	missing    = "missing"           // an id under which there is none
	unreadable = "unreadable"        // it can only be discarded
	overLimit  = "over_replay_limit" // it was replayed too often, and nobody forces it
	done       = "done"              // its request has been finished since
	obsolete   = "obsolete"          // nothing that it would revoke is live any more
)

// chunk is how many letters the store is asked about at once.
const chunk = 100

// errStop ends a selection that is wanted no more.
var errStop = errors.New("no more letters wanted")

// dryRun decides which letters are eligible.
type dryRun struct {
	*Replays
	kind       string
	force      bool
	ineligible map[string]int
	asked      []deadletters.Letter // collected for the store
}

// items returns the eligible letters of a query, in the order of Seq; named
// are those under its ids.
func (d *dryRun) items(ctx context.Context, q Query, named []deadletters.Letter) iter.Seq2[jobs.Item, error] {
	return func(yield func(jobs.Item, error) bool) {
		gone, err := d.each(ctx, q, named, func(letter deadletters.Letter) error {
			if why := d.judge(letter); why != "" {
				d.ineligible[why]++
				return nil
			}
			if d.asked = append(d.asked, letter); len(d.asked) < chunk {
				return nil
			}
			return d.flush(ctx, yield)
		})
		if err == nil {
			err = d.flush(ctx, yield)
		}
		if gone > 0 {
			d.ineligible[missing] = gone
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// judge returns why a letter is not eligible, as far as it tells itself.
func (d *dryRun) judge(letter deadletters.Letter) string {
	switch {
	case d.kind == KindDiscard:
		return ""
	case letter.Code == deadletters.CodeUnreadable:
		return unreadable
	case letter.Replays >= d.MaxReplays && !d.force:
		return overLimit
	}
	return ""
}

// flush yields those of the collected letters about which the store says
// nothing to the contrary.
func (d *dryRun) flush(ctx context.Context, yield func(jobs.Item, error) bool) error {
	var why verdicts
	if d.kind == KindReplay {
		var err error
		if why, err = d.ask(ctx, d.asked); err != nil {
			return err
		}
	}
	for _, letter := range d.asked {
		if reason := why[letter.Seq]; reason != "" {
			d.ineligible[reason]++
		} else if !yield(itemOf(letter), nil) {
			return errStop
		}
	}
	d.asked = d.asked[:0]
	return nil
}
