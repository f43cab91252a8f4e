// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Fault of a trace: where, and what to do about it.
type Fault struct {
	Line int
	// Column is its name; empty when the whole line is at fault.
	Column string
	Text   string
}

func (f *Fault) Error() string {
	if f.Column == "" {
		return fmt.Sprintf("line %d: %s", f.Line, f.Text)
	}
	return fmt.Sprintf("line %d, column %s: %s", f.Line, f.Column, f.Text)
}

const (
	// longest is above every time in a trace, in seconds: ten years.
	longest = int64(10 * 365 * 24 * 60 * 60)
	// most pods of a job, and most of anything that one pod asks for.
	mostPods   = 1 << 20
	mostAmount = 1 << 30
)

// byteOrderMark is what spreadsheets begin a file with.
const byteOrderMark = "\ufeff"

// column of the file.
type column struct {
	name     string
	required bool
	// read a cell into the record, or say what to write instead.
	read func(*Record, string) error
	show func(*Record) string
}

// columns in the order in which Format writes them.
func columns() []column {
	return []column{
		{"submit", true, seconds(func(r *Record) *int64 { return &r.Submit }, 0), whole(func(r *Record) int64 { return r.Submit })},
		{"project", false, text(func(r *Record) *string { return &r.Project }), func(r *Record) string { return r.Project }},
		{"user", false, text(func(r *Record) *string { return &r.User }), func(r *Record) string { return r.User }},
		{"pods", true, readPods, whole(func(r *Record) int64 { return int64(r.Pods) })},
		{"gpus", false, amount(func(r *Record) *int64 { return &r.GPUs }, 1), whole(func(r *Record) int64 { return r.GPUs })},
		{"cpu", false, amount(func(r *Record) *int64 { return &r.CPU }, 1000), scaled(func(r *Record) int64 { return r.CPU }, 1000)},
		{"memory_gib", false, amount(func(r *Record) *int64 { return &r.Memory }, 1<<30), scaled(func(r *Record) int64 { return r.Memory }, 1<<30)},
		{"run_time", true, seconds(func(r *Record) *int64 { return &r.RunTime }, 1), whole(func(r *Record) int64 { return r.RunTime })},
		{"limit", false, seconds(func(r *Record) *int64 { return &r.Limit }, 0), whole(func(r *Record) int64 { return r.Limit })},
		{"priority", false, readPriority, whole(func(r *Record) int64 { return int64(r.Priority) })},
		{"checkpoint", false, seconds(func(r *Record) *int64 { return &r.Checkpoint }, 0), whole(func(r *Record) int64 { return r.Checkpoint })},
		{"topology", false, text(func(r *Record) *string { return &r.Topology }), func(r *Record) string { return r.Topology }},
		{"required", false, readRequired, func(r *Record) string { return strconv.FormatBool(r.Required) }},
		{"name", false, text(func(r *Record) *string { return &r.Name }), func(r *Record) string { return r.Name }},
	}
}

// Parse a trace. Its errors are Faults.
func Parse(content string) ([]Record, error) {
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(content, byteOrderMark)))
	reader.Comment, reader.FieldsPerRecord, reader.TrimLeadingSpace = '#', -1, true
	rows, lines, err := read(reader)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, &Fault{1, "", "the trace is empty; its first line names the columns, at least submit,pods,run_time"}
	}
	header, err := headerOf(rows[0], lines[0])
	if err != nil {
		return nil, err
	}
	var records []Record
	names := map[string]int{}
	for i, row := range rows[1:] {
		record, err := recordOf(header, row, lines[i+1])
		if err != nil {
			return nil, err
		}
		if first, twice := names[record.Name]; twice {
			return nil, &Fault{lines[i+1], "name", fmt.Sprintf("%q is also the name on line %d; give each job its own, or leave the column out", record.Name, first)}
		}
		names[record.Name] = lines[i+1]
		records = append(records, record)
	}
	return records, nil
}

// read all rows with their lines.
func read(reader *csv.Reader) (rows [][]string, lines []int, err error) {
	for {
		row, err := reader.Read()
		var broken *csv.ParseError
		switch {
		case errors.As(err, &broken):
			return nil, nil, &Fault{broken.Line, "", fmt.Sprintf("%s; write a cell with quotes or commas as \"…\", quotes in it twice", broken.Err)}
		case err != nil:
			return rows, lines, nil //nolint:nilerr // the end: a string has no other error
		}
		line, _ := reader.FieldPos(0)
		rows, lines = append(rows, row), append(lines, line)
	}
}

