// Package health serves what every role shows on the admin listener to
// whoever asks: /healthz, /readyz and /metrics. It imports nothing else of
// logoutd.
package health
