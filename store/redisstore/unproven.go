package redisstore

import (
	"context"

	"github.com/logoutd/logoutd/store"
)

// unproven is a session, refresh token or push registration whose time is ahead
// of the server's clock, and later than the cutoff of a request. Nothing proves
// that it came after the cutoff, so it is revoked too. Only where a cutoff that
// it had to clear is ahead of the clock itself, the clock was set back: then
// the times are compared as they are stored.
type unproven struct {
	*part             // of this one
	time, now, cutoff int64
	device, app       string
}

// suspend notes an unproven member of a part.
func (p *part) suspend(id string, v reply) {
	p.unproven = append(p.unproven, &unproven{
		part: &part{revocation: p.revocation, lists: p.lists, ids: []string{id}},
		time: v.number(1), now: v.number(2), device: v.text(3), app: v.text(4),
	})
}

// revokeUnproven revokes what the last step of a sweep found.
func (s *Store) revokeUnproven(ctx context.Context, wave []*revocation) error {
	var found []*unproven
	for _, r := range wave {
		found = append(found, r.unproven...)
		r.unproven = nil
	}
	return run(ctx, s, found, findTime, findClearedCutoffs, markUnproven)
}

// findTime looks up the time of a session or refresh token; that of a push
// registration came with the mark.
func findTime(_ context.Context, p *pipe, u *unproven) func() error {
	if u.lists == pushRegistrations {
		return nil
	}
	result := look(p, u.recordKeys()[0])
	return func() error {
		rec, err := result()
		u.time, u.now, u.device = rec.authenticatedAt, rec.now, rec.device
		return err
	}
}

// findClearedCutoffs looks up the latest cutoff that it had to clear when it
// was registered.
func findClearedCutoffs(ctx context.Context, p *pipe, u *unproven) func() error {
	ofUser, ofPush := overtaking(ctx, p, u.User, u.device), noCutoff
	if u.lists == pushRegistrations {
		ofPush = pushCutoff(ctx, p, u.user.pushCutoffs(u.device), u.app)
	}
	return func() error {
		latest, err := ofUser()
		if err != nil {
			return err
		}
		later, err := ofPush()
		u.cutoff = max(latest, later)
		return err
	}
}

func noCutoff() (int64, error) { return 0, nil }

// pushCutoff queues the look-up of the latest cutoff of the push registrations
// of an app on a device; the key is that of the device's cutoffs.
func pushCutoff(ctx context.Context, p *pipe, key, app string) func() (int64, error) {
	fields := []string{"all", "app:" + app}
	if app == "" {
		fields = []string{"any"}
	}
	cmd := p.HMGet(ctx, key, fields...)
	return func() (latest int64, err error) {
		values, err := cmd.Result()
		for _, value := range values {
			text, _ := value.(string)
			at, err := parseMillis(text)
			if err != nil {
				return 0, err
			}
			latest = max(latest, at)
		}
		return latest, err
	}
}

func markUnproven(ctx context.Context, p *pipe, u *unproven) func() error {
	if !store.Ahead(fromMillis(u.time), fromMillis(u.now)) || u.cutoff > u.now {
		return nil
	}
	u.upTo = u.time
	read := mark(ctx, p, u.part)
	return func() error {
		before := u.marks.size()
		err := read()
		u.revoked.Ahead += u.marks.size() - before
		return err
	}
}
