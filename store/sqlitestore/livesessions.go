package sqlitestore

import "github.com/maypok86/otter/v2"

// maxLiveSessions bounds what is remembered of live sessions: some 100 MiB.
const maxLiveSessions = 200_000

// liveSessions remembers sessions that are live on disk, so that their fences
// need no look-up. A session that is not in the cache is looked up.
type liveSessions struct {
	cache *otter.Cache[string, session] // nil: nothing is remembered
}

func newLiveSessions(c Config) *liveSessions {
	if c.forgetful {
		return &liveSessions{}
	}
	return &liveSessions{cache: otter.Must(&otter.Options[string, session]{MaximumSize: maxLiveSessions})}
}

// remember takes in a session as it is now, with the times that the file has.
func (l *liveSessions) remember(x session) {
	if l.cache != nil {
		x.cutoff = 0 // nothing has ended it
		x.AuthenticatedAt, x.ExpiresAt = fromMillis(x.authenticatedAt), fromMillis(x.expiresAt)
		l.cache.Set(x.ID, x)
	}
}

// of returns what is remembered of the session.
func (l *liveSessions) of(sessionID string) (x session, ok bool) {
	if l.cache == nil {
		return x, false
	}
	return l.cache.GetIfPresent(sessionID)
}

// keep makes the record of the session be kept until then at least.
func (l *liveSessions) keep(sessionID string, keepUntil int64) {
	if x, ok := l.of(sessionID); ok && x.keepUntil < keepUntil {
		x.keepUntil = keepUntil
		l.remember(x)
	}
}

// forget is called when a session ends.
func (l *liveSessions) forget(sessionID string) {
	if l.cache != nil {
		l.cache.Invalidate(sessionID)
	}
}
