// Package audit is the append-only log of what operators do: who, when, what
// selection, why, and how much came of it.
//
// An entry lies for ever on the private stream [events.StreamAudit], where the
// log is read, and goes out as a public event, [events.OperatorActed], on
// [events.StreamEvents]. Nothing here changes or removes one.
//
// The package imports events, and knows nothing of HTTP.
package audit
