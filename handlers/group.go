package handlers

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

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
	done        chan outcome // buffered; takes the outcome once
}

// large reports whether a logout presents more than any client that means no
// harm. Such ones share no call of the store with others, and are fenced one
// after the other: each costs as much as many logouts.
func (a *arrival) large() bool { return len(a.candidates) > fewCandidates }

// group is logouts that came together. They share a call of the store, and one
// of the publisher.
type group []*arrival

// queue lets logouts that come at the same time form groups: those that arrive
// while others are being fenced are the next one. A lone logout never waits for
// company.
type queue struct {
	do func(g group, fenced func())
	// credentials is how many a group presents at most, unless it is a single
	// logout.
	credentials int
	// patience is how long a group waits for the fences of the one before it.
	// Zero: until they are done.
	patience time.Duration

	mu      sync.Mutex
	waiting group
	fencing bool
}

// join puts a logout into the next group, and returns what became of it. Who
// comes when nobody is being fenced does the group: a lone logout starts no
// goroutine.
func (q *queue) join(a *arrival) outcome {
	q.mu.Lock()
	q.waiting = append(q.waiting, a)
	first := !q.fencing
	q.fencing = true
	q.mu.Unlock()
	if first {
		q.doNext()
	}
	return <-a.done
}

// doNext does the group that waits. The one after it begins when it is fenced,
// or has had time enough to be.
func (q *queue) doNext() {
	runtime.Gosched() // whoever is about to come joins
	fenced := sync.OnceFunc(q.goOn)
	if q.patience > 0 {
		defer time.AfterFunc(q.patience, fenced).Stop()
	}
	q.do(q.next(), fenced)
	fenced() // also when it was not
}

// goOn lets the next group begin, if anybody waits.
func (q *queue) goOn() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fencing = len(q.waiting) > 0; q.fencing {
		go q.doNext()
	}
}

// next takes the group that waits.
func (q *queue) next() group {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, credentials := 0, 0
	for _, a := range q.waiting {
		if credentials += len(a.candidates); n > 0 && credentials > q.credentials {
			break
		}
		n++
	}
	g := q.waiting[:n:n]
	if q.waiting = q.waiting[n:]; len(q.waiting) == 0 {
		q.waiting = nil
	}
	return g
}

// acceptGroup fences what a group of logouts names, calls fenced, publishes what
// is to be published, and tells each caller.
func (f *front) acceptGroup(g group, fenced func()) {
	defer f.recoverFor(g)
	ctx, cancel := context.WithTimeout(context.Background(), f.acceptTimeout)
	defer cancel()
	results := f.fence(ctx, g)
	fenced()

	published := make(group, 0, len(g))
	requests := make([]messages.Request, 0, len(results))
	for _, a := range g {
		accepted := f.requestsOf(a, results[:len(a.candidates)])
		results = results[len(a.candidates):]
		if len(accepted) > 0 {
			published = append(published, a)
			requests = append(requests, accepted...)
		} else {
			a.done <- a.outcome
		}
	}
	err := f.publish(ctx, requests)
	for _, a := range published {
		if err != nil {
			a.outcome = outcomeUnavailable
		}
		a.done <- a.outcome
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

// recoverFor lets a panic fail the group that it happens to, not the process.
// Who was answered before gets no second answer.
func (f *front) recoverFor(g group) {
	cause := recover()
	if cause == nil {
		return
	}
	f.log.Error("accepting panicked", "err", cause, "stack", string(debug.Stack()))
	for _, a := range g {
		select {
		case a.done <- outcomeUnavailable:
		default:
		}
	}
}

// fence fences all candidates of a group. Those of a large logout take several
// calls, so that nobody else's fences wait long behind them; one that has waited
// for others of its kind has waited for its fence.
func (f *front) fence(ctx context.Context, g group) []store.Fenced {
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
