package replay

import "time"

// Settle sets how long a dry run waits for the projection.
func (r *Replays) Settle(d time.Duration) { r.settleTimeout = d }
