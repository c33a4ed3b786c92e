package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Who follows no longer may do so in the middle of an event.
func TestFollowIsCutOff(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"data":{"request_id":"a"}}`+"\n"+`{"data":{"request_id":"b`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	seen := make(chan string, 2)
	s := &system{admin: server.URL}
	stop, err := s.follow(t.Context(), func(id string, _ time.Time) { seen <- id })
	if err != nil {
		t.Fatal(err)
	}
	if id := <-seen; id != "a" {
		t.Errorf("the first is %q", id)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
