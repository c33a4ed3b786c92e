package sqlitestore

import "sync"

// found is what Revoke found out that Finish needs too.
type found struct {
	endedAt   int64 // of the session presented; 0 where there is none
	keepUntil int64
	pushes    bool // the user has push registrations
}

// recallAtLeast is how many requests are remembered.
const recallAtLeast = 4096

// recall remembers what was found for the latest requests, so that Finish
// need not look it up again. It forgets half when it is full.
type recall struct {
	mu            sync.Mutex
	recent, older map[string]found // by request id
}

func (m *recall) remember(requestID string, f found) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.recent == nil || len(m.recent) >= recallAtLeast {
		m.older, m.recent = m.recent, map[string]found{}
	}
	m.recent[requestID] = f
}

func (m *recall) of(requestID string) (f found, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f, ok = m.recent[requestID]; !ok {
		f, ok = m.older[requestID]
	}
	return f, ok
}
