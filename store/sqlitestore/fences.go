package sqlitestore

import (
	"maps"
	"sync"

	"github.com/logoutd/logoutd/store"
)

// fence is what a fence leaves behind: who ended the session, and when.
type fence struct {
	mark string
	at   int64
	// keepUntil is that of the session's record, while the session is live on
	// disk for all that is known; else 0.
	keepUntil int64
}

// fences are those of sessions that are not on disk yet, by session id. Who
// wants to know of a session looks here and in the file, in any order, within
// one transaction: a fence is removed only when every transaction has ended
// that began before it was written.
type fences struct {
	clock func() int64

	mu     sync.Mutex
	recent map[string]fence
	older  map[string]fence // were there at the last call of age
	last   int64            // when the latest of all fences was
	live   *liveSessions    // none of them has a fence here or on disk

	// Transactions under way, of this period and the one before; a period
	// ends when there is something to remove, and removes it when the
	// transactions of the one before have ended.
	running [2]int
	period  int
	written []string // in this period
	leaving []string // written in the period before
}

func newFences(c Config) *fences {
	return &fences{clock: c.now, recent: map[string]fence{}, older: map[string]fence{}, live: newLiveSessions(c)}
}

// enter is called when a transaction begins, leave when it has ended.
func (f *fences) enter() (period int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[f.period]++
	return f.period
}

func (f *fences) leave(period int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running[period]--
	f.clear()
}

// remove forgets the fences of the sessions, which are on disk now.
func (f *fences) remove(sessionIDs []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = append(f.written, sessionIDs...)
	for _, m := range []map[string]fence{f.recent, f.older} {
		for _, id := range sessionIDs {
			if of, ok := m[id]; ok {
				of.keepUntil = 0
				m[id] = of
			}
		}
	}
	f.clear()
}

func (f *fences) clear() {
	if f.leaving == nil && f.written != nil {
		f.leaving, f.written = f.written, nil
		f.period = 1 - f.period
	}
	if f.running[1-f.period] > 0 {
		return
	}
	for _, id := range f.leaving {
		delete(f.recent, id)
		delete(f.older, id)
	}
	f.leaving = nil
}

// stamp is the time of a fence made now.
func (f *fences) stamp() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stampLocked()
}

func (f *fences) stampLocked() int64 {
	now := f.clock()
	f.last = max(f.last, now)
	return now
}

// latest is when the latest fence was.
func (f *fences) latest() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// of returns the fence of the session, if there is one.
func (f *fences) of(sessionID string) (fence, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ofLocked(sessionID)
}

func (f *fences) ofLocked(sessionID string) (fence, bool) {
	if of, ok := f.recent[sessionID]; ok {
		return of, true
	}
	of, ok := f.older[sessionID]
	return of, ok
}

// add fences the session with the mark, as of what at makes of now, unless it
// is fenced already. It returns the fence that stands.
func (f *fences) add(sessionID, mark string, keepUntil int64, at func(now int64) int64) (stands fence, added bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if of, ok := f.ofLocked(sessionID); ok {
		return of, false
	}
	return f.addLocked(sessionID, mark, keepUntil, at), true
}

func (f *fences) addLocked(sessionID, mark string, keepUntil int64, at func(now int64) int64) fence {
	of := fence{mark: mark, at: at(f.stampLocked()), keepUntil: keepUntil}
	f.recent[sessionID] = of
	f.live.forget(sessionID)
	return of
}

// lower lets the fence of a session have been at the time, if that is earlier.
func (f *fences) lower(sessionID string, at int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range []map[string]fence{f.recent, f.older} {
		if of, ok := m[sessionID]; ok && at < of.at {
			of.at = at
			m[sessionID] = of
		}
	}
}

// addLive is add for a session that is remembered to be live at the time, and
// that may be fenced whatever cutoff covers it. It returns false if there is
// no such session.
func (f *fences) addLive(asked store.Fence) (x session, stands fence, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x, ok = f.live.of(asked.SessionID)
	if !ok || x.expiresAt <= f.clock() || asked.RefuseBrowser && x.Kind == store.KindBrowser {
		return session{}, fence{}, false
	}
	return x, f.addLocked(x.ID, asked.RequestID, x.keepUntil, x.fencedAt(asked)), true
}

// remember remembers a session as it has just been written or read by the
// writer, unless it is fenced.
func (f *fences) remember(x session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, fenced := f.ofLocked(x.ID); !fenced {
		f.live.remember(x)
	}
}

// keep is told until when the record of a session is kept at least.
func (f *fences) keep(sessionID string, keepUntil int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live.keep(sessionID, keepUntil)
}

// forget is told that a session has ended without a fence.
func (f *fences) forget(sessionID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live.forget(sessionID)
}

// aging is how many fences wait to be written in the background.
func (f *fences) aging() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.older)
}

// aged returns up to n of the sessions that are to be written.
func (f *fences) aged(n int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return some(f.older, n)
}

// age lets the recent fences wait to be written, unless more than a few wait
// already because they cannot be.
func (f *fences) age(few int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.older) > few {
		return
	}
	maps.Copy(f.recent, f.older)
	f.older, f.recent = f.recent, map[string]fence{} // a map that was large stays large
}

// all returns all sessions that are fenced.
func (f *fences) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append(some(f.older, len(f.older)), some(f.recent, len(f.recent))...)
}

func some(m map[string]fence, n int) []string {
	list := make([]string, 0, min(n, len(m)))
	for id := range m {
		if len(list) == n {
			break
		}
		list = append(list, id)
	}
	return list
}
