package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// machine is what figures depend on. What cannot be found out is empty.
type machine struct {
	Cores   int     `json:"cores"`
	CPU     string  `json:"cpu"`
	Memory  float64 `json:"memory_gib"`
	System  string  `json:"system"` // operating system, kernel and architecture
	Go      string  `json:"go"`
	Logoutd string  `json:"logoutd"`
	Redis   string  `json:"redis"`
	Fsync   string  `json:"fsync"` // median, in the data directory
}

func (m machine) table() [][]string {
	return [][]string{
		{"cores", fmt.Sprint(m.Cores)}, {"CPU", m.CPU}, {"memory", fmt.Sprintf("%.1f GiB", m.Memory)}, {"system", m.System},
		{"one write with fsync, in the data directory", m.Fsync},
		{"logoutd", m.Logoutd + ", " + m.Go}, {"Redis, `appendfsync always`", m.Redis},
	}
}

func describeMachine(ctx context.Context, logoutd, dir string) (machine, error) {
	program, err := findLogoutd(logoutd)
	if err != nil {
		return machine{}, err
	}
	fsync, err := measureFsync(dir)
	if err != nil {
		return machine{}, err
	}
	m := machine{
		Cores: runtime.NumCPU(), Go: runtime.Version(), Fsync: milliseconds(fsync),
		CPU:     afterColon("/proc/cpuinfo", "model name"),
		System:  strings.Join(strings.Fields(runtime.GOOS+" "+firstLine("/proc/sys/kernel/osrelease")+" "+runtime.GOARCH), " "),
		Logoutd: outputOf(ctx, program, "version"), Redis: outputOf(ctx, "redis-server", "--version"),
	}
	var kib float64
	if _, err := fmt.Sscan(afterColon("/proc/meminfo", "MemTotal"), &kib); err == nil {
		m.Memory = kib / (1 << 20)
	}
	return m, nil
}

func firstLine(file string) string {
	text, _ := os.ReadFile(file)
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return string(line)
}

// afterColon returns what stands behind a name in a file of "name : value".
func afterColon(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if before, after, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(before) == name {
			return strings.TrimSpace(after)
		}
	}
	return ""
}

func outputOf(ctx context.Context, program string, args ...string) string {
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// fsyncs is how many of them the median is taken of.
const fsyncs = 200

// measureFsync returns how long it takes to write 1 KiB at the end of a file in
// dir and sync it to disk: the median.
func measureFsync(dir string) (time.Duration, error) {
	path := filepath.Join(dir, "fsync")
	file, err := os.Create(path)
	if err != nil {
		return 0, fmt.Errorf("measuring fsync: %w", err)
	}
	defer func() { _, _ = file.Close(), os.Remove(path) }()
	var took histogram
	for range fsyncs {
		start := time.Now()
		if _, err := file.Write(make([]byte, 1024)); err != nil {
			return 0, fmt.Errorf("measuring fsync: %w", err)
		}
		if err := file.Sync(); err != nil {
			return 0, fmt.Errorf("measuring fsync: %w", err)
		}
		took.add(time.Since(start))
	}
	return took.quantile(0.5), nil
}
