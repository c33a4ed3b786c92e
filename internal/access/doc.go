// Package access is who may call the admin API and the console: the root token
// of the settings, named tokens with a role each, which operators create and
// revoke, and the console's sessions, which tokens open.
//
// Sessions lie in the KV bucket logoutd_sessions, under the SHA-256 of the
// secret in the cookie. They have a bucket of their own because theirs forgets
// by itself what is 12 hours old. During an outage of the broker they are begun
// and ended in memory and written later; if the process ends before that, those
// begun are gone, and those ended open the other processes until they expire.
//
// The tokens lie in the broker, in the KV bucket logoutd_tokens, as SHA-256
// only; every process keeps a copy in memory and follows the changes. While the
// broker is away the copy goes on: nobody is locked out, and a token that was
// revoked elsewhere meanwhile works here until the connection is back.
//
// The package imports events, and knows nothing of HTTP.
package access
