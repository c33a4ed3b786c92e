// Package webhook is the kind of target webhook: an endpoint that gets the public
// event of each logout by POST, as Standard Webhooks 1.0.0 describe it.
//
// The body is the CloudEvent that subscribers read. Its id is the webhook-id: the
// same for every attempt and in a replay, so that receivers can drop duplicates.
// Each attempt has its own timestamp and signatures: v1 (HMAC-SHA-256) for a
// secret whsec_…, v1a (Ed25519) for a private key whsk_…. While a secret is
// rotated both are listed, and every request carries both signatures.
//
// 2xx is done. 410, or the response header webhook-delivery: disable, disables
// the target until an operator enables it. 429, 502 and 504 hold the whole
// target, 401, 403 and redirects open its circuit breaker; other 5xx are tried
// again, and other 4xx are this event's fault.
//
// The public event revocation.failed is not sent: a webhook that fails would cause
// the next one.
package webhook
