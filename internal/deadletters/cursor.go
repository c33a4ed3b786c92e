package deadletters

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// start is before the newest letter.
var start = cursor{math.MaxInt64, math.MaxInt64}

// cursor is a place in a list: after the letter that failed then.
type cursor struct{ failedAt, seq int64 }

func cursorAt(l Letter) cursor { return cursor{millis(l.FailedAt), int64(l.Seq)} }

// cursorForm is how its two numbers of 64 bits stand in a text.
var cursorForm = base64.RawURLEncoding.Strict()

func (c cursor) String() string {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.failedAt))
	return cursorForm.EncodeToString(binary.BigEndian.AppendUint64(b, uint64(c.seq)))
}

// parseCursor reads what String returned; nothing is the start.
func parseCursor(text string) (cursor, error) {
	if text == "" {
		return start, nil
	}
	b, err := cursorForm.DecodeString(text)
	if err != nil || len(b) != 16 {
		return cursor{}, ErrCursor
	}
	c := cursor{int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:]))}
	if c.seq <= 0 || c.String() != text {
		return cursor{}, ErrCursor
	}
	return c, nil
}
