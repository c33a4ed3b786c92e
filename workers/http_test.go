package workers

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/messages"
)

func pushTask(token string) messages.Task {
	return messages.Task{ID: "t", Kind: messages.KindPush, Target: "http", PushRegistration: messages.PushRegistration{
		UserID: "ada", DeviceID: "d/1", AppID: "a b", TenantID: "acme", PushToken: token,
	}}
}

func sender(t *testing.T, c HTTPConfig) *HTTPSender {
	t.Helper()
	s, err := NewHTTPSender(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnswersOfAProvider(t *testing.T) {
	for status, want := range map[int]struct {
		done  bool
		class Class
	}{
		200: {done: true}, 204: {done: true}, 404: {done: true}, 410: {done: true},
		401: {class: Unauthorized}, 403: {class: Unauthorized},
		429: {class: Throttled},
		500: {class: Transient}, 503: {class: Transient},
		400: {class: Permanent}, 409: {class: Permanent}, 302: {class: Permanent},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		err := sender(t, HTTPConfig{URL: server.URL + "/{push_token}"}).Send(t.Context(), pushTask("secret-token"))
		server.Close()
		if want.done {
			if err != nil {
				t.Errorf("%d: %v", status, err)
			}
			continue
		}
		var f *Failure
		if !errors.As(err, &f) || f.Class != want.class {
			t.Errorf("%d: %v, want class %v", status, err, want.class)
			continue
		}
		if wantsPatience := status == 429 || status >= 500; (f.RetryAfter == 7*time.Second) != wantsPatience {
			t.Errorf("%d: retry after %v", status, f.RetryAfter)
		}
	}
}

func TestValuesStayWithinTheirPlaceInTheURL(t *testing.T) {
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	defer server.Close()
	s := sender(t, HTTPConfig{
		Method: "POST", URL: server.URL + "/r/{push_token}/{device_id}?user={user_id}&app={app_id}",
		Headers: map[string]string{"Authorization": "Bearer key"},
	})
	if err := s.Send(t.Context(), pushTask("a/../b?x=1&y=%00#z")); err != nil {
		t.Fatal(err)
	}
	if want := "/r/a%2F..%2Fb%3Fx%3D1%26y%3D%2500%23z/d%2F1?user=ada&app=a%20b"; got.RequestURI != want {
		t.Errorf("asked for %s, want %s", got.RequestURI, want)
	}
	if got.Method != "POST" || got.Header.Get("Authorization") != "Bearer key" {
		t.Errorf("%s with headers %v", got.Method, got.Header)
	}
	for _, token := range []string{"", ".", ".."} {
		var f *Failure
		if err := s.Send(t.Context(), pushTask(token)); !errors.As(err, &f) || f.Class != Permanent {
			t.Errorf("push token %q: %v, want a permanent failure", token, err)
		}
	}
	pair := sender(t, HTTPConfig{URL: server.URL + "/{push_token}{push_token}/r?token={push_token}"})
	for token, want := range map[string]string{"...": "/....../r?token=...", ".": "", "": ""} {
		got = &http.Request{}
		if err := pair.Send(t.Context(), pushTask(token)); (err == nil) != (want != "") || got.RequestURI != want {
			t.Errorf("push token %q: asked for %q, %v; want %q", token, got.RequestURI, err, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"soon":                          0,
		"-5":                            0,
		"7":                             7 * time.Second,
		"9223372036854775807":           maxRetryAfter * time.Second,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute,
		"Fri, 02 Jan 2026 03:03:05 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("Retry-After %q: %s, want %s", value, got, want)
		}
	}
}

func TestFailuresOfAConnection(t *testing.T) {
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing.Close()
	stop := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer hanging.Close()
	defer close(stop)
	breaking := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer breaking.Close()

	for url, want := range map[string]struct {
		class Class
		code  string
	}{
		"http://" + refusing.Addr().String(): {Unreachable, codeUnreachable},
		hanging.URL:                          {Transient, codeTimeout},
		breaking.URL:                         {Transient, codeBroken},
	} {
		s := sender(t, HTTPConfig{URL: url + "/{push_token}", Timeout: 100 * time.Millisecond})
		err := s.Send(context.Background(), pushTask("secret-token"))
		var f *Failure
		if !errors.As(err, &f) || f.Class != want.class || f.Code != want.code {
			t.Errorf("%s: %v, want %v", want.code, err, want)
			continue
		}
		if strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%s: the error shows the push token", want.code)
		}
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	for url, want := range map[string]string{
		"https://x.example/{token}": "{token}",
		"ftp://x.example/":          "http or https",
		"/relative":                 "http or https",
		"":                          "http or https",
	} {
		if _, err := NewHTTPSender(HTTPConfig{URL: url}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("url %q: %v, want an error with %q", url, err, want)
		}
	}
	for name, value := range map[string]string{"Authorization": "Bearer secret\n", "Bad Name": "x", "": "x"} {
		_, err := NewHTTPSender(HTTPConfig{URL: "http://x", Headers: map[string]string{name: value}})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("header %q: %v, want a refusal that does not show its value", name, err)
		}
	}
	if _, err := NewHTTPSender(HTTPConfig{URL: "http://x", Method: "NO WAY"}); err == nil {
		t.Error("a method with a space is accepted")
	}
}
