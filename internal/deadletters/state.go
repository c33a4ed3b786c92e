package deadletters

import (
	"slices"
	"sync"
)

// place is how far the projection is, as the file has it.
type place struct {
	created int64  // when the stream was made, in Unix nanoseconds; 0: none was followed yet
	seq     uint64 // up to which there is everything
}

// state is what is known of the projection without asking its file.
type state struct {
	mu    sync.Mutex
	place place
	held  uint64 // messages of the stream that it has
	left  uint64 // messages of the stream that it lacks
	ready bool
	// gone are the places of removed letters that are still to be taken out,
	// some of them before they have come.
	gone map[uint64]struct{}
	// moved is closed, and replaced, at each change.
	moved chan struct{}
}

func (s *state) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	if s.moved != nil {
		close(s.moved)
	}
	s.moved = make(chan struct{})
}

// begin starts again with what the file has.
func (s *state) begin(at place, held uint64) {
	s.change(func() {
		s.place, s.held, s.left, s.ready = at, held, 0, false
		s.gone = map[uint64]struct{}{}
	})
}

func (s *state) progress() Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Progress{Ready: s.ready, Done: s.held, Total: s.held + s.left}
}

// now returns how far it is, and how many messages it has and lacks.
func (s *state) now() (at place, held, left uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.place, s.held, s.left
}

// wait returns a channel that is closed at the next change.
func (s *state) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moved
}

// forget notes removed letters, wherever the projection is.
func (s *state) forget(seqs []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seq := range seqs {
		s.gone[seq] = struct{}{}
	}
}

// forgotten returns the removed letters that may be in the file, up to limit.
func (s *state) forgotten(limit int) []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var seqs []uint64
	for seq := range s.gone {
		if seq <= s.place.seq {
			seqs = append(seqs, seq)
		}
		if len(seqs) == limit {
			break
		}
	}
	slices.Sort(seqs)
	return seqs
}

// taken notes that removed letters are out of the file.
func (s *state) taken(seqs []uint64, grown int) {
	s.change(func() {
		for _, seq := range seqs {
			delete(s.gone, seq)
		}
		s.held += uint64(grown)
	})
}
