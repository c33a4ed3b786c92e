// Package health serves what every role shows on the admin listener without a
// token: /healthz, /readyz and /metrics. It imports nothing else of logoutd.
package health
