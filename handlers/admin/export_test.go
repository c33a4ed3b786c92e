package admin

import (
	"net/http"
	"time"

	"github.com/logoutd/logoutd/internal/access"
)

// Routes returns the patterns of all calls, with the role that each wants.
func Routes(h http.Handler) map[string]access.Role { return h.(*api).roles }

// RecordFor sets how long it is tried to write an entry of the audit log.
func RecordFor(h http.Handler, d time.Duration) { h.(*api).recordFor = d }
