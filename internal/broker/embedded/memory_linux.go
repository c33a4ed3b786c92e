package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// sharedMemory is a file system in memory (POSIX shm_overview(7)).
const sharedMemory = "/dev/shm"

var errNotOurs = errors.New("it is not a directory of this user's alone")

// memoryFor makes a directory in memory that belongs to dir: the same one after
// a crash, and another one for each other dir of the system, whatever each
// container calls it. Anybody may write to the place: what somebody else has
// made under the name is not used.
func memoryFor(dir string) (string, error) { return memoryIn(sharedMemory, dir) }

func memoryIn(place, dir string) (string, error) {
	of, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	id := of.Sys().(*syscall.Stat_t)
	path := filepath.Join(place, fmt.Sprintf("logoutd-%x-%x", id.Dev, id.Ino))
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	made, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if made.Mode() != fs.ModeDir|0o700 || made.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
		return "", fmt.Errorf("%s: %w", path, errNotOurs)
	}
	return path, nil
}
