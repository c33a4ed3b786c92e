//go:build unix

package main

import "syscall"

// descriptors returns how many files and connections the process can have open;
// 0: no limit, or none that is known. Go has raised the limit to the hard one.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<30 {
		return 0
	}
	return int(limit.Cur)
}
