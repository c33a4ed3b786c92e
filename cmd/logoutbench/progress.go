package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells on standard error what is going on. It is safe for
// concurrent use.
type progress struct {
	out      io.Writer
	terminal bool // lines can be written over
	begin    time.Time

	mu      sync.Mutex
	unended bool // the line is to be written over
	updated time.Time
}

func newProgress(out io.Writer, terminal bool) *progress {
	return &progress{out: out, terminal: terminal, begin: time.Now()}
}

// step begins something new.
func (p *progress) step(format string, v ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line(format, v...)
}

func (p *progress) line(format string, v ...any) {
	if p.unended {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.unended = false
	}
	p.updated = time.Now()
	fmt.Fprintf(p.out, "%6.1fs  %s\n", time.Since(p.begin).Seconds(), fmt.Sprintf(format, v...))
}

// update tells how the step goes on, several times a second at most on a
// terminal and every ten seconds elsewhere.
func (p *progress) update(format string, v ...any) {
	every := 10 * time.Second
	if p.terminal {
		every = 200 * time.Millisecond
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.updated) < every {
		return
	}
	if !p.terminal {
		p.line(format, v...)
		return
	}
	p.updated, p.unended = time.Now(), true
	fmt.Fprintf(p.out, "\r\x1b[K%6.1fs    %s", time.Since(p.begin).Seconds(), fmt.Sprintf(format, v...))
}

// registered is the progress of [crowd.register].
func (p *progress) registered(done, total int) {
	p.update("%s of %s users are registered", grouped(float64(done)), grouped(float64(total)))
}

// running tells the throughput of a run so far.
func (p *progress) running(r *recorder) {
	seconds := time.Since(r.start).Seconds()
	if seconds <= 0 {
		return
	}
	var answers, good uint64
	for status := range r.statuses {
		n := r.statuses[status].Load()
		answers += n
		if status/100 == 2 {
			good += n
		}
	}
	p.update("%s answers/s, %d not 2xx", grouped(float64(answers)/seconds), answers-good)
}
