// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Write prints the bars as a table and writes build/bench/NAME.json under the
// nearest folder above the working directory that has a go.mod, or under the
// working directory itself. It replaces the results of an earlier run.
func Write(name string, bars []Bar) error {
	root, err := moduleRoot()
	if err != nil {
		return fmt.Errorf("writing results of benchmark %s: %w", name, err)
	}
	file := filepath.Join(root, "build", "bench", name+".json")
	here := thisMachine()
	if err := save(file, bars, here); err != nil {
		return fmt.Errorf("writing results of benchmark %s: %w", name, err)
	}
	return printTable(os.Stdout, name, bars, here)
}

func moduleRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return start, nil
		}
	}
}

// entry is a Bar as it is written. Value is null when it was not measured and
// Limit is null when nothing was promised: JSON has no other way to say so.
type entry struct {
	Bar       string   `json:"bar"`
	Value     *float64 `json:"value"`
	Unit      string   `json:"unit"`
	Limit     *float64 `json:"limit"`
	Direction string   `json:"direction,omitempty"`
	Holds     bool     `json:"holds"`
	Machine   machine  `json:"machine"`
}

func save(file string, bars []Bar, here machine) error {
	entries := make([]entry, len(bars))
	for i, bar := range bars {
		entries[i] = entry{Bar: bar.Bar, Unit: bar.Unit, Direction: bar.Direction, Holds: bar.Holds, Machine: here}
		if !math.IsNaN(bar.Value) {
			entries[i].Value = &bar.Value
		}
		if bar.Direction != "" {
			entries[i].Limit = &bar.Limit
		}
	}
	text, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func printTable(w io.Writer, name string, bars []Bar, here machine) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "%s on %s\n\n", name, here)
	fmt.Fprintln(table, "BAR\tMEASURED\tLIMIT\tVERDICT")
	for _, bar := range bars {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", bar.Bar, measured(bar), limit(bar), verdict(bar))
	}
	return table.Flush()
}

func measured(bar Bar) string {
	if math.IsNaN(bar.Value) {
		return "not measured"
	}
	return number(bar.Value) + " " + bar.Unit
}

func limit(bar Bar) string {
	if bar.Direction == "" {
		return "-"
	}
	return bar.Direction + " " + number(bar.Limit) + " " + bar.Unit
}

func verdict(bar Bar) string {
	switch {
	case !bar.Holds:
		return "MISS"
	case bar.Direction == "":
		return "-"
	}
	return "holds"
}

// number shows about four digits; the exact value is in the file.
func number(value float64) string {
	size := math.Abs(value)
	switch {
	case size >= 1000:
		return strconv.FormatFloat(value, 'f', 0, 64)
	case size >= 0.001:
		text := strconv.FormatFloat(value, 'f', 3, 64)
		return strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return strconv.FormatFloat(value, 'g', 3, 64)
}