func headerOf(row []string, line int) ([]column, error) {
	known := columns()
	var header []column
	seen := map[string]bool{}
	for _, cell := range row {
		name := strings.TrimSpace(cell)
		i := slices.IndexFunc(known, func(c column) bool { return c.name == name })
		switch {
		case i < 0:
			return nil, &Fault{line, "", fmt.Sprintf("there is no column %q; use %s", name, names(known))}
		case seen[name]:
			return nil, &Fault{line, "", fmt.Sprintf("column %s is there twice; remove one", name)}
		}
		seen[name] = true
		header = append(header, known[i])
	}
	for _, c := range known {
		if c.required && !seen[c.name] {
			return nil, &Fault{line, "", fmt.Sprintf("column %s is missing; the first line names the columns, at least submit,pods,run_time", c.name)}
		}
	}
	return header, nil
}

func names(list []column) string {
	var all []string
	for _, c := range list {
		all = append(all, c.name)
	}
	return strings.Join(all, ", ")
}

func recordOf(header []column, row []string, line int) (Record, error) {
	var r Record
	if len(row) != len(header) {
		return r, &Fault{line, "", fmt.Sprintf("has %d cells and the first line has %d; write one for each column, an empty one for nothing", len(row), len(header))}
	}
	for i, c := range header {
		cell := strings.TrimSpace(row[i])
		if cell == "" && !c.required {
			continue
		}
		if err := c.read(&r, cell); err != nil {
			return r, &Fault{line, c.name, err.Error()}
		}
	}
	if r.Name == "" {
		r.Name = nameOf(line)
	}
	if r.Required && r.Topology == "" {
		return r, &Fault{line, "required", "is true without a topology; name the key of a label in column topology"}
	}
	return r, nil
}

func text(field func(*Record) *string) func(*Record, string) error {
	return func(r *Record, cell string) error {
		*field(r) = cell
		return nil
	}
}

func seconds(field func(*Record) *int64, least int64) func(*Record, string) error {
	return func(r *Record, cell string) error {
		n, err := strconv.ParseInt(cell, 10, 64)
		if err != nil || n < least || n > longest {
			return fmt.Errorf("is %q; write whole seconds from %d to %d", cell, least, longest)
		}
		*field(r) = n
		return nil
	}
}

func readPods(r *Record, cell string) error {
	n, err := strconv.ParseInt(cell, 10, 32)
	if err != nil || n < 1 || n > mostPods {
		return fmt.Errorf("is %q; write a number from 1 to %d", cell, mostPods)
	}
	r.Pods = int32(n)
	return nil
}

func readPriority(r *Record, cell string) error {
	n, err := strconv.ParseInt(cell, 10, 32)
	if err != nil {
		return fmt.Errorf("is %q; write a whole number, higher goes first", cell)
	}
	r.Priority = int32(n)
	return nil
}

func readRequired(r *Record, cell string) error {
	required, err := strconv.ParseBool(cell)
	if err != nil {
		return fmt.Errorf("is %q; write true or false", cell)
	}
	r.Required = required
	return nil
}

// amount of a resource in some unit; parts of it are kept as far as they are whole.
func amount(field func(*Record) *int64, unit int64) func(*Record, string) error {
	return func(r *Record, cell string) error {
		n, err := strconv.ParseFloat(cell, 64)
		if err != nil || math.IsNaN(n) || n < 0 || n > mostAmount || unit == 1 && n != math.Trunc(n) {
			kind := "a number"
			if unit == 1 {
				kind = "a whole number"
			}
			return fmt.Errorf("is %q; write %s from 0 to %d", cell, kind, mostAmount)
		}
		*field(r) = int64(math.Round(n * float64(unit)))
		return nil
	}
}

func whole(field func(*Record) int64) func(*Record) string {
	return func(r *Record) string { return strconv.FormatInt(field(r), 10) }
}

func scaled(field func(*Record) int64, unit float64) func(*Record) string {
	return func(r *Record) string { return strconv.FormatFloat(float64(field(r))/unit, 'f', -1, 64) }
}

// Format is the inverse of Parse.
func Format(records []Record) string {
	var b strings.Builder
	writer := csv.NewWriter(&b)
	list := columns()
	row := make([]string, len(list))
	for i, c := range list {
		row[i] = c.name
	}
	_ = writer.Write(row) // to a string, which takes everything
	for i := range records {
		for k, c := range list {
			row[k] = c.show(&records[i])
		}
		_ = writer.Write(row)
	}
	writer.Flush()
	return b.String()
}
