package admin

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/text"
)

// importIdle is how long the caller of an import can pause.
const importIdle = time.Minute

// imported is the answer to an import. It does not count blank lines.
type imported struct {
	Lines    int            `json:"lines"`
	Accepted map[string]int `json:"accepted"` // by type
	Rejected int            `json:"rejected"`
	Errors   []lineError    `json:"errors"` // the first maxLineErrors
	// Truncated reports that there are more errors than listed.
	Truncated bool `json:"errors_truncated"`
	// Unconfigured counts accepted push registrations whose provider is not
	// configured, by provider.
	Unconfigured map[string]int `json:"unconfigured_providers,omitempty"`
}

func (i *imported) unconfigured(provider string) {
	if i.Unconfigured == nil {
		i.Unconfigured = map[string]int{}
	}
	i.Unconfigured[provider]++
}

type lineError struct {
	Line   int         `json:"line"` // from 1
	Field  string      `json:"field,omitempty"`
	Detail string      `json:"detail"`
	Cutoff events.Time `json:"cutoff,omitzero"`
}

// brokenImport is the problem that ends an import early. The counts cover all
// lines up to LastLine.
type brokenImport struct {
	*problem
	LastLine int `json:"last_line"`
	imported
}

// postImport imports the lines and answers with the result.
func (a *api) postImport(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // an import can take any time
	body := progressReader{r.Body, func() { _ = control.SetReadDeadline(time.Now().Add(importIdle)) }}
	ctx, cancel := a.untilStopped(r)
	defer cancel()
	m := newImporter(a)
	err := m.run(ctx, &lineReader{r: bufio.NewReaderSize(text.Reader(body), maxBody+2)})
	if err == nil {
		answer(w, http.StatusOK, m.result)
		return
	}
	p := *problemOf(err)
	a.logFailure(r, &p)
	p.Detail += fmt.Sprintf("; all lines up to %d are done: send the rest again from line %d on", m.done, m.done+1)
	writeProblem(w, &p, brokenImport{&p, m.done, m.result})
}

// progressReader calls progress before each read.
type progressReader struct {
	io.Reader
	progress func()
}

func (r progressReader) Read(b []byte) (int, error) {
	r.progress()
	return r.Reader.Read(b)
}

// lineReader reads lines of up to maxBody bytes.
type lineReader struct {
	r      *bufio.Reader // its buffer has room for a line, its end and one more byte
	number int           // of the last line read
}

// next returns a line without its end, valid until the next call. A line that is
// too long has arbitrary content longer than maxBody.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.r.ReadSlice('\n') // overwrites the line: only its length matters
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil
	}
	l.number++
	return bytes.TrimSuffix(line, []byte("\n")), err
}
