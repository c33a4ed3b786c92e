// Package access is who may call the admin API and the console: the root token
// of the settings, and named tokens with a role each, which operators create
// and revoke.
//
// The tokens lie in the broker, in the KV bucket logoutd_tokens, as SHA-256
// only; every process keeps a copy in memory and follows the changes. While the
// broker is away the copy goes on: nobody is locked out, and a token that was
// revoked elsewhere meanwhile works here until the connection is back.
//
// The package imports events, and knows nothing of HTTP.
package access
