package letters

import (
	"encoding/base64"
	"encoding/binary"
	"math"
)

// cursor is a place in a list: after the letter that failed then.
type cursor struct{ failedAt, seq int64 }

func cursorAt(l Letter) cursor { return cursor{millis(l.FailedAt), int64(l.Seq)} }

// form of a cursor in text: two numbers of 64 bits.
var cursorForm = base64.RawURLEncoding.Strict()

func (c cursor) String() string {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.failedAt))
	return cursorForm.EncodeToString(binary.BigEndian.AppendUint64(b, uint64(c.seq)))
}

// parseCursor reads what String returned; nothing is before the newest letter.
func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{math.MaxInt64, math.MaxInt64}, nil
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
