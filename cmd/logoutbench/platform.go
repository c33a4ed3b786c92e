package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// nap sleeps to about 0.1 ms: the timers of an idle Go program wake up to a
// millisecond late (epoll_wait counts in milliseconds), which an open loop
// would blame on the server.
func nap(d time.Duration) {
	request := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&request, nil) // one that is interrupted is too short, which callers allow for
}

// endWithParent makes the kernel end a process when this process is killed.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// residentMemory returns the resident set size of a process in bytes; 0 where
// it is not known.
func residentMemory(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := bytes.Cut(status, []byte("VmRSS:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return kib << 10
}
