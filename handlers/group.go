package handlers

import (
	"context"
	"runtime/debug"
	"slices"
	"time"

	"github.com/logoutd/logoutd/internal/batcher"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// patience is how long logouts wait for the fences of those that came before
// them. A store in the process is quicker; one that is elsewhere and busy has
// the next ones on their way meanwhile, and one that hangs holds up nobody for
// longer.
const patience = time.Millisecond

// groupCredentials is how many credentials a call of the store has at most: as
// many as a message has entries.
const groupCredentials = messages.MaxBatch

// arrival is a logout whose caller waits for what becomes of it.
type arrival struct {
	logout
	dialect     string
	traceParent string
	at          time.Time
	outcome     outcome
}

// large reports whether a logout presents more than any client that means no
// harm. Such ones share no call of the store with others, and are fenced one
// after the other: each costs as much as many logouts.
func (a *arrival) large() bool { return len(a.candidates) > fewCandidates }

// newQueue returns what lets logouts that come at the same time share a call of
// the store and one of the publisher: a batch presents so many credentials at
// most, unless it is a single logout. The next batch begins when the fences of
// this one are done, or have had time enough to be (0: all they need).
func (f *front) newQueue(credentials int, patience time.Duration) *batcher.Batcher[*arrival] {
	return batcher.New(batcher.Config[*arrival]{
		Take: func(waiting []*arrival) (n int) {
			left := credentials
			for _, a := range waiting {
				if left -= len(a.candidates); n > 0 && left < 0 {
					return n
				}
				n++
			}
			return n
		},
		Do: func(batch []*arrival, next func()) error {
			if patience > 0 {
				defer time.AfterFunc(patience, next).Stop()
			}
			f.acceptBatch(batch, next)
			return nil
		},
	})
}

// acceptBatch fences what a batch of logouts names, calls fenced, and publishes
// what is to be published.
func (f *front) acceptBatch(batch []*arrival, fenced func()) {
	defer f.recoverFor(batch)
	ctx, cancel := context.WithTimeout(context.Background(), f.acceptTimeout)
	defer cancel()
	results := f.fence(ctx, batch)
	fenced()

	var published []*arrival
	requests := make([]messages.Request, 0, len(results))
	for _, a := range batch {
		accepted := f.requestsOf(a, results[:len(a.candidates)])
		results = results[len(a.candidates):]
		if len(accepted) > 0 {
			published = append(published, a)
			requests = append(requests, accepted...)
		}
	}
	if err := f.publish(ctx, requests); err != nil {
		for _, a := range published {
			a.outcome = outcomeUnavailable
		}
	}
}

// requestsOf decides what becomes of a logout, and returns what is to be
// published of it.
func (f *front) requestsOf(a *arrival, results []store.Fenced) []messages.Request {
	requests := make([]messages.Request, 0, 1)
	for i, c := range a.candidates {
		o := f.judge(c, results[i])
		a.outcome = max(a.outcome, o)
		if o == outcomeAccepted {
			requests = append(requests, newRequest(a, c.sessionID, results[i]))
		}
	}
	if a.large() {
		return fold(requests)
	}
	return requests
}

// recoverFor lets a panic fail the batch that it happens to, not the process.
func (f *front) recoverFor(batch []*arrival) {
	cause := recover()
	if cause == nil {
		return
	}
	f.log.Error("accepting panicked", "err", cause, "stack", string(debug.Stack()))
	for _, a := range batch {
		a.outcome = outcomeUnavailable
	}
}

// fence fences all candidates of a batch. Those of a large logout take several
// calls, so that nobody else's fences wait long behind them; one that has waited
// for others of its kind has waited for its fence.
func (f *front) fence(ctx context.Context, g []*arrival) []store.Fenced {
	fences := make([]store.Fence, 0, len(g))
	for _, a := range g {
		for _, c := range a.candidates {
			fences = append(fences, store.Fence{
				RequestID: messages.RequestID(string(a.scope), c.sessionID),
				SessionID: c.sessionID, RefuseBrowser: c.refuseBrowser,
			})
		}
	}
	timeout := f.fenceTimeout
	if g[0].large() {
		timeout -= time.Since(g[0].at)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	results := make([]store.Fenced, 0, len(fences))
	for some := range slices.Chunk(fences, groupCredentials) {
		results = append(results, f.fenceSome(ctx, some)...)
	}
	f.observeFences(ctx, results)
	return results
}

// fenceSome is one call of the store. Where it fails as a whole, that is the
// failure of each fence.
func (f *front) fenceSome(ctx context.Context, fences []store.Fence) []store.Fenced {
	err := ctx.Err()
	if err == nil {
		var results []store.Fenced
		if results, err = f.store.Fence(ctx, fences); err == nil {
			return results
		}
	}
	failed := make([]store.Fenced, len(fences))
	for i := range failed {
		failed[i].Err = err
	}
	return failed
}

// fenceSkipped is how metrics call a fence that failed.
const fenceSkipped store.FenceOutcome = "skipped"

func (f *front) observeFences(ctx context.Context, results []store.Fenced) {
	counts := map[store.FenceOutcome]int{}
	for _, fenced := range results {
		o := fenced.Outcome
		if fenced.Err != nil {
			o = fenceSkipped
			f.trouble(ctx, &f.fenceTrouble, "fence skipped", fenced.Err)
		}
		counts[o]++
	}
	for o, n := range counts {
		f.metrics.fences.WithLabelValues(string(o)).Add(float64(n))
	}
}
