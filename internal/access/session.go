package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Lifetimes of a session.
const (
	SessionIdle = 30 * time.Minute // without use
	SessionAge  = 12 * time.Hour   // since its beginning
	// sessionRenewal is how old the last use is when another one is noted.
	sessionRenewal = time.Minute
)

// Session is a login to the console.
type Session struct {
	ID        string // SHA-256 of its secret in base64url; it opens nothing
	Token     string // name of the token that opened it
	Role      Role   // of the token, then
	Address   string // of the client, then
	CreatedAt time.Time
	SeenAt    time.Time // its last use, to the minute
}

// Subject is what the audit log says of a session.
func (s Session) Subject() json.RawMessage {
	subject, _ := json.Marshal(struct {
		Token   string `json:"token"`
		Session string `json:"session_id"`
		Address string `json:"address"`
	}{s.Token, s.ID, s.Address}) // strings: never fails
	return subject
}

func (s Session) expired(now time.Time) bool {
	return now.Sub(s.CreatedAt) >= SessionAge || now.Sub(s.SeenAt) >= SessionIdle
}

// heldSession is a session as it is kept in memory.
type heldSession struct {
	Session
	token    Hash
	revision uint64 // of the bucket; 0: never written
	unsaved  bool   // the broker does not have it as it is here
	ended    bool   // stays until the broker has told of its end

	alive context.Context // ends with the session
	end   context.CancelFunc
}

func newHeld(s Session, token Hash) *heldSession {
	h := &heldSession{Session: s, token: token}
	h.alive, h.end = context.WithCancel(context.Background())
	return h
}

// newSessionSecret returns 256 random bits, and the id of the session that they
// open.
func newSessionSecret() (secret, id string) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails (crypto/rand, Go 1.24)
	secret = base64.RawURLEncoding.EncodeToString(random)
	return secret, sessionID(secret)
}

func sessionID(secret string) string {
	hash := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// sessionRecord is a session in the bucket, under its id.
type sessionRecord struct {
	Token     string    `json:"token"`
	TokenHash string    `json:"token_sha256"` // base64url
	Role      Role      `json:"role"`
	Address   string    `json:"address"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`
}

func (h *heldSession) encode() ([]byte, error) {
	return json.Marshal(sessionRecord{
		Token: h.Token, TokenHash: base64.RawURLEncoding.EncodeToString(h.token[:]), Role: h.Role,
		Address: h.Address, CreatedAt: h.CreatedAt, SeenAt: h.SeenAt,
	})
}

var errNoSession = errors.New("not a session")

// decodeSession reads an entry of the bucket that was put.
func decodeSession(entry jetstream.KeyValueEntry) (*heldSession, error) {
	var r sessionRecord
	if err := json.Unmarshal(entry.Value(), &r); err != nil {
		return nil, err
	}
	hash, err := base64.RawURLEncoding.DecodeString(r.TokenHash)
	if err != nil || len(hash) != sha256.Size {
		return nil, errNoSession
	}
	h := newHeld(Session{
		ID: entry.Key(), Token: r.Token, Role: r.Role, Address: r.Address, CreatedAt: r.CreatedAt, SeenAt: r.SeenAt,
	}, Hash(hash))
	h.revision = entry.Revision()
	return h, nil
}
