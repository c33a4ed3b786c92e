package main

import (
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/version"
)

// announce says where everything is, and shows with three commands that it
// works.
func (s *service) announce(w io.Writer) {
	fmt.Fprintln(w, "logoutd", version.String())
	if s.public != nil {
		fmt.Fprintf(w, "  logouts:      %s\n", s.public.url())
	}
	fmt.Fprintf(w, "  admin:        %s\n", s.admin.url())
	fmt.Fprintf(w, "  broker:       %s\n", s.brokerPlace())
	fmt.Fprintf(w, "  store:        %s\n", s.storePlace())
	if !s.settings.has(roleAdmin) {
		return
	}
	token := "$LOGOUTD_ADMIN_TOKEN"
	place := "given in the settings"
	if s.settings.AdminToken == "" {
		place = filepath.Join(s.settings.DataDir, adminTokenFile)
		token = "$(cat " + place + ")"
	}
	fmt.Fprintf(w, "  console:      %s/console\n", s.admin.url())
	fmt.Fprintf(w, "  admin token:  %s\n", place)
	if s.public != nil {
		s.demonstrate(w, token)
	}
}

func (s *service) brokerPlace() string {
	if s.broker.embedded == nil {
		return "NATS, as set"
	}
	place := "embedded, in " + filepath.Join(s.settings.DataDir, brokerDir)
	if url := s.broker.embedded.URL(); url != "" {
		place += "; subscribers: " + url + ", as made by logoutd subscribers create"
	}
	return place
}

func (s *service) storePlace() string {
	if s.settings.RedisURL != "" {
		return "Redis, as set"
	}
	return "embedded, in " + filepath.Join(s.settings.DataDir, storeFile)
}

// demonstrate prints three commands: a session is registered, logged out, and
// shown to be dead.
func (s *service) demonstrate(w io.Writer, token string) {
	session := "demo-" + messages.NewID()[24:]
	expires := events.At(time.Now().Add(24 * time.Hour))
	fmt.Fprintf(w, "\nTry it: register a session, log it out, see that it is dead.\n\n")
	fmt.Fprintf(w, `curl -sS -X PUT %s/v1/sessions -H "Authorization: Bearer %s" -H "Content-Type: application/json" -d '{"session_token":"%s","user_id":"ada","expires_at":"%s"}'`+"\n",
		s.admin.url(), token, session, expires)
	fmt.Fprintf(w, `curl -isS -X POST %s/mobileservices/sessions/logout -H "Cookie: X-SMP-SESSID=%s"`+"\n", s.public.url(), session)
	fmt.Fprintf(w, `curl -sS %s/v1/introspect -H "Authorization: Bearer %s" -d token=%s`+"\n\n", s.admin.url(), token, session)
}
