package sqlitestore

import (
	"encoding/base64"
	"encoding/binary"
)

const (
	// liveBlocks bounds what is remembered of live sessions: 128 MiB, which
	// holds a million with long ids. The map of them takes 40 MiB more.
	liveBlocks = 128 << 20 / blockSize
	// liveShards is into how many parts they are divided, none of which takes
	// long to go through.
	liveShards = 64
)

// liveSessions remembers sessions that are live on disk, so that their fences
// need no look-up. What is not there, for want of memory or because of a
// restart, is looked up. It is not safe for concurrent use.
type liveSessions struct {
	shards [liveShards]map[liveKey]slot
	slab   slab
}

// liveKey is half of the hash that a session id is; so much is enough to tell
// sessions apart.
type liveKey [16]byte

func newLiveSessions(c Config) *liveSessions {
	l := &liveSessions{slab: slab{limit: liveBlocks}}
	if c.forgetful {
		l.slab.limit = 0
	}
	for i := range l.shards {
		l.shards[i] = map[liveKey]slot{}
	}
	return l
}

func (l *liveSessions) shard(k liveKey) map[liveKey]slot { return l.shards[k[0]%liveShards] }

// keyOf returns the key of a session, unless its id is none of [store.TokenID].
func keyOf(sessionID string) (k liveKey, ok bool) {
	var hash [33]byte
	if len(sessionID) != base64.RawURLEncoding.EncodedLen(32) {
		return k, false
	}
	n, err := strictBase64.Decode(hash[:], []byte(sessionID))
	copy(k[:], hash[:])
	return k, err == nil && n == 32
}

var strictBase64 = base64.RawURLEncoding.Strict()

// remember takes in a session as it is now, if there is room for it.
func (l *liveSessions) remember(x session) {
	k, ok := keyOf(x.ID)
	if !ok {
		return
	}
	l.drop(k)
	var buffer [maxSlot]byte
	if p, ok := l.slab.put(appendSession(buffer[:0], x)); ok {
		l.shard(k)[k] = p
	}
}

// room reports whether there is memory left for more sessions.
func (l *liveSessions) room() bool { return len(l.slab.blocks) < l.slab.limit }

// of returns what is remembered of the session.
func (l *liveSessions) of(sessionID string) (x session, ok bool) {
	k, ok := keyOf(sessionID)
	if !ok {
		return x, false
	}
	p, ok := l.shard(k)[k]
	if !ok {
		return x, false
	}
	x = readSession(l.slab.at(p))
	x.ID = sessionID
	return x, true
}

// keep lets the record of the session be kept until then at least.
func (l *liveSessions) keep(sessionID string, keepUntil int64) {
	if x, ok := l.of(sessionID); ok && x.keepUntil < keepUntil {
		x.keepUntil = keepUntil
		l.remember(x)
	}
}

// forget is called when a session ends.
func (l *liveSessions) forget(sessionID string) {
	if k, ok := keyOf(sessionID); ok {
		l.drop(k)
	}
}

func (l *liveSessions) drop(k liveKey) {
	shard := l.shard(k)
	if p, ok := shard[k]; ok {
		delete(shard, k)
		l.slab.drop(p)
	}
}

// forgetExpired forgets the sessions of a shard that have expired.
func (l *liveSessions) forgetExpired(shard int, now int64) {
	for k, p := range l.shards[shard] {
		if expiresAt, _ := binary.Varint(l.slab.at(p)); expiresAt <= now {
			l.drop(k)
		}
	}
}

// appendSession appends all that is remembered of a session but its id, the
// expiry first.
func appendSession(b []byte, x session) []byte {
	for _, ms := range []int64{x.expiresAt, x.authenticatedAt, x.keepUntil} {
		b = binary.AppendVarint(b, ms)
	}
	for _, text := range []string{x.User.TenantID, x.User.ID, x.DeviceID, x.AppID, string(x.Kind)} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

// readSession reads what appendSession has written. The strings share their
// memory.
func readSession(b []byte) (x session) {
	for _, ms := range []*int64{&x.expiresAt, &x.authenticatedAt, &x.keepUntil} {
		v, n := binary.Varint(b)
		*ms, b = v, b[n:]
	}
	all := string(b)
	for _, text := range []*string{&x.User.TenantID, &x.User.ID, &x.DeviceID, &x.AppID, (*string)(&x.Kind)} {
		length, n := binary.Uvarint(b)
		end := n + int(length)
		*text, b, all = all[n:end], b[end:], all[end:]
	}
	x.AuthenticatedAt, x.ExpiresAt = fromMillis(x.authenticatedAt), fromMillis(x.expiresAt)
	return x
}
