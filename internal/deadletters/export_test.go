package deadletters

import (
	"context"
	"time"
)

// CheckEvery returns the configuration with another interval between the
// comparisons with the stream.
func (c Config) CheckEvery(interval time.Duration) Config {
	c.checkEvery = interval
	return c
}

// Put puts letters in as a rebuild does before it is done.
func (l *Letters) Put(letters []Letter) error {
	return l.put(context.Background(), batch{letters: letters, last: letters[len(letters)-1].Seq})
}

// Pending returns how many removals wait for their letters.
func (l *Letters) Pending() int {
	l.state.mu.Lock()
	defer l.state.mu.Unlock()
	return len(l.state.gone)
}
