package embedded

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// batchesDir is where nats-server (2.15) keeps the atomic batches of a stream
// until they are committed: a few files each, which it syncs and removes
// again.
const batchesDir = "batches"

// batched returns the streams whose batches are kept in memory: those that
// batches are published to, if there is a place.
func (b *Broker) batched() []string {
	if b.memory == "" {
		return nil
	}
	return []string{events.StreamEvents, messages.StreamTasks}
}

// BatchesToMemory lets the broker keep batches in memory until they are
// committed, where the system has a place for that. Start does it for the
// streams that exist; it is to be called when new ones have been set up.
//
// It saves most of the syncs of a batch and loses nothing: a batch that has
// not been acknowledged will be published again, and what is committed is
// synced where the stream is. A process that is killed finds its batches
// again; a power failure may leave a part of one on the stream, which
// publishing it again completes.
func (b *Broker) BatchesToMemory() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.linkBatches()
}

// linkBatches puts links into the streams' directories. nats-server removes
// them when it starts, and looks through them before that.
func (b *Broker) linkBatches() {
	for _, stream := range b.batched() {
		if err := link(filepath.Join(b.memory, stream), b.batchesOf(stream)); err != nil {
			b.config.Logger.Debug("batches are not kept in memory", "stream", stream, "err", err)
		}
	}
}

func (b *Broker) batchesOf(stream string) string {
	return filepath.Join(b.config.Dir, server.JetStreamStoreDir, broker.AccountInternal, "streams", stream, batchesDir)
}

// leaveMemory removes the links and what they lead to: a copy of the files
// must not meet with links to nowhere.
func (b *Broker) leaveMemory() {
	for _, stream := range b.batched() {
		if here, err := os.Lstat(b.batchesOf(stream)); err == nil && here.Mode()&fs.ModeSymlink != 0 {
			_ = os.Remove(b.batchesOf(stream))
		}
	}
	_ = os.RemoveAll(b.memory)
}

// link lets the path lead to target, unless there is something already or its
// directory does not exist.
func link(target, path string) error {
	if err := os.Mkdir(target, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if here, err := os.Lstat(path); err == nil && here.IsDir() {
		_ = os.Remove(path) // if it is empty
	}
	err := os.Symlink(target, path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// emptyMemory removes batches that nobody waits for any more.
func (b *Broker) emptyMemory() {
	for _, stream := range b.batched() {
		_ = os.RemoveAll(filepath.Join(b.memory, stream))
	}
}
