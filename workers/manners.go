package workers

import (
	"context"
	"time"
)

const (
	// A crowd that has been there for firstProbe shows how much is accepted
	// while the revoker works.
	firstProbe = 200 * time.Millisecond
	// How much is accepted while it rests shows in each window after the
	// first part, in which the answers are given that waited for the rest.
	firstPart = 70 * time.Millisecond
	window    = 90 * time.Millisecond
	// faster is how much faster the front ends must accept meanwhile.
	faster = 1.15
	// thick is the share of the callers that have waited while the revoker
	// worked and that still do while it rests: in a burst, who has been
	// answered comes back (0.8 and more, as measured). Those of a load that was
	// late become few as soon as it has been caught up with (0.4 and less).
	thick = 0.6
	// lasting is how many windows make a rest that helped, though it ended
	// when it did no more.
	lasting = 6
	// After a rest that helped nobody comes the next one: after minQuiet, then
	// after twice as long each time, up to maxQuiet. After one that ended soon
	// it is minQuiet again: for those whom the rest itself made late none is
	// worth while.
	minQuiet = 500 * time.Millisecond
	maxQuiet = 8 * time.Second
	// burstRest is how much longer than it works the revoker rests at most
	// where that helps, up to maxRest; overloadRest is the same when requests
	// are older than burst.
	burstRest    = 32
	overloadRest = 1
	maxRest      = 2 * time.Second
	burst        = time.Minute
	// crowd is how many callers make one: more than wait for a moment at a
	// load that leaves the machine time to spare, whom a rest would only make
	// late. It thins for a moment whenever a message is acknowledged: a rest
	// ends when it has been thin for calm, and one that comes back after forget
	// is another.
	crowd  = 32
	calm   = 40 * time.Millisecond
	forget = 250 * time.Millisecond
	// restStep is how often a resting revoker looks for it.
	restStep = 5 * time.Millisecond
)

// Fronts tell how busy the front ends of this process are.
type Fronts interface {
	// Waiting returns how many callers wait for their answers.
	Waiting() int
	// Accepted returns how many logouts have been accepted so far, and for how
	// long their callers have waited, all together.
	Accepted() (logouts int64, waited time.Duration)
}

// manners let the front ends of this process go first: where the machine is
// too small for a burst and its revocations at once, the answers come first,
// and the backlog is worked off when they are given. Whether it is too small
// shows when the revoker rests: if more is accepted then, it is. If that is
// over in a moment, a few answers had been late; a load that the machine can
// just carry goes on like this, and must not be rested through.
type manners struct {
	fronts  Fronts        // nil: there are none
	seen    time.Time     // when there was a crowd
	rested  time.Time     // the end of the latest rest
	helped  int           // rests that did, lately
	quiet   time.Duration // from rested to the next one
	working pace
}

// rest lets the rounds under way end and rests then, if there is a crowd that
// it helps, or might.
func (m *manners) rest(ctx context.Context, underWay *rounds) {
	known := time.Since(m.seen) < forget
	if m.fronts == nil || !m.crowded() {
		return
	}
	if !known {
		m.working, m.helped = pace{}, 0 // an earlier crowd says nothing of this one
		m.working.skip(m.fronts)
		return
	}
	if m.helped == 0 && !m.probeDue() {
		return
	}
	underWay.Wait()
	m.working.take(m.fronts)
	if m.working.callers < crowd { // there was one for a moment
		m.working.skip(m.fronts)
		return
	}
	m.learn(m.restWhileItHelps(ctx, min(factor(underWay.latest)*underWay.latest.took, maxRest)))
	m.working.skip(m.fronts)
	m.rested = time.Now()
}

// probeDue reports whether it is time to find out whether rests help.
func (m *manners) probeDue() bool {
	return time.Since(m.rested) >= m.quiet && time.Since(m.working.since) >= firstProbe
}

// learn decides from a rest when the next one begins.
func (m *manners) learn(rest verdict) {
	if rest == helpful {
		m.helped++
		m.quiet = 0
		return
	}
	if m.helped /= 4; m.helped > 0 {
		return // what helped often is tried once more
	}
	if rest == brief {
		m.quiet = minQuiet
	} else {
		m.quiet = min(max(2*m.quiet, minQuiet), maxQuiet)
	}
}

// verdict is what a rest was good for.
type verdict int

const (
	useless verdict = iota
	brief           // who was late has soon been caught up with
	helpful
)

// restWhileItHelps rests for a window at least, and at most about so long.
func (m *manners) restWhileItHelps(ctx context.Context, most time.Duration) verdict {
	m.seen = time.Now() // not long ago
	if !m.restFor(ctx, firstPart) {
		return useless
	}
	windows, resting := 0, pace{}
	for rested := firstPart; windows == 0 || rested < most; rested += window {
		resting.skip(m.fronts)
		crowded := m.restFor(ctx, window)
		resting.take(m.fronts)
		switch {
		case crowded && m.helps(resting):
			windows++
		case windows >= lasting:
			return helpful
		case windows > 0:
			return brief
		default:
			return useless
		}
	}
	return helpful
}

// helps reports whether more is accepted while the revoker rests than while it
// works, and from no fewer callers.
func (m *manners) helps(resting pace) bool {
	return resting.accepted > faster*m.working.accepted && resting.callers >= thick*m.working.callers
}

// factor is how much longer than the round the rest is. What goes on for
// longer than a burst is the usual load, and gets equal shares.
func factor(latest *revokeRound) time.Duration {
	if latest.late() > burst {
		return overloadRest
	}
	return burstRest
}

// restFor waits for as long as there is a thick crowd, and reports whether
// there was one to the end. It takes calm to find that there is none.
func (m *manners) restFor(ctx context.Context, length time.Duration) bool {
	enough := max(crowd, int(thick*m.working.callers))
	for ; length > 0; length -= restStep {
		if m.fronts.Waiting() >= enough {
			m.seen = time.Now()
		}
		if time.Since(m.seen) >= calm || !wait(ctx, restStep) {
			return false
		}
	}
	return true
}

// crowded reports whether there is a crowd, or was one lately.
func (m *manners) crowded() bool {
	if m.fronts.Waiting() >= crowd {
		m.seen = time.Now()
	}
	return time.Since(m.seen) < forget
}

// pace is how the front ends of this process get on, smoothed.
type pace struct {
	accepted float64 // logouts a second
	callers  float64 // that wait, on average
	since    time.Time
	logouts  int64
	waited   time.Duration
}

// skip lets the next measurement begin now.
func (p *pace) skip(f Fronts) {
	p.since = time.Now()
	p.logouts, p.waited = f.Accepted()
}

// take measures since the latest skip, unless that was just now.
func (p *pace) take(f Fronts) {
	elapsed := time.Since(p.since)
	if elapsed < restStep {
		return
	}
	logouts, waited := f.Accepted()
	accepted := float64(logouts-p.logouts) / elapsed.Seconds()
	callers := (waited - p.waited).Seconds() / elapsed.Seconds() // Little's law
	if p.accepted == 0 {
		p.accepted, p.callers = accepted, callers
	}
	p.accepted += (accepted - p.accepted) / 2
	p.callers += (callers - p.callers) / 2
}

// late is how long ago the oldest request was accepted that came for the
// first time.
func (r *revokeRound) late() (oldest time.Duration) {
	for _, g := range r.fresh {
		for _, d := range g.deliveries {
			oldest = max(oldest, time.Since(d.requests[0].RequestedAt.Time))
		}
	}
	return oldest
}
