// Package audit is the append-only log of what operators do: who, when, what
// selection, why, and how much came of it.
//
// An entry lies for ever on the private stream [events.StreamAudit], which
// subscribers cannot read. Nothing here changes or removes one.
//
// Limit: what operators did during an outage of the broker waits in the memory of
// the process ([Log.AppendLater]), 1,000 entries at most. Where the process ends
// before the broker is back, these entries are in its own log only.
//
// The package imports events, and knows nothing of HTTP.
package audit
