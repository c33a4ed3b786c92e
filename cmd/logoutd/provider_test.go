package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// provider is a push provider that remembers what it was told to delete.
type provider struct {
	server *httptest.Server

	mu      sync.Mutex
	calls   map[string]int // by push token
	told    map[string]int // successfully
	status  map[string]int // what to answer instead,
	hanging map[string]chan struct{}
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{calls: map[string]int{}, told: map[string]int{}, status: map[string]int{}, hanging: map[string]chan struct{}{}}
	p.server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// settings returns the provider's entry in the settings file.
func (p *provider) settings(more string) string {
	return fmt.Sprintf("targets:\n  - {name: http, kind: http, url: \"%s/{push_token}\"%s}\n", p.server.URL, more)
}

// ServeHTTP implements [http.Handler].
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.URL.Path, "/")
	p.mu.Lock()
	p.calls[token]++
	status, hanging := p.status[token], p.hanging[token]
	p.mu.Unlock()
	if hanging != nil {
		select {
		case <-hanging:
		case <-r.Context().Done():
			return
		}
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	p.mu.Lock()
	p.told[token]++
	p.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// fail makes the provider answer a status about a registration; 0 mends it.
func (p *provider) fail(token string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status[token] = status
}

// hang makes the provider not answer about a registration, until mend.
func (p *provider) hang(token string) (mend func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hanging := make(chan struct{})
	p.hanging[token] = hanging
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.hanging, token)
		close(hanging)
	}
}

// times returns how often the provider was told to delete a registration.
func (p *provider) times(token string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.told[token]
}

// asked returns whether the provider was told at all, whatever it answered.
func (p *provider) asked(token string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[token] > 0
}
