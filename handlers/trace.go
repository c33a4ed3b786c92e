package handlers

import (
	"context"
	"math/rand/v2"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceParentOf returns the trace context that a logout belongs to, as a W3C
// traceparent (Trace Context, section 3.2): the caller's where it is valid,
// else that of a trace that starts here.
func traceParentOf(r *http.Request) string {
	var format propagation.TraceContext
	ctx := format.Extract(context.Background(), propagation.HeaderCarrier(r.Header))
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, newSpanContext())
	}
	carrier := propagation.MapCarrier{}
	format.Inject(ctx, carrier)
	return carrier["traceparent"]
}

func newSpanContext() trace.SpanContext {
	var cfg trace.SpanContextConfig
	for i := range cfg.TraceID {
		cfg.TraceID[i] = byte(rand.Uint32())
	}
	for i := range cfg.SpanID {
		cfg.SpanID[i] = byte(rand.Uint32())
	}
	return trace.NewSpanContext(cfg)
}
