package jobs_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/internal/jobs"
)

// childURL is the environment variable that makes the test binary a process
// that runs jobs and prints each item it does.
const childURL = "JOBS_TEST_BROKER"

// printer prints the items.
type printer struct{ out io.Writer }

func (p printer) Do(_ context.Context, _ jobs.Job, items []jobs.Item) (map[string]int, error) {
	for _, item := range items {
		if _, err := fmt.Fprintf(p.out, "item %s\n", item); err != nil {
			return nil, err
		}
	}
	return map[string]int{"done": len(items)}, nil
}

// TestChild is no test but the process that TestKill kills.
func TestChild(t *testing.T) {
	url := os.Getenv(childURL)
	if url == "" {
		return
	}
	conn, j := connect(t, url, "child", nil, nil)
	defer conn.Close()
	jobs.Quicken(j, 10)
	j.Works[kind] = printer{os.Stdout}
	t.Log(j.Run(t.Context()))
}

// TestKill kills a process in the middle of its work, three times.
func TestKill(t *testing.T) {
	t.Parallel()
	const total = 20000
	b := newBroker(t)
	console := b.idle("console", nil)
	job := console.job(total)
	times := map[string]int{}
	for i := range 3 {
		for _, item := range killed(t, b, (i+1)*1000) {
			times[item]++
		}
	}
	last := b.process("last", newWork(nil))
	job = last.until(job.ID, is(jobs.Done))
	if job.Position != total || job.Counts["done"] != total {
		t.Errorf("%+v", job)
	}
	twice := 0
	for item, n := range last.work.done() {
		times[item] += n
	}
	for i := range total {
		n := times[fmt.Sprint(i)]
		if n == 0 {
			t.Errorf("item %d is missing", i)
		}
		twice += max(n-1, 0)
	}
	if len(times) != total || twice > 3*100 {
		t.Errorf("%d items were done, %d twice", len(times), twice)
	}
}

// killed returns what a process has done that was killed after so many items.
func killed(t *testing.T, b *testBroker, items int) (done []string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), childURL+"="+b.server.ClientURL())
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		item, ok := strings.CutPrefix(lines.Text(), "item ")
		if ok {
			done = append(done, item)
		}
		if len(done) == items {
			_ = child.Process.Kill()
		}
	}
	_ = child.Wait()
	return done
}

func (printer) Selected(json.RawMessage) ([]jobs.Criterion, error) { return nil, nil }
