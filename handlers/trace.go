package handlers

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceParentOf returns the trace context that a logout belongs to, as a W3C
// traceparent (Trace Context, section 3.2): the caller's where it is valid,
// else that of a trace that starts here.
func traceParentOf(r *http.Request) string {
	if r.Header.Get("traceparent") == "" {
		return newTraceParent()
	}
	var format propagation.TraceContext
	ctx := format.Extract(context.Background(), propagation.HeaderCarrier(r.Header))
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return newTraceParent()
	}
	carrier := propagation.MapCarrier{}
	format.Inject(ctx, carrier)
	return carrier["traceparent"]
}

// newTraceParent returns version, trace id, span id and flags: not sampled. An
// id of zeros only would be invalid, hence the lowest bits.
func newTraceParent() string {
	var ids [24]byte
	binary.BigEndian.PutUint64(ids[:], rand.Uint64())
	binary.BigEndian.PutUint64(ids[8:], rand.Uint64()|1)
	binary.BigEndian.PutUint64(ids[16:], rand.Uint64()|1)
	text := append(make([]byte, 0, 55), "00-"...)
	text = append(hex.AppendEncode(text, ids[:16]), '-')
	text = append(hex.AppendEncode(text, ids[16:]), "-00"...)
	return string(text)
}
