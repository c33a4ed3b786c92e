package redisstore

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"
)

// callKeys is about how many keys a call of a script has at most: some tenths of
// a millisecond of Redis' time, or a whole one where each key is written.
const callKeys = 100

// pipe is a pipeline. Items that call the same script share its calls, which
// costs the server much less; on a cluster, where a call must keep to one
// slot, each has its own.
type pipe struct {
	redis.Pipeliner
	alone bool // each item has its own call
	// testClock: scripts take the time from TestClockKey.
	testClock bool
	open      map[string]*call // with room for more, by script
	calls     []*call
}

// call is a call of a script for some items, in order.
type call struct {
	script  string
	keys    []string
	args    []any
	results []*result
	cmd     *redis.Cmd
}

// result is what a script returns of one item.
type result struct {
	value any
	err   error
}

func (s *Store) pipe() *pipe {
	return &pipe{Pipeliner: s.client.Pipeline(), alone: s.isCluster(), testClock: s.testClock, open: map[string]*call{}}
}

// EvalSha queues the call of a script.
func (p *pipe) EvalSha(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	if p.testClock {
		script = testClocked[script]
	}
	return p.Pipeliner.EvalSha(ctx, script, keys, args...)
}

// each queues one item for a script that takes several.
func (p *pipe) each(script string, keys []string, args ...any) *result {
	c := p.open[script]
	if c == nil || p.alone || len(c.keys)+len(keys) > callKeys {
		c = &call{script: script}
		p.open[script] = c
		p.calls = append(p.calls, c)
	}
	c.keys, c.args = append(c.keys, keys...), append(c.args, args...)
	r := &result{}
	c.results = append(c.results, r)
	return r
}

// exec sends a pipeline. Its error is that of the whole call.
func (s *Store) exec(ctx context.Context, p *pipe) error {
	for _, c := range p.calls {
		c.cmd = p.EvalSha(ctx, c.script, c.keys, c.args...)
	}
	cmds, err := send(ctx, p)
	if err == nil {
		err = resendUnloaded(ctx, s.client, cmds)
	}
	if err != nil {
		return s.unavailable(err)
	}
	for _, cmd := range cmds {
		if isUnavailable(cmd.Err()) {
			return s.unavailable(cmd.Err())
		}
	}
	for _, c := range p.calls {
		if err := c.read(); err != nil {
			return s.unavailable(err)
		}
	}
	return nil
}

// read hands the items of a call their results. Its error is that of the whole
// pipeline.
func (c *call) read() error {
	replies, err := c.cmd.Slice()
	for i, r := range c.results {
		if r.err = err; err != nil {
			continue
		}
		r.value = replies[i]
		if failure, failed := r.value.(error); failed {
			r.value, r.err = nil, failure
		}
		if isUnavailable(r.err) {
			return r.err
		}
	}
	return nil
}

// reply is the result of a script that returns an array of each item.
func (r *result) reply() (reply, error) {
	values, _ := r.value.([]any)
	return values, r.err
}

// send sends a pipeline. Its error is one that no command tells of: the
// connection was refused, say for a wrong password.
func send(ctx context.Context, p redis.Pipeliner) ([]redis.Cmder, error) {
	if p.Len() == 0 {
		return nil, nil
	}
	cmds, err := p.Exec(ctx)
	failed := func(cmd redis.Cmder) bool { return cmd.Err() != nil }
	if err != nil && !slices.ContainsFunc(cmds, failed) {
		return nil, err
	}
	return cmds, nil
}
