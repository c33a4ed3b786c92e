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

// announce prints where everything is, and three commands to try it.
func (s *service) announce(w io.Writer) {
	fmt.Fprintln(w, "logoutd", version.String())
	if s.public != nil {
		fmt.Fprintf(w, "  logouts:      %s\n", s.public.url())
	}
	fmt.Fprintf(w, "  admin:        %s\n", s.admin.url())
	fmt.Fprintf(w, "  broker:       %s\n", s.brokerLocation())
	fmt.Fprintf(w, "  store:        %s\n", s.storeLocation())
	if !s.settings.has(roleAdmin) {
		return
	}
	token := "$LOGOUTD_ADMIN_TOKEN"
	place := "from the settings"
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

func (s *service) brokerLocation() string {
	if s.broker.embedded == nil {
		return "NATS, from the settings"
	}
	place := "embedded, in " + filepath.Join(s.settings.DataDir, brokerDir)
	if url := s.broker.embedded.URL(); url != "" {
		place += "; subscribers (logoutd subscribers create): " + url
	}
	return place
}

func (s *service) storeLocation() string {
	if s.settings.RedisURL != "" {
		return "Redis, from the settings"
	}
	return "embedded, in " + filepath.Join(s.settings.DataDir, storeFile)
}

// demonstrate prints three commands that register a session, log it out, and
// show that it is dead.
func (s *service) demonstrate(w io.Writer, token string) {
	session := "demo-" + messages.NewID()[24:]
	expires := events.At(time.Now().Add(24 * time.Hour))
	fmt.Fprintf(w, "\nTry it: register a session, log it out, see that it is dead.\n\n")
	fmt.Fprintf(w, `curl -sS -X PUT %s/v1/sessions -H "Authorization: Bearer %s" -H "Content-Type: application/json" -d '{"session_token":"%s","user_id":"ada","expires_at":"%s"}'`+"\n",
		s.admin.url(), token, session, expires)
	fmt.Fprintf(w, `curl -isS -X POST %s/mobileservices/sessions/logout -H "Cookie: X-SMP-SESSID=%s"`+"\n", s.public.url(), session)
	fmt.Fprintf(w, `curl -sS %s/v1/introspect -H "Authorization: Bearer %s" -d token=%s`+"\n\n", s.admin.url(), token, session)
}
