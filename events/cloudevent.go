package events

// ContentType is the media type of an event (CloudEvents 1.0, JSON event format,
// section 3).
const ContentType = "application/cloudevents+json"

// TypeFailed is the type (CloudEvents 1.0, attribute "type") of [Failed];
// [TypeRevoked] returns those of [Revoked].
const TypeFailed = "logoutd.revocation.failed.v1"

// TypeRevoked returns the type of the public event for a scope.
func TypeRevoked(scope string) string { return "logoutd." + scope + ".revoked.v1" }

// Event is a CloudEvents 1.0 event with data of type T.
type Event[T any] struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Time            Time   `json:"time"`
	DataContentType string `json:"datacontenttype"`
	// TraceParent is the extension of the CloudEvents distributed tracing
	// documents: the W3C trace context that the event belongs to.
	TraceParent string `json:"traceparent,omitempty"`
	Data        T      `json:"data"`
}
