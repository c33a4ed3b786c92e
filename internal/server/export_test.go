package server

import "time"

// SetTimeouts is for tests, which cannot wait.
func (s *Server) SetTimeouts(d time.Duration) {
	s.http.ReadHeaderTimeout, s.http.IdleTimeout, s.bodyTimeout, s.writeTimeout = d, d, d, d
}
