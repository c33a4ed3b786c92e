package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/logoutd/logoutd/operations/access"
)

const (
	sessionIdle = 30 * time.Minute // without a page
	sessionAge  = 12 * time.Hour   // since the login
	// sessionRenewal is how old a cookie is when it is written anew.
	sessionRenewal = time.Minute
	cookieName     = "logoutd_console"
)

// session is who is logged in. It lies in the cookie, sealed, with the hash of
// the token that opened it: whoever visits is looked up anew each time, so that
// a token that is revoked, or is another one under the same name, opens
// nothing.
type session struct {
	Hash    access.Hash `json:"hash"`
	Began   int64       `json:"began"` // Unix seconds
	Renewed int64       `json:"renewed"`

	caller access.Caller
}

func (s session) alive(now time.Time) bool {
	began, renewed := time.Unix(s.Began, 0), time.Unix(s.Renewed, 0)
	return now.Sub(began) < sessionAge && now.Sub(renewed) < sessionIdle
}

// newSeal returns what closes and opens sessions: AES-256-GCM under a key made
// from the secret. Without a secret anybody could make one: nil.
func newSeal(secret []byte) cipher.AEAD {
	if len(secret) == 0 {
		return nil
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "logoutd console session", 32)
	if err != nil {
		panic(err) // the length is wrong
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the length is wrong
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // not AES
	}
	return seal
}

// close returns the session as the cookie holds it.
func (c *console) close(s session) string {
	text, _ := json.Marshal(s) // strings and numbers: never fails
	return base64.RawURLEncoding.EncodeToString(c.seal.Seal(nil, nil, text, nil))
}

// open returns the session of a cookie, if its time is not up and its token
// still lets somebody in.
func (c *console) open(closed string, now time.Time) (session, bool) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(closed)
	if err != nil || c.seal == nil {
		return session{}, false
	}
	text, err := c.seal.Open(nil, nil, sealed, nil)
	var s session
	if err != nil || json.Unmarshal(text, &s) != nil || !s.alive(now) {
		return session{}, false
	}
	caller, known := c.Access.Standing(s.Hash)
	s.caller = caller
	return s, known && caller.May(access.Viewer)
}

// current returns the session of a request, if it has one.
func (c *console) current(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	return c.open(cookie.Value, time.Now())
}

// write puts the session into the browser; the zero session takes it out.
func (c *console) write(w http.ResponseWriter, r *http.Request, s session) {
	cookie := &http.Cookie{
		Name: cookieName, Path: "/console", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: c.Proxies.Client(r).HTTPS, MaxAge: -1,
	}
	if s.Began != 0 {
		cookie.Value, cookie.MaxAge = c.close(s), int(sessionIdle/time.Second)
	}
	http.SetCookie(w, cookie)
}
