package workers

import (
	"time"

	"golang.org/x/time/rate"
)

// LimitTombstones lets the revoker write that many in the time for which they
// are kept.
func (r *Revoker) LimitTombstones(n int) {
	r.tombstones = rate.NewLimiter(rate.Every(r.unknownTTL()/time.Duration(n)), n)
}
