package redisstore

import "testing"

// A pipeline is as long as what it names, not as the list of its items.
func TestTogether(t *testing.T) {
	t.Parallel()
	of := func(sizes ...int) (parts []*part) {
		for _, size := range sizes {
			parts = append(parts, &part{ids: make([]string, size)})
		}
		return parts
	}
	for _, c := range []struct {
		name  string
		parts []*part
		want  int
	}{
		{"all fit", of(1, 2, 3), 3},
		{"just full", of(chunkSize-1, 1, 1), 2},
		{"too many records", of(chunkSize/2, chunkSize/2, chunkSize/2), 2},
		{"one alone is too large", of(chunkSize+1, 1), 1},
		{"the second is", of(1, chunkSize), 1},
	} {
		if n := together(c.parts); n != c.want {
			t.Errorf("%s: %d share a pipeline, want %d", c.name, n, c.want)
		}
	}
}
