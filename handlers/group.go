package handlers

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/store"
)

// patience is how long logouts wait for the fences of those that came before
// them. A store in the process is quicker; one that is elsewhere and busy has
// the next ones on their way meanwhile, and one that hangs holds up nobody for
// longer.
const patience = time.Millisecond

// arrival is a logout whose caller waits for what becomes of it.
type arrival struct {
	logout
	dialect     string
	traceParent string
	at          time.Time
	outcome     outcome
	done        chan outcome // buffered; takes the outcome once
}

// group is logouts that came together. They share a call of the store, and one
// of the publisher.
type group []*arrival

// queue lets logouts that come at the same time form groups: those that arrive
// while others are being fenced are the next one. A lone logout never waits for
// company.
type queue struct {
	do func(g group, fenced func())

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
	impatient := time.AfterFunc(patience, fenced)
	q.do(q.next(), fenced)
	impatient.Stop()
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
	n := min(len(q.waiting), events.MaxBatch)
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
	requests := make([]events.Request, 0, len(results))
	for _, a := range g {
		before := len(requests)
		for i, c := range a.candidates {
			o := f.judge(c, results[i])
			a.outcome = max(a.outcome, o)
			if o == outcomeAccepted {
				requests = append(requests, newRequest(a, c.sessionID, results[i]))
			}
		}
		results = results[len(a.candidates):]
		if len(requests) > before {
			published = append(published, a)
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

// fence fences all candidates of a group in one call. Where the store fails as
// a whole, that is the failure of each.
func (f *front) fence(ctx context.Context, g group) []store.Fenced {
	fences := make([]store.Fence, 0, len(g))
	for _, a := range g {
		for _, c := range a.candidates {
			fences = append(fences, store.Fence{
				RequestID: events.RequestID(string(a.scope), c.sessionID),
				SessionID: c.sessionID, RefuseBrowser: c.refuseBrowser,
			})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, f.fenceTimeout)
	defer cancel()
	results, err := f.store.Fence(ctx, fences)
	if err != nil {
		results = make([]store.Fenced, len(fences))
		for i := range results {
			results[i].Err = err
		}
	}
	f.observeFences(ctx, results)
	return results
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
