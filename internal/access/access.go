package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// RootName is the name of the root token's caller. No other token bears it,
// whatever its case.
const RootName = "admin"

// Token is a named token, without its secret, which nobody knows but its
// holder.
type Token struct {
	Name      string
	Role      Role
	CreatedAt time.Time // of the process that created it, in UTC
	CreatedBy string    // the name of a token
}

// Config is what tokens are kept in.
type Config struct {
	JetStream jetstream.JetStream
	// Root is the admin token of the settings: [RootName], an operator, who
	// comes in without the broker. Empty: there is none.
	Root string
	// Logger gets why the tokens cannot be followed. Default: none.
	Logger *slog.Logger
}

// Tokens are the tokens of all admin processes on one broker. It is safe for
// concurrent use.
type Tokens struct {
	config Config
	bucket *bucket

	// current is what callers are looked up in: the root token and those held.
	current atomic.Pointer[[]held]
	loaded  atomic.Bool

	// changing is held over a change, and over the reading of all tokens: a
	// reading that began before a change must not undo it in memory.
	changing sync.Mutex
	tokens   map[string]held // by name

	naming  sync.Mutex
	revoked map[Hash]string // names of tokens that were revoked since the start, at most maxTracked
}

// held is a token as it is kept in memory.
type held struct {
	Token
	hash     [sha256.Size]byte
	revision uint64 // of the bucket
	revoked  bool   // stays, so that nothing older than the revocation counts
}

// New returns the tokens on a broker. Until [Tokens.Run] has read them, the
// root token is the only one.
func New(c Config) *Tokens {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	t := &Tokens{
		config: c, tokens: map[string]held{}, revoked: map[Hash]string{},
		bucket: &bucket{js: c.JetStream, name: "logoutd_tokens", description: "admin tokens"},
	}
	t.publish()
	return t
}

// Loaded reports whether the tokens have been read since the start. Before, a
// caller that is refused may be let in later.
func (t *Tokens) Loaded() bool { return t.loaded.Load() }

// Authenticate returns who presents a token. It takes as long whichever token
// matches, or none: hashes are compared, in constant time, with those of all.
func (t *Tokens) Authenticate(presented string) (Caller, bool) {
	return t.Standing(HashOf(presented))
}

// Hash is how a token is kept: SHA-256.
type Hash [sha256.Size]byte

// HashOf returns the hash of a token.
func HashOf(token string) Hash { return sha256.Sum256([]byte(token)) }

// Standing is [Tokens.Authenticate] by the token's hash, for who has let a
// token in before and keeps no more of it.
func (t *Tokens) Standing(hash Hash) (Caller, bool) {
	all, found := *t.current.Load(), -1
	for i := range all {
		same := subtle.ConstantTimeCompare(hash[:], all[i].hash[:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if found < 0 {
		return Caller{}, false
	}
	return Caller{Name: all[found].Name, Role: all[found].Role}, true
}

// publish makes what is held known to callers.
func (t *Tokens) publish() {
	all := make([]held, 0, len(t.tokens)+1)
	if t.config.Root != "" {
		all = append(all, held{Token: Token{Name: RootName, Role: Operator}, hash: sha256.Sum256([]byte(t.config.Root))})
	}
	for _, token := range t.tokens {
		if !token.revoked {
			all = append(all, token)
		}
	}
	t.current.Store(&all)
}
