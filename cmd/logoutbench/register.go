package main

import (
	"context"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// linesPerImport is about how many registrations one call makes.
	linesPerImport = 20_000
	// imports is how many calls are made at once: while the store is busy with
	// one, the next is read.
	imports = 2
)

// register registers users until n of the crowd are.
func (c *crowd) register(ctx context.Context, s *system, n int, progress func(done, total int)) error {
	from := int(c.registered.Load())
	perUser := c.Sessions + c.RefreshTokens + c.PushRegistrations
	step := max(linesPerImport/perUser, 1)
	for user := from; user < n; user += imports * step {
		end := min(user+imports*step, n)
		if err := c.importUsers(ctx, s, user, end, step); err != nil {
			return err
		}
		c.registered.Store(int64(end))
		if progress != nil {
			progress(end-from, n-from)
		}
	}
	return nil
}

// importUsers registers some users, by a call for each step of them at once.
func (c *crowd) importUsers(ctx context.Context, s *system, from, to, step int) error {
	importing, ctx := errgroup.WithContext(ctx)
	for user := from; user < to; user += step {
		importing.Go(func() error { return s.importLines(ctx, c.lines(user, min(user+step, to))) })
	}
	return importing.Wait()
}

// lines returns the NDJSON that registers some users. It holds one kind after
// the other: logoutd works on neighbours of one kind together.
func (c *crowd) lines(from, to int) []byte {
	var b []byte
	expires := c.expires.Format(time.RFC3339)
	authenticated := c.authenticated.Format(time.RFC3339)
	for session := from * c.Sessions; session < to*c.Sessions; session++ {
		b = append(b, `{"type":"session","session_token":"`...)
		b = c.sessions.append(b, session)
		b = c.appendUser(b, session/c.Sessions)
		b = append(b, `","authenticated_at":"`+authenticated+`","expires_at":"`+expires+"\"}\n"...)
	}
	for token := from * c.RefreshTokens; token < to*c.RefreshTokens; token++ {
		user := token / c.RefreshTokens
		session := user*c.Sessions + token%c.RefreshTokens%c.Sessions
		b = append(b, `{"type":"refresh_token","refresh_token":"`...)
		b = c.refresh.append(b, token)
		b = append(b, `","session_id":"`...)
		b = append(b, c.sessionID(session)...)
		b = c.appendUser(b, user)
		b = append(b, `","expires_at":"`+expires+"\"}\n"...)
	}
	for push := from * c.PushRegistrations; push < to*c.PushRegistrations; push++ {
		number := strconv.Itoa(push)
		b = append(b, `{"type":"push_registration","provider":"`+pushProvider+`","device_id":"`...)
		b = append(b, number...)
		b = append(b, `","push_token":"`...)
		b = append(b, number...)
		b = c.appendUser(b, push/c.PushRegistrations)
		b = append(b, "\"}\n"...)
	}
	return b
}

func (c *crowd) appendUser(b []byte, user int) []byte {
	b = append(b, `","user_id":"`...)
	b = append(b, c.users...)
	return strconv.AppendInt(b, int64(user), 10)
}
