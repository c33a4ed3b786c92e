package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client is what all tests call with. It follows no redirects.
var client = &http.Client{
	Timeout:   20 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	},
}

// answer is what came of a call; status is 0 where err is not nil.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

func (a answer) ok() bool { return a.status/100 == 2 || a.status == http.StatusFound }

// field returns a text of a JSON body, empty where it is not there.
func (a answer) field(name string) string {
	var fields map[string]any
	_ = json.Unmarshal([]byte(a.body), &fields)
	text, _ := fields[name].(string)
	return text
}

func do(request *http.Request) answer {
	response, err := client.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{err: err}
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}
}

func newRequest(method, url, body string) *http.Request {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		panic(err) // the test's own mistake
	}
	return request
}

// call makes a call of the admin API.
func call(method, url, token string, body any) answer {
	raw, err := json.Marshal(body)
	if err != nil {
		return answer{err: err}
	}
	request := newRequest(method, url, "")
	if body != nil {
		request = newRequest(method, url, string(bytes.TrimSpace(raw)))
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return do(request)
}

func get(url, token string) answer { return call(http.MethodGet, url, token, nil) }

// introspect asks whether a token is active.
func (i *instance) introspect(token string) answer {
	request := newRequest(http.MethodPost, i.admin+"/v1/introspect", url.Values{"token": {token}}.Encode())
	request.Header.Set("Authorization", "Bearer "+i.token)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return do(request)
}

// active reports whether a token is active. It fails the test where that
// cannot be told.
func (i *instance) active(token string) bool {
	i.t.Helper()
	a := i.introspect(token)
	var verdict struct{ Active *bool }
	if err := json.Unmarshal([]byte(a.body), &verdict); err != nil || a.status != http.StatusOK || verdict.Active == nil {
		i.t.Errorf("introspection answers %d: %v", a.status, a.err)
		return true
	}
	return *verdict.Active
}

// metric returns the sum of a metric over the series that have all labels,
// each as name="value".
func (i *instance) metric(name string, labels ...string) float64 {
	return metricIn(get(i.admin+"/metrics", "").body, name, labels...)
}
