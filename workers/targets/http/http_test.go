package http

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/workers/delivery"
)

func push(token string) messages.Delivery {
	payload, _ := json.Marshal(registration{UserID: "ada", DeviceID: "d/1", AppID: "a b", TenantID: "acme", PushToken: token})
	return messages.Delivery{ID: "t", Kind: "http", Target: "http", Payload: payload}
}

func tryConfigure(s settings) (delivery.Target, error) {
	s.Name = "http"
	_, target, err := configure(func(into any) error {
		*into.(*settings) = s
		return nil
	})
	return target, err
}

func configured(t *testing.T, s settings) delivery.Target {
	t.Helper()
	target, err := tryConfigure(s)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestAnswersOfAProvider(t *testing.T) {
	for status, want := range map[int]struct {
		done  bool
		class delivery.Class
	}{
		200: {done: true}, 204: {done: true}, 404: {done: true}, 410: {done: true},
		401: {class: delivery.Unauthorized}, 403: {class: delivery.Unauthorized},
		429: {class: delivery.Throttled},
		500: {class: delivery.Transient}, 503: {class: delivery.Transient},
		400: {class: delivery.Permanent}, 409: {class: delivery.Permanent}, 302: {class: delivery.Permanent},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		err := configured(t, settings{URL: server.URL + "/{push_token}"}).Send(t.Context(), push("secret-token"))
		server.Close()
		if want.done {
			if err != nil {
				t.Errorf("%d: %v", status, err)
			}
			continue
		}
		var f *delivery.Failure
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
	s := configured(t, settings{
		Method: "POST", URL: server.URL + "/r/{push_token}/{device_id}?user={user_id}&app={app_id}",
		Headers: map[string]string{"Authorization": "Bearer key"},
	})
	if err := s.Send(t.Context(), push("a/../b?x=1&y=%00#z")); err != nil {
		t.Fatal(err)
	}
	if want := "/r/a%2F..%2Fb%3Fx%3D1%26y%3D%2500%23z/d%2F1?user=ada&app=a%20b"; got.RequestURI != want {
		t.Errorf("asked for %s, want %s", got.RequestURI, want)
	}
	if got.Method != http.MethodPost || got.Header.Get("Authorization") != "Bearer key" {
		t.Errorf("%s with headers %v", got.Method, got.Header)
	}
	for _, token := range []string{"", ".", ".."} {
		var f *delivery.Failure
		if err := s.Send(t.Context(), push(token)); !errors.As(err, &f) || f.Class != delivery.Permanent {
			t.Errorf("push token %q: %v, want a permanent failure", token, err)
		}
	}
	pair := configured(t, settings{URL: server.URL + "/{push_token}{push_token}/r?token={push_token}"})
	for token, want := range map[string]string{"...": "/....../r?token=...", ".": "", "": ""} {
		got = &http.Request{}
		if err := pair.Send(t.Context(), push(token)); (err == nil) != (want != "") || got.RequestURI != want {
			t.Errorf("push token %q: asked for %q, %v; want %q", token, got.RequestURI, err, want)
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
		class delivery.Class
		code  string
	}{
		"http://" + refusing.Addr().String(): {delivery.Unreachable, "unreachable"},
		hanging.URL:                          {delivery.Transient, "timeout"},
		breaking.URL:                         {delivery.Transient, "connection_broken"},
	} {
		s := configured(t, settings{URL: url + "/{push_token}", Settings: delivery.Settings{Timeout: 100 * time.Millisecond}})
		err := s.Send(context.Background(), push("secret-token"))
		var f *delivery.Failure
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
		if _, err := tryConfigure(settings{URL: url}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("url %q: %v, want an error with %q", url, err, want)
		}
	}
	for name, value := range map[string]string{"Authorization": "Bearer\nsecret", "Bad Name": "x", "": "x"} {
		_, err := tryConfigure(settings{URL: "http://x", Headers: map[string]string{name: value}})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("header %q: %v, want a refusal that does not show its value", name, err)
		}
	}
	if _, err := tryConfigure(settings{URL: "http://x", Method: "NO WAY"}); err == nil {
		t.Error("a method with a space is accepted")
	}
}
