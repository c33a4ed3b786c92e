// Package deadletters is a projection of the dead letters, in SQLite: what of them
// is filtered, grouped, searched and paged.
//
// It owns the file, its schema and all SQL, and imports events and messages of
// logoutd; it knows nothing of HTTP, of jobs and of what operators do. The
// stream LOGOUT_FAILED stays the truth: whoever shows, replays or discards a
// letter asks package events. The file holds no credential and no message, and
// can be thrown away: where it is missing, damaged, of another version or of
// another stream, it is made anew.
//
// # How it follows the stream
//
// [Letters.Run] reads the stream from the place that the file is at. Letters
// that are removed it hears of from [events.SubjectLettersRemoved], or from
// [Letters.Forget] where the same process removes them. What nobody tells of,
// a purge or a deletion by hand, it finds within a minute: it never lacks a
// letter up to its place, so that it has one too many exactly if it has more
// than the stream.
//
// # How it is asked
//
// Letters are in the order of time, the newest first, and pages continue at a
// letter's place, so that the thousandth page costs what the first does, and
// nothing is shown twice or left out because others come and go. A filter by
// user, device or session uses that index; any other scans the index by time,
// which has every column that filters and groups read.
package deadletters
