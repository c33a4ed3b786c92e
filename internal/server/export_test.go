package server

import "time"

// SetTimeouts is for tests, which cannot wait.
func (s *Server) SetTimeouts(header, idle time.Duration) {
	s.http.ReadTimeout, s.http.IdleTimeout = header, idle
}
