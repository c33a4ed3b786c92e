//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDataDir keeps other processes out of the data directory: two brokers on
// the same files would destroy them. The operating system releases the lock when
// the process ends.
func lockDataDir(dir string) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("locking the data directory: %w", &failure{
			error: fmt.Errorf("another process uses %s", dir),
			hint:  "wait until it ends, or give each process its own directory (LOGOUTD_DATA_DIR)",
		})
	}
	return func() { _ = file.Close() }, nil
}
