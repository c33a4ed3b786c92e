//go:build unix

package main

import "syscall"

// descriptors returns the maximum number of open files and connections of the
// process; 0: unlimited or unknown. Go has raised the limit to the hard limit.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<30 {
		return 0
	}
	return int(limit.Cur)
}
