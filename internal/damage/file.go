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
}

// identity tells a stream from another one of the same name, and how far it was.
type identity struct {
	Created time.Time `json:"created"`
	Last    uint64    `json:"last"` // sequence
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
