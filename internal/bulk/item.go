package bulk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/store"
)

// item is one logout request of a job: by session or by user.
type item struct {
	SessionID string `json:"session_id,omitempty"`
	TenantID  string `json:"tenant_id,omitempty"`
	UserID    string `json:"user_id,omitempty"`
}

func ofUser(u store.User) item { return item{TenantID: u.TenantID, UserID: u.ID} }

// writable reports whether JSON can carry it, as a logout request must. A login
// service that writes to the store itself may use any bytes.
func (i item) writable() bool {
	return utf8.ValidString(i.SessionID) && utf8.ValidString(i.TenantID) && utf8.ValidString(i.UserID)
}

func (i item) encode() (jobs.Item, error) { return json.Marshal(i) }

func decodeItem(encoded jobs.Item) (i item, err error) {
	if err := json.Unmarshal(encoded, &i); err != nil {
		return i, fmt.Errorf("reading item: %w", err)
	}
	return i, nil
}

// requestID is that of the item's request: the same when a batch is done again,
// and another one in another job.
func requestID(jobID string, encoded jobs.Item) string {
	sum := sha256.Sum256(encoded)
	return jobID + "-" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// digest stands for an item in memory.
type digest [16]byte

func (i item) digest() digest {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", i.SessionID, i.TenantID, i.UserID))
	return digest(sum[:16])
}
