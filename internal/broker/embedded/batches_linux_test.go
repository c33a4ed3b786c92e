package embedded_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
)

// batches is where the broker on dir keeps batches of public events.
func batches(dir string) string {
	return filepath.Join(dir, "jetstream", "LOGOUTD", "streams", events.StreamEvents, "batches")
}

// inMemory waits until a batch lies there, and returns where that is.
func inMemory(t *testing.T, dir string) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		found, err := filepath.Glob(filepath.Join(batches(dir), "*", "msgs", "*.blk"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			continue
		}
		path, err := filepath.EvalSymlinks(found[0])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(path, "/dev/shm/") {
			t.Fatalf("the batch lies in %s, want it in memory", path)
		}
		return path
	}
	t.Fatal("no batch came")
	return ""
}

// beginBatch publishes a batch but for its last message.
func beginBatch(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	for n := range 20 {
		msg := nats.NewMsg(events.SubjectRevoked("session"))
		msg.Header.Set("Nats-Batch-Id", "begun")
		msg.Header.Set("Nats-Batch-Sequence", fmt.Sprint(n+1))
		if err := js.Conn().PublishMsg(msg); err != nil {
			t.Fatal(err)
		}
	}
}

// publishBatch publishes a hundred messages, whose ids are numbers from first.
func publishBatch(t *testing.T, js jetstream.JetStream, first int) {
	t.Helper()
	p := broker.NewPublisher(js, nil)
	defer p.Close()
	msgs := make([]*nats.Msg, 100)
	for i := range msgs {
		msgs[i] = nats.NewMsg(events.SubjectRevoked("session"))
		msgs[i].Header.Set(jetstream.MsgIDHeader, fmt.Sprint(first+i))
	}
	if err := p.All(t.Context(), msgs); err != nil {
		t.Fatal(err)
	}
}

func published(t *testing.T, js jetstream.JetStream) uint64 {
	t.Helper()
	stream, err := js.Stream(t.Context(), events.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

func TestBatchesLieInMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, embedded.Config{Dir: dir, Listen: "-"})
	js := eventstest.Connect(t, b)
	b.BatchesToMemory()
	publishBatch(t, js, 0)
	beginBatch(t, js)
	first := inMemory(t, dir)

	if err := b.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first); !os.IsNotExist(err) {
		t.Errorf("%s: %v, want nothing left of what was not committed", first, err)
	}
	again := start(t, embedded.Config{Dir: t.TempDir(), Listen: "-"}) // another one does not mind
	again.Close()
	js = eventstest.Connect(t, b)
	publishBatch(t, js, 100)
	beginBatch(t, js)
	second := inMemory(t, dir)
	if n := published(t, js); n != 200 {
		t.Errorf("%d messages on the stream, want the 200 of two batches", n)
	}

	b.Close()
	if _, err := os.Stat(second); !os.IsNotExist(err) {
		t.Errorf("%s: %v, want nothing left in memory", second, err)
	}
	if _, err := os.Lstat(batches(dir)); !os.IsNotExist(err) {
		t.Errorf("%s: %v, want no link to nowhere", batches(dir), err)
	}
}

func TestFilesMoveWithoutMemory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, embedded.Config{Dir: dir, Listen: "-"})
	publishBatch(t, eventstest.Connect(t, b), 0)
	b.Close()
	if err := os.RemoveAll(batches(dir)); err != nil {
		t.Fatal(err)
	}
	// What a killed process leaves, when its files go to another machine.
	if err := os.Symlink("/dev/shm/logoutd-of-another-machine", batches(dir)); err != nil {
		t.Fatal(err)
	}
	js := eventstest.Connect(t, start(t, embedded.Config{Dir: dir, Listen: "-"}))
	publishBatch(t, js, 100)
	beginBatch(t, js)
	inMemory(t, dir)
	if n := published(t, js); n != 200 {
		t.Errorf("%d messages on the stream, want the 200 of two batches", n)
	}
}

// TestPowerFailureLosesNoEvent: where it leaves a part of a batch on the
// stream, and none in memory, publishing the batch again completes it.
func TestPowerFailureLosesNoEvent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, embedded.Config{Dir: dir, Listen: "-"})
	js := eventstest.Connect(t, b)
	b.BatchesToMemory()
	publishBatch(t, js, 0)
	b.Close()
	cutStream(t, filepath.Dir(batches(dir)))

	js = eventstest.Connect(t, start(t, embedded.Config{Dir: dir, Listen: "-"}))
	if n := published(t, js); n == 0 || n >= 100 {
		t.Fatalf("%d messages are left on the stream, want a part of the batch", n)
	}
	publishBatch(t, js, 0)
	if n := published(t, js); n != 100 {
		t.Errorf("%d messages on the stream, want each of the batch once", n)
	}
}

// cutStream leaves half of what was written to a stream last.
func cutStream(t *testing.T, dir string) {
	t.Helper()
	blocks, err := filepath.Glob(filepath.Join(dir, "msgs", "*.blk"))
	if err != nil || len(blocks) != 1 {
		t.Fatalf("blocks of the stream: %v, %v", blocks, err)
	}
	block, err := os.Stat(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(blocks[0], block.Size()/2); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "msgs", "index.db")); err != nil { // written at the end of the process
		t.Fatal(err)
	}
}
