package workers

import (
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// crew is a few goroutines that work on messages. One that has to wait for
// something calls aside: another takes its place, so that as many as before
// are there for other messages. Where nobody waits no goroutine is started.
type crew struct {
	work    func(msg jetstream.Msg, aside func())
	msgs    chan jetstream.Msg // to be worked on
	members sync.WaitGroup
}

// newCrew starts n goroutines; as many messages as queue may wait for one.
func newCrew(n, queue int, work func(msg jetstream.Msg, aside func())) *crew {
	c := &crew{work: work, msgs: make(chan jetstream.Msg, queue)}
	for range n {
		c.members.Go(c.member)
	}
	return c
}

// finish waits until all messages are worked on; no more may come.
func (c *crew) finish() {
	close(c.msgs)
	c.members.Wait()
}

func (c *crew) member() {
	replaced := false
	aside := func() {
		if !replaced {
			replaced = true
			c.members.Go(c.member)
		}
	}
	for msg := range c.msgs {
		c.work(msg, aside)
		if replaced {
			return
		}
	}
}
