// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// machine is what a number depends on. What the host does not tell stays empty.
type machine struct {
	Cores       int    `json:"cores"`
	MemoryBytes int64  `json:"memoryBytes"`
	CPU         string `json:"cpu"`
	Kernel      string `json:"kernel"`
	OS          string `json:"os"`
	Go          string `json:"go"`
}

func thisMachine() machine {
	return machine{
		Cores:       runtime.NumCPU(),
		MemoryBytes: memoryBytes(read("/proc/meminfo")),
		CPU:         field(read("/proc/cpuinfo"), "model name", ":"),
		Kernel:      strings.TrimSpace(read("/proc/sys/kernel/osrelease")),
		OS:          strings.Trim(field(read("/etc/os-release"), "PRETTY_NAME", "="), `"`),
		Go:          runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
	}
}

func (m machine) String() string {
	known := []string{fmt.Sprintf("%d cores", m.Cores), fmt.Sprintf("%.1f GiB", float64(m.MemoryBytes)/(1<<30))}
	for _, text := range []string{m.CPU, m.Kernel, m.OS, m.Go} {
		if text != "" {
			known = append(known, text)
		}
	}
	return strings.Join(known, ", ")
}

// LoadAverage of the last minute (proc_loadavg(5)): figures from a machine that
// was busy with other things must show it. NaN when it cannot be read.
func LoadAverage() float64 {
	first, _, _ := strings.Cut(read("/proc/loadavg"), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return math.NaN()
	}
	return load
}

func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

// memoryBytes reads MemTotal, "16384 kB" (proc_meminfo(5)), as bytes.
func memoryBytes(meminfo string) int64 {
	number, _, _ := strings.Cut(field(meminfo, "MemTotal", ":"), " ")
	kibibytes, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0
	}
	return kibibytes << 10
}

// field is the value of the first line that reads "key separator value".
func field(text, key, separator string) string {
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(line, separator)
		if found && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
