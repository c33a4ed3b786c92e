package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/outcomes"
)

// What became of a letter, besides missing and unreadable.
const (
	replayed  = "replayed"
	discarded = "discarded"
	failed    = "failed" // it cannot be put into a message; it is still there
)

// itemOf names a letter by its place, for the work, and by its id, for people.
func itemOf(l deadletters.Letter) jobs.Item { return fmt.Appendf(nil, "%d %s", l.Seq, l.ID) }

func seqOf(item jobs.Item) (seq uint64, err error) {
	if _, err = fmt.Sscanf(string(item), "%d", &seq); err != nil {
		return 0, fmt.Errorf("reading item %q: %w", item, err)
	}
	return seq, nil
}

// Works returns the work of [KindReplay] and [KindDiscard].
func (r *Replays) Works() map[string]jobs.Work {
	return map[string]jobs.Work{
		KindReplay: replaying{work{r.Letters, replayed, func(ctx context.Context, job jobs.Job, seqs []uint64) ([]error, error) {
			return r.DeadLetters.ReplayAll(ctx, seqs, messages.Replayed{By: job.By, Reason: job.Reason, Job: job.ID})
		}}, r.Jobs.JetStream},
		KindDiscard: work{r.Letters, discarded, func(ctx context.Context, _ jobs.Job, seqs []uint64) ([]error, error) {
			return r.DeadLetters.DiscardAll(ctx, seqs)
		}},
	}
}

// work replays or discards.
type work struct {
	letters *deadletters.Letters
	outcome string
	all     func(context.Context, jobs.Job, []uint64) ([]error, error)
}

// Do implements [jobs.Work]. A letter is found by its place: one that failed
// anew since the dry run stands at another place and is not touched.
func (w work) Do(ctx context.Context, job jobs.Job, items []jobs.Item) (map[string]int, error) {
	seqs := make([]uint64, len(items))
	for i, item := range items {
		var err error
		if seqs[i], err = seqOf(item); err != nil {
			return nil, err
		}
	}
	results, err := w.all(ctx, job, seqs)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	var gone []uint64
	for i, err := range results {
		outcome := w.became(err, job.Again)
		if counts[outcome]++; outcome != unreadable && outcome != failed {
			gone = append(gone, seqs[i])
		}
	}
	w.letters.Forget(gone)
	return counts, nil
}

// replaying is the work of [KindReplay]: its job ends when it is known what
// became of the letters.
type replaying struct {
	work
	js jetstream.JetStream
}

// Mark implements [jobs.Follower].
func (r replaying) Mark(ctx context.Context) (json.RawMessage, error) {
	return outcomes.TakeMark(ctx, r.js)
}

// Follow implements [jobs.Follower]. A letter of a delivery is found by its
// own id. A letter of a request is found by the request's: the deliveries that
// come from it were not replayed themselves.
func (r replaying) Follow(job jobs.Job, mark json.RawMessage) (jobs.Look, error) {
	return outcomes.Follow(r.js, mark, job.Counts[replayed], func(p outcomes.Piece) string {
		switch {
		case p.Job != job.ID:
			return ""
		case p.Replays == 0:
			return p.RequestID
		}
		return p.ID
	})
}

// became returns what became of a letter. One that is gone where the batch may
// have been done before was most likely done then.
func (w work) became(err error, again bool) string {
	switch {
	case err == nil, again && errors.Is(err, deadletters.ErrNoDeadLetter) && !errors.Is(err, deadletters.ErrUnreadable):
		return w.outcome
	case errors.Is(err, deadletters.ErrUnreadable):
		return unreadable
	case errors.Is(err, deadletters.ErrNoDeadLetter):
		return missing
	}
	return failed
}
