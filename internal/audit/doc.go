// Package audit is the append-only log of what operators do: who, when, what
// selection, why, and how much came of it.
//
// An entry lies for ever on the private stream [events.StreamAudit], which
// subscribers cannot read. Nothing here changes or removes one.
//
// The package imports events, and knows nothing of HTTP.
package audit
