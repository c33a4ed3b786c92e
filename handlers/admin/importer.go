package admin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/logoutd/logoutd/internal/providers"
	"github.com/logoutd/logoutd/store"
)

const (
	// importBatch is the number of lines in one batch.
	importBatch = 500
	// maxLineErrors is the maximum number of rejected lines in an answer.
	maxLineErrors = 1000
)

// importer collects lines of one type in a batch, and writes the batch when the
// type changes, so that a line can depend on earlier lines.
type importer struct {
	log    *slog.Logger
	kinds  map[string]batch
	result imported
	done   int // every line up to this one is in the result

	pending string      // the type of the batch
	lines   []int       // the lines of the batch
	faults  []lineError // of the lines among them that were rejected
}

func newImporter(a *api) *importer {
	m := &importer{log: a.Logger}
	pushes := a.pushRegistrations()
	pushes.accepted = func(r store.PushRegistration) {
		if !a.configured(r.Provider) {
			m.result.unconfigured(a.Providers.Note(r.Provider, providers.Registered))
		}
	}
	m.kinds = map[string]batch{
		"session":           &batchOf[store.Session]{kind: a.sessions()},
		"refresh_token":     &batchOf[refreshToken]{kind: a.refreshTokens()},
		"push_registration": &batchOf[store.PushRegistration]{kind: pushes},
	}
	m.result = imported{Errors: []lineError{}, Accepted: map[string]int{}}
	for name := range m.kinds {
		m.result.Accepted[name] = 0
	}
	return m
}

// run imports all lines, or stops when the store fails.
func (m *importer) run(ctx context.Context, lines *lineReader) error {
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return m.flush(ctx, lines.number)
		}
		if err != nil {
			return newProblem(http.StatusBadRequest, "the body is incomplete: the connection was closed")
		}
		if len(line) <= maxBody && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := m.take(ctx, lines.number, line); err != nil {
			return err
		}
	}
}

// take adds a line to the batch. If the batch is full or of another type, it
// writes the batch first. An invalid line is rejected and is not an error.
func (m *importer) take(ctx context.Context, number int, line []byte) error {
	name, o, fault := m.parse(line)
	full := len(m.lines)+len(m.faults) >= importBatch
	if full || fault == nil && name != m.pending {
		if err := m.flush(ctx, number-1); err != nil {
			return err
		}
	}
	if fault == nil {
		m.pending = name
		fault = m.kinds[name].add(o)
	}
	if fault != nil {
		m.reject(number, fault)
		return nil
	}
	m.lines = append(m.lines, number)
	return nil
}

func (m *importer) parse(line []byte) (name string, o *object, err error) {
	if len(line) > maxBody {
		return "", nil, newProblem(http.StatusBadRequest, "the line is longer than 64 KiB")
	}
	if o, err = parseObject(line); err != nil {
		return "", nil, err
	}
	name = o.required("type", maxID)
	if m.kinds[name] == nil {
		return "", nil, invalid("type", "must be session, refresh_token or push_registration")
	}
	return name, o, nil
}

func (m *importer) reject(line int, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		m.log.Error("importing a line failed", "line", line, "err", p.cause)
	}
	m.faults = append(m.faults, lineError{Line: line, Field: p.Field, Detail: p.Detail, Cutoff: p.Cutoff})
}

// flush writes the batch to the store and counts the results. last is the number
// of the last line in the batch.
func (m *importer) flush(ctx context.Context, last int) error {
	if len(m.lines) > 0 {
		ctx, cancel := context.WithTimeout(ctx, storeTimeout)
		defer cancel()
		results, err := m.kinds[m.pending].put(ctx)
		if err != nil {
			return err
		}
		m.note(results)
	}
	m.count()
	m.done, m.lines, m.faults = last, m.lines[:0], m.faults[:0]
	return nil
}

func (m *importer) note(results []store.PutResult) {
	for i, result := range results {
		if result.Err != nil {
			m.reject(m.lines[i], result.Err)
		} else {
			m.result.Accepted[m.pending]++
			m.result.Lines++
		}
	}
}

func (m *importer) count() {
	slices.SortFunc(m.faults, func(a, b lineError) int { return cmp.Compare(a.Line, b.Line) })
	m.result.Lines += len(m.faults)
	m.result.Rejected += len(m.faults)
	listed := min(len(m.faults), maxLineErrors-len(m.result.Errors))
	m.result.Errors = append(m.result.Errors, m.faults[:listed]...)
	m.result.Truncated = m.result.Rejected > len(m.result.Errors)
}

// batch is a [batchOf] of any kind.
type batch interface {
	add(*object) error
	put(context.Context) ([]store.PutResult, error)
}

type batchOf[T any] struct {
	kind  kind[T]
	items []T
}

func (b *batchOf[T]) add(o *object) error {
	item := b.kind.read(o)
	if err := o.done(); err != nil {
		return err
	}
	b.items = append(b.items, item)
	return nil
}

// put writes the items to the store and empties the batch.
func (b *batchOf[T]) put(ctx context.Context) ([]store.PutResult, error) {
	items := b.items
	b.items = b.items[:0]
	return b.kind.register(ctx, items)
}
