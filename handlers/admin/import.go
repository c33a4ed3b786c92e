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

// importIdle is how long the caller of an import may keep silent.
const importIdle = time.Minute

// imported is the answer to an import. Its lines are those that are not
// blank.
type imported struct {
	Lines    int            `json:"lines"`
	Accepted map[string]int `json:"accepted"` // by type
	Rejected int            `json:"rejected"`
	Errors   []lineError    `json:"errors"` // the first maxLineErrors
	// Truncated: there are more errors than are listed.
	Truncated bool `json:"errors_truncated"`
	// Unconfigured counts the push registrations whose provider is not
	// configured, by provider: they are accepted.
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

// brokenImport is the problem that ends an import early: it was carried out
// up to LastLine, which is what the other members count.
type brokenImport struct {
	*problem
	LastLine int `json:"last_line"`
	imported
}

// postImport answers with what became of the lines.
func (a *api) postImport(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // what is sent may take any time
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
	p.Detail += fmt.Sprintf("; every line up to %d is done: send the rest again from line %d on", m.done, m.done+1)
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
	r      *bufio.Reader // with a buffer that holds a line, its end, and a byte more
	number int           // of the line read last
}

// next returns a line, valid until the next call, without its end. One that
// is too long has any content, but is still longer than maxBody.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = l.r.ReadSlice('\n') // overwrites the line, of which only the length matters
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil
	}
	l.number++
	return bytes.TrimSuffix(line, []byte("\n")), err
}
