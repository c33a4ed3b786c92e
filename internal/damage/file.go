package damage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// state is the content of the file.
type state struct {
	Streams  map[string]identity `json:"streams"`
	Findings []Finding           `json:"findings,omitempty"`
	// Untold is what was acknowledged here and not told to the other processes
	// yet: what each stream was at the time.
	Untold map[string]identity `json:"untold,omitempty"`
}

// identity tells a stream from another one of the same name, and how far it was.
type identity struct {
	Created time.Time `json:"created"`
	Last    uint64    `json:"last"` // sequence
}

// within reports whether whoever has seen the stream as it was at upTo has seen
// it as it is here.
func (i identity) within(upTo identity) bool {
	return i.Created.Before(upTo.Created) || i.Created.Equal(upTo.Created) && i.Last <= upTo.Last
}

// read returns the state in a file; the zero state where there is no file.
func read(path string) (state, error) {
	s := state{}
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return state{}, fmt.Errorf("%s: %w", path, err)
	}
	if s.Streams == nil {
		s.Streams = map[string]identity{}
	}
	return s, nil
}

// write replaces the file, as a whole or not at all.
func (s state) write(path string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
