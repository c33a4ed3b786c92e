package admin

import (
	"context"
	"crypto/rand"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceParent returns the trace context of a request (W3C Trace Context), or a
// new one.
func traceParent(header http.Header) string {
	w3c := propagation.TraceContext{}
	ctx := w3c.Extract(context.Background(), propagation.HeaderCarrier(header))
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, freshSpan())
	}
	carrier := propagation.MapCarrier{}
	w3c.Inject(ctx, carrier)
	return carrier["traceparent"]
}

func freshSpan() trace.SpanContext {
	var config trace.SpanContextConfig
	_, _ = rand.Read(config.TraceID[:]) // never fails
	_, _ = rand.Read(config.SpanID[:])
	config.TraceFlags = trace.FlagsSampled
	return trace.NewSpanContext(config)
}
