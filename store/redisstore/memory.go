package redisstore

import "sync"

// memoryLimit is how many ids a memory holds, some megabytes. The requests of
// a round are a few thousand.
const memoryLimit = 1 << 17

// marks is what Finish has to know of a request: what bears its mark, and for
// how many milliseconds the session presented is kept.
type marks struct {
	kept int64
	ids  [pushRegistrations + 1][]string
}

func (m *marks) add(lists listing, id string) { m.ids[lists] = append(m.ids[lists], id) }

func (m *marks) size() int {
	n := 1
	for _, ids := range m.ids {
		n += len(ids)
	}
	return n
}

// memory keeps the marks that Revoke has set for the Finish that follows,
// which otherwise reads the indexes again. It forgets everything where there
// is too much of it: requests that are never finished here, say.
type memory struct {
	mu    sync.Mutex
	marks map[string]*marks // by request id
	size  int
}

func newMemory() *memory { return &memory{marks: map[string]*marks{}} }

func (m *memory) put(requestID string, marks *marks) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(requestID)
	n := marks.size()
	if n > memoryLimit {
		return
	}
	if m.size+n > memoryLimit {
		clear(m.marks)
		m.size = 0
	}
	m.marks[requestID] = marks
	m.size += n
}

// take returns the marks of a request and forgets them; nil: not known.
func (m *memory) take(requestID string) *marks {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.forget(requestID)
}

func (m *memory) forget(requestID string) *marks {
	marks := m.marks[requestID]
	if marks != nil {
		m.size -= marks.size()
		delete(m.marks, requestID)
	}
	return marks
}
