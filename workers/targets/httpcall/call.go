package httpcall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/httpclient"
	"github.com/logoutd/logoutd/workers/delivery"
)

// maxRead is how much of an answer's body is read, in bytes: enough to use the
// connection again after any usual answer, and to mask what is kept of it.
const maxRead = 64 << 10

// Codes of failures.
const (
	CodeBadValue    = "bad_value" // of the delivery: no request can be made of it
	codeTimeout     = "timeout"
	codeUnreachable = "unreachable"
	codeBroken      = "connection_broken"
)

// Client sends requests to one target. Redirects are not followed: credentials
// in the headers are meant for nobody else. Create one with [NewClient].
type Client struct {
	http *http.Client
	mask Mask
}

// NewClient returns a client for the settings of a target. The mask hides what
// every request carries.
func NewClient(s delivery.Settings, mask Mask) *Client {
	return &Client{
		http: httpclient.New(httpclient.Config{Timeout: s.AttemptTimeout(), MaxBody: maxRead, Connections: s.Concurrency}),
		mask: mask,
	}
}

// Answer is what a target answered.
type Answer struct {
	Status int
	Header http.Header
	// Text is its body: the first KiB, printable, without any credential.
	Text string
}

// Do sends a request. The answer's text hides secrets and the client's mask. A
// failure means that there is no answer.
func (c *Client) Do(req *http.Request, secrets ...string) (Answer, *delivery.Failure) {
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, connectionFailure(err)
	}
	defer resp.Body.Close()
	body, cut := io.ReadAll(resp.Body) // to its end, so that the connection is used again
	a := Answer{Status: resp.StatusCode, Header: resp.Header}
	if resp.StatusCode/100 != 2 {
		a.Text = c.mask.With(secrets...).answer(string(body), cut != nil)
	}
	return a, nil
}

// Failure returns what an answer says of the target, nil where its status is
// 2xx. 401 and 403 refuse our credentials; 429 throttles; 5xx are transient;
// anything else is permanent. Retry-After is honoured (RFC 9110, section
// 10.2.3).
func (a Answer) Failure() *delivery.Failure {
	f := &delivery.Failure{
		Class: delivery.Permanent, Code: fmt.Sprintf("http_%d", a.Status), Answer: a.Text,
		Err: fmt.Errorf("the target answers %d %s", a.Status, http.StatusText(a.Status)),
	}
	switch {
	case a.Status/100 == 2:
		return nil
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden:
		f.Class = delivery.Unauthorized
	case a.Status == http.StatusTooManyRequests:
		f.Class, f.RetryAfter = delivery.Throttled, retryAfter(a.Header, time.Now())
	case a.Status >= 500:
		f.Class, f.RetryAfter = delivery.Transient, retryAfter(a.Header, time.Now())
	case a.Status/100 == 3:
		f.Err = fmt.Errorf("the target answers %d, and redirects are not followed", a.Status)
	}
	return f
}

// Placeholder matches a placeholder in a URL, such as {user_id}.
var Placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// Escape percent-encodes all but the unreserved characters (RFC 3986, section
// 2.3), so that a value is safe in a path and in a query.
func Escape(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// connectionFailure judges a request without an answer. The URL, which holds
// the push token, is left out.
func connectionFailure(err error) *delivery.Failure {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	var opErr *net.OpError
	var netErr net.Error
	switch {
	case errors.As(err, &opErr) && opErr.Op == "dial":
		return &delivery.Failure{Class: delivery.Unreachable, Code: codeUnreachable, Err: err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return &delivery.Failure{Class: delivery.Transient, Code: codeTimeout, Err: errors.New("no answer in time")}
	default:
		return &delivery.Failure{Class: delivery.Transient, Code: codeBroken, Err: err}
	}
}

// maxRetryAfter is in seconds; far more would overflow a duration.
const maxRetryAfter = 365 * 24 * 60 * 60

// retryAfter reads Retry-After in both of its forms.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), maxRetryAfter)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
