package access

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Errors of what was asked for. Every other error wraps
// [events.ErrUnavailable].
var (
	ErrName    = errors.New("a token's name is 1 to 64 letters, digits, \".\", \"_\" and \"-\", and not \"" + RootName + "\"")
	ErrRole    = errors.New("a token's role is registry, viewer or operator")
	ErrExists  = errors.New("there is a token of that name")
	ErrNoToken = errors.New("no such token")
)

var validName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func checkName(name string) error {
	if !validName.MatchString(name) || strings.EqualFold(name, RootName) {
		return ErrName
	}
	return nil
}

// secretPrefix tells people, and scanners for leaked secrets, what it is.
const secretPrefix = "logoutd_"

// newSecret returns 256 random bits: too many to guess from their SHA-256, so
// that a slow hash would add nothing.
func newSecret() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails (crypto/rand, Go 1.24)
	return secretPrefix + base64.RawURLEncoding.EncodeToString(random)
}

// Create makes a token and returns its secret, which is kept nowhere. Errors:
// [ErrName], [ErrRole], [ErrExists]. After one that wraps
// [events.ErrUnavailable] there may be a token of that name whose secret
// nobody knows: revoke it.
func (t *Tokens) Create(ctx context.Context, name string, role Role, by string) (secret string, _ Token, _ error) {
	if err := checkName(name); err != nil {
		return "", Token{}, err
	}
	if !role.known() {
		return "", Token{}, ErrRole
	}
	secret = newSecret()
	token := held{
		Token: Token{Name: name, Role: role, CreatedAt: time.Now().UTC().Truncate(time.Millisecond), CreatedBy: by},
		hash:  sha256.Sum256([]byte(secret)),
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	if err := t.store(ctx, &token); err != nil {
		return "", Token{}, err
	}
	t.hold(token)
	return secret, token.Token, nil
}

// Revoke ends a token: in this process at once, in the others as soon as the
// broker has told them. Errors: [ErrNoToken], also for the root token, which
// ends where the settings change; or one that wraps [events.ErrUnavailable].
func (t *Tokens) Revoke(ctx context.Context, name string) error {
	if checkName(name) != nil {
		return ErrNoToken
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	revision, err := t.erase(ctx, name)
	if err != nil {
		return err
	}
	t.hold(held{Token: Token{Name: name}, revision: revision, revoked: true})
	return nil
}

// List returns the named tokens, by name, as the broker has them. An error
// wraps [events.ErrUnavailable].
func (t *Tokens) List(ctx context.Context) ([]Token, error) {
	all, watch, err := t.read(ctx)
	if err != nil {
		return nil, err
	}
	watch.stop()
	tokens := make([]Token, 0, len(all))
	for _, token := range all {
		if !token.revoked {
			tokens = append(tokens, token.Token)
		}
	}
	slices.SortFunc(tokens, func(a, b Token) int { return cmp.Compare(a.Name, b.Name) })
	return tokens, nil
}

// revokedName returns the name of a token that was revoked, if it is known.
func (t *Tokens) revokedName(hash Hash) string {
	t.naming.Lock()
	defer t.naming.Unlock()
	return t.revoked[hash]
}

// hold keeps a token, or its revocation, in memory, unless something newer is
// known. The caller holds t.changing.
func (t *Tokens) hold(token held) {
	if token.revision <= t.tokens[token.Name].revision {
		return
	}
	if before := t.tokens[token.Name]; before.hash != (Hash{}) && before.hash != token.hash {
		t.naming.Lock()
		limit(t.revoked)
		t.revoked[before.hash] = token.Name
		t.naming.Unlock()
	}
	t.tokens[token.Name] = token
	t.publish()
}
