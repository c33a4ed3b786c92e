package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
)

// Finish records that requests were told and prunes what bears their marks;
// see [store.Store].
func (s *Store) Finish(ctx context.Context, asked []store.Revocation) ([]error, error) {
	revocations := revocationsOf(asked)
	if err := s.finish(ctx, revocations); err != nil {
		return nil, fmt.Errorf("finishing: %w", err)
	}
	errs := make([]error, len(revocations))
	for i, r := range revocations {
		errs[i] = r.err
	}
	return errs, nil
}

// Finished reports which requests were told; see [store.Store].
func (s *Store) Finished(ctx context.Context, asked []store.Revocation) ([]bool, error) {
	revocations := revocationsOf(asked)
	if err := run(ctx, s, revocations, findDone); err != nil {
		return nil, fmt.Errorf("looking up requests: %w", err)
	}
	finished := make([]bool, len(asked))
	for i, r := range revocations {
		finished[i] = r.revoked.Done
	}
	return finished, nil
}

func findDone(ctx context.Context, p *pipe, r *revocation) func() error {
	told := p.Exists(ctx, requestKey(r.RequestID))
	return func() error {
		r.revoked.Done = told.Val() > 0
		return told.Err()
	}
}

func (s *Store) finish(ctx context.Context, revocations []*revocation) error {
	forgotten := s.recall(revocations)
	if err := run(ctx, s, forgotten, findTombstone); err != nil {
		return err
	}
	if err := run(ctx, s, revocations, s.writeDone); err != nil {
		return err
	}
	if err := s.prune(ctx, revocations); err != nil {
		return err
	}
	return s.sweep(ctx, sweepsOf(forgotten), findMarks, func() error { return s.prune(ctx, forgotten) })
}

// recall takes what Revoke has remembered of the requests, and returns those of
// which it has nothing.
func (s *Store) recall(revocations []*revocation) (forgotten []*revocation) {
	for _, r := range revocations {
		if marks := s.memory.take(r.RequestID); marks != nil {
			r.marks = marks
		} else {
			forgotten = append(forgotten, r)
		}
	}
	return forgotten
}

// findTombstone looks up how long the session presented is kept.
func findTombstone(ctx context.Context, p *pipe, r *revocation) func() error {
	cmd := p.PTTL(ctx, sessionKey(r.SessionID))
	return func() error {
		r.kept = cmd.Val().Milliseconds()
		return cmd.Err()
	}
}

// writeDone records that a request was told, for as long as the session
// presented is kept: as long, a repeated logout has the same request id.
func (s *Store) writeDone(ctx context.Context, p *pipe, r *revocation) func() error {
	kept := time.Duration(max(r.kept, s.retention)) * time.Millisecond
	return p.Set(ctx, requestKey(r.RequestID), "done", kept).Err
}

// sweepsOf are the indexes that list what requests may have marked. The session
// presented may have gone from its user's index; it is asked in any case.
func sweepsOf(revocations []*revocation) []*sweep {
	var sweeps []*sweep
	for _, r := range revocations {
		if r.err != nil {
			continue
		}
		if r.SessionID != "" {
			presented := newSweep(r, sessions)
			presented.page, presented.done = []string{r.SessionID}, true
			sweeps = append(sweeps, presented)
		}
		if r.Scope != store.ScopeSession {
			sweeps = append(sweeps, newSweep(r, sessions))
		}
		sweeps = append(sweeps, newSweep(r, refreshTokens), newSweep(r, pushRegistrations))
	}
	return sweeps
}

// findMarks finds out which members bear the mark of the request. The script
// that deletes a push registration asks itself.
func findMarks(ctx context.Context, p *pipe, part *part) func() error {
	if part.lists == pushRegistrations {
		for _, id := range part.ids {
			part.add(part.lists, id)
		}
		return nil
	}
	marks := make([]*redis.StringCmd, len(part.ids))
	for i, key := range part.recordKeys() {
		marks[i] = p.HGet(ctx, key, "mark")
	}
	return func() error {
		for i, mark := range marks {
			if err := mark.Err(); err != nil && !errors.Is(err, redis.Nil) {
				return err
			}
			if mark.Val() == part.RequestID {
				part.add(part.lists, part.ids[i])
			}
		}
		return nil
	}
}

// pruneSize is how many members one command takes out of an index.
const pruneSize = 100

// prune takes what bears the marks of requests out of their users' indexes,
// and forgets the marks. Nothing brings a marked record back, so it cannot be
// needed there again.
func (s *Store) prune(ctx context.Context, revocations []*revocation) error {
	var parts []*part
	for _, r := range revocations {
		for lists, ids := range r.marks.ids {
			for ids := range slices.Chunk(ids, pruneSize) {
				parts = append(parts, &part{revocation: r, lists: listing(lists), ids: ids})
			}
			r.marks.ids[lists] = nil
		}
	}
	return run(ctx, s, parts, prune, releaseDeleted)
}

func prune(ctx context.Context, p *pipe, part *part) func() error {
	if part.lists == pushRegistrations {
		return deleteRegistrations(p, part)
	}
	index := part.user.sessions()
	if part.lists == refreshTokens {
		index = part.user.refresh()
	}
	members := make([]any, len(part.ids))
	for i, id := range part.ids {
		members[i] = id
	}
	return p.ZRem(ctx, index, members...).Err
}

func deleteRegistrations(p *pipe, part *part) func() error {
	deleted := make(map[string]*result, len(part.ids))
	part.deleted = map[string]reply{}
	for i, key := range part.recordKeys() {
		deleted[key] = p.each(pushDeleteScript, []string{key, part.user.push()}, part.RequestID, part.ids[i])
	}
	return func() error {
		for key, d := range deleted {
			v, err := d.reply()
			if err != nil {
				return err
			}
			if len(v) > 0 {
				part.deleted[key] = v
			}
		}
		return nil
	}
}
