package damage

// Knows reports whether the watch has seen all streams.
func (w *Watch) Knows() bool { return w.complete() }
