package redisstore

import (
	"fmt"
	"testing"
)

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	m := newMemory()
	of := func(n int) *marks {
		return &marks{ids: [3][]string{sessions: make([]string, n)}}
	}
	for i := range 10 {
		m.put(fmt.Sprint("r", i), of(memoryLimit/4))
		if m.size > memoryLimit {
			t.Fatalf("%d ids are remembered", m.size)
		}
	}
	if m.take("r9") == nil {
		t.Error("the latest request is forgotten")
	}
	if m.take("r9") != nil {
		t.Error("a request is remembered after it was taken")
	}
	m.put("giant", of(memoryLimit))
	if m.take("giant") != nil {
		t.Error("a request is remembered that is too big")
	}
	for range 3 {
		m.put("again", of(10))
	}
	m.take("again")
	if m.size != 0 || len(m.marks) != 0 {
		t.Errorf("%d ids of %d requests are left", m.size, len(m.marks))
	}
}
