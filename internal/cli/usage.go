// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func wrongUsage(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	if like := cmd.SuggestionsFor(name); len(like) > 0 {
		return wrongUsage("there is no command %q; did you mean: %s %s", name, cmd.CommandPath(), like[0])
	}
	return wrongUsage("there is no command %q; see: %s --help", name, cmd.CommandPath())
}

// flagError adds the nearest flag, or where to read about flags.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "" {
		if like := nearestFlag(cmd, unknown.GetSpecifiedName()); like != "" {
			return wrongUsage("%w; did you mean --%s", err, like)
		}
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return wrongUsage("--%s cannot be %q; it takes %s", invalid.GetFlag().Name, invalid.GetValue(), values(invalid.GetFlag()))
	}
	return wrongUsage("%w; see: %s --help", err, cmd.CommandPath())
}

// values says what a flag takes.
func values(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "bool":
		return "true or false"
	case "duration":
		return "a time such as 90m or 12h"
	case "lifetime":
		return "a time such as 12h or 7d"
	}
	return "a number"
}

// nearestFlag differs least from what was written, and by less than half.
func nearestFlag(cmd *cobra.Command, name string) string {
	nearest, least := "", len(name)/2+1
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if d := distance(name, flag.Name); d < least && !flag.Hidden {
			nearest, least = flag.Name, d
		}
	})
	return nearest
}

// distance is how many bytes must be put in, left out or changed to make one
// text of the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// oneName takes exactly one argument, apart from what follows "--".
func oneName(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if n := len(before(cmd, args)); n != 1 {
			return wrongUsage("%s takes one %s, not %d; usage: %s", cmd.Name(), what, n, cmd.UseLine())
		}
		return nil
	}
}

// before and after are the arguments on either side of "--".
func before(cmd *cobra.Command, args []string) []string {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[:dash]
	}
	return args
}

func after(cmd *cobra.Command, args []string) []string {
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		return args[dash:]
	}
	return nil
}
