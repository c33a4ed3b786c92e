package workers

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
	"unicode"

	"github.com/logoutd/logoutd/internal/httpclient"
	"github.com/logoutd/logoutd/internal/messages"
)

const (
	codeTimeout     = "timeout"
	codeUnreachable = "unreachable"
	codeBroken      = "connection_broken"
	codeBadValue    = "bad_value"
)

// HTTPSender tells a push provider by one HTTP request (provider kind http).
// 2xx, 404 and 410 are done; 429 and 5xx are tried again and honour
// Retry-After (RFC 9110, section 10.2.3); 401 and 403 blame the key, not the
// task; anything else is permanent. Redirects are not followed: the key in
// the headers is meant for nobody else.
type HTTPSender struct {
	method  string
	url     string
	headers map[string]string
	client  *http.Client
	mask    mask // of what every request carries
}

// HTTPConfig configures an [HTTPSender].
type HTTPConfig struct {
	// Method is the request's method. Default DELETE.
	Method string
	// URL is an absolute http or https URL with placeholders {push_token},
	// {user_id}, {device_id}, {app_id} and {tenant_id}; values are escaped so
	// that they stay within one path segment or query value. A task whose
	// values leave a path segment empty is given up at once.
	URL string
	// Headers are sent as they are.
	Headers map[string]string
	// Timeout bounds one attempt. Default 5 s.
	Timeout time.Duration
	// Connections is how many idle connections are kept. Default 32.
	Connections int
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// values returns what stands for the placeholders.
func values(task messages.Task) map[string]string {
	reg := task.PushRegistration
	return map[string]string{
		"push_token": reg.PushToken, "user_id": reg.UserID, "device_id": reg.DeviceID,
		"app_id": reg.AppID, "tenant_id": reg.TenantID,
	}
}

// NewHTTPSender returns a sender, or an error that says what is wrong with
// the configuration.
func NewHTTPSender(c HTTPConfig) (*HTTPSender, error) {
	s := &HTTPSender{method: c.Method, url: c.URL, headers: c.Headers}
	if s.method == "" {
		s.method = http.MethodDelete
	}
	known := values(messages.Task{})
	for _, match := range placeholder.FindAllStringSubmatch(c.URL, -1) {
		if _, ok := known[match[1]]; !ok {
			return nil, fmt.Errorf("url: unknown placeholder %s", match[0])
		}
	}
	u, err := url.Parse(placeholder.ReplaceAllString(c.URL, "x"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("url: give an absolute http or https URL")
	}
	if _, err := http.NewRequest(s.method, u.String(), nil); err != nil {
		return nil, fmt.Errorf("method: %q is no HTTP method", s.method)
	}
	for name, value := range c.Headers {
		if strings.ContainsFunc(name+value, unicode.IsControl) || strings.ContainsAny(name, " :") || name == "" {
			return nil, fmt.Errorf("headers: %q has a name or value that no header can have, such as a line break at its end", name)
		}
	}
	s.mask = maskOf(c.URL, c.Headers)
	s.client = httpclient.New(httpclient.Config{Timeout: or(c.Timeout, 5*time.Second), MaxBody: maxRead, Connections: c.Connections})
	return s, nil
}

// maxRead is how much of an answer's body is read, in bytes: enough to use the
// connection again after any usual answer, and to mask what is kept of it.
const maxRead = 64 << 10

// Send implements [Sender].
func (s *HTTPSender) Send(ctx context.Context, task messages.Task) error {
	target, err := s.expand(task)
	if err != nil {
		return &Failure{Class: Permanent, Code: codeBadValue, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, s.method, target, nil)
	if err != nil { // its text would show the URL, and the push token in it
		return &Failure{Class: Permanent, Code: codeBadValue, Err: errors.New("the values do not make a URL")}
	}
	for name, value := range s.headers {
		req.Header.Set(name, value)
	}
	if task.TraceParent != "" {
		req.Header.Set("traceparent", task.TraceParent)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return connectionFailure(err)
	}
	defer resp.Body.Close()
	body, cut := io.ReadAll(resp.Body) // to its end, so that the connection is used again
	f := answerFailure(resp)
	if f == nil {
		return nil
	}
	f.Answer = s.mask.with(task.PushRegistration.PushToken).answer(string(body), cut != nil)
	return f
}

// expand fills the template in. A segment of the path that comes out empty, as
// "." or as ".." is refused: it would name another resource, such as the
// collection of all registrations.
func (s *HTTPSender) expand(task messages.Task) (string, error) {
	known := values(task)
	fill := func(template string) string {
		return placeholder.ReplaceAllStringFunc(template, func(match string) string {
			return escape(known[match[1:len(match)-1]])
		})
	}
	path, query, hasQuery := strings.Cut(s.url, "?")
	segments := strings.Split(path, "/")
	for i, template := range segments {
		segments[i] = fill(template)
		if segments[i] != template && strings.Trim(segments[i], ".") == "" && len(segments[i]) <= 2 {
			return "", fmt.Errorf("%s is %q, which cannot stand in a URL", template, segments[i])
		}
	}
	expanded := strings.Join(segments, "/")
	if hasQuery {
		expanded += "?" + fill(query)
	}
	return expanded, nil
}

// escape percent-encodes all but the unreserved characters (RFC 3986, section
// 2.3), so that a value is safe in a path and in a query.
func escape(value string) string {
	return strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}

// connectionFailure judges a request without an answer. The URL, which holds
// the push token, is left out.
func connectionFailure(err error) *Failure {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err
	}
	var opErr *net.OpError
	var netErr net.Error
	switch {
	case errors.As(err, &opErr) && opErr.Op == "dial":
		return &Failure{Class: Unreachable, Code: codeUnreachable, Err: err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		return &Failure{Class: Transient, Code: codeTimeout, Err: errors.New("no answer in time")}
	default:
		return &Failure{Class: Transient, Code: codeBroken, Err: err}
	}
}

// answerFailure judges an answer: nil where the task is done.
func answerFailure(resp *http.Response) *Failure {
	status := resp.StatusCode
	f := &Failure{
		Class: Permanent, Code: fmt.Sprintf("http_%d", status),
		Err: fmt.Errorf("the provider answers %d %s", status, http.StatusText(status)),
	}
	switch {
	case status/100 == 2, status == http.StatusNotFound, status == http.StatusGone:
		return nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		f.Class = Unauthorized
	case status == http.StatusTooManyRequests:
		f.Class, f.RetryAfter = Throttled, retryAfter(resp.Header, time.Now())
	case status >= 500:
		f.Class, f.RetryAfter = Transient, retryAfter(resp.Header, time.Now())
	case status/100 == 3:
		f.Err = fmt.Errorf("the provider answers %d, and redirects are not followed", status)
	}
	return f
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
