package redisstore

import "time"

// What is registered without a time, or with one ahead of the server's clock,
// gets the next millisecond, and the call returns when that has come. So whoever logs in after a logout, be it in the
// same millisecond, is later than its cutoff; and whoever has logged in before
// one is not.

// moment is when an item took the next millisecond as its time; zero for one
// that brought its own.
type moment struct{ time.Time }

// take notes that the time was taken no later than now.
func (m *moment) take() { m.Time = time.Now() }

// awaitAll waits until the milliseconds that the items took have come.
func awaitAll[I any](items []I, taken func(I) moment) {
	var last time.Time
	for _, it := range items {
		if m := taken(it); m.After(last) {
			last = m.Time
		}
	}
	if !last.IsZero() {
		time.Sleep(time.Until(last.Add(time.Millisecond)))
	}
}
