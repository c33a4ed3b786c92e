package redisstore_test

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"
)

var errBroken = errors.New("connection broken by the test")

// breaker lets a number of commands pass and fails all later ones, also in
// the middle of a pipeline.
type breaker struct {
	mu   sync.Mutex
	left int // negative: all pass
}

func (b *breaker) breakAfter(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = n
}

// pass takes up to n commands off and returns how many may pass.
func (b *breaker) pass(n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 0 {
		return n
	}
	n = min(n, b.left)
	b.left -= n
	return n
}

func (b *breaker) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *breaker) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if b.pass(1) == 0 {
			cmd.SetErr(errBroken)
			return errBroken
		}
		return next(ctx, cmd)
	}
}

func (b *breaker) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		n := b.pass(len(cmds))
		if n == len(cmds) {
			return next(ctx, cmds)
		}
		if n > 0 {
			_ = next(ctx, cmds[:n]) // each command keeps its own error
		}
		for _, cmd := range cmds[n:] {
			cmd.SetErr(errBroken)
		}
		return errBroken
	}
}
