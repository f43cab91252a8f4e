// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"slices"
)

// Directions of a limit.
const (
	atMost  = "≤"
	atLeast = "≥"
)

// Bar is one measured number and the limit that it must keep.
type Bar struct {
	// Bar says what was measured, as a person reads it in the table.
	Bar string
	// Value that was measured; NaN when it could not be.
	Value float64
	// Unit of Value and Limit, such as "s" or "MB".
	Unit string
	// Limit is meaningful only with a Direction.
	Limit float64
	// Direction is "≤" or "≥", or empty when nothing was promised.
	Direction string
	// Holds says that Value keeps Limit, or that it exists where there is none.
	Holds bool
}

// AtMost is a bar that holds when the value is not above the limit.
func AtMost(bar string, value float64, unit string, limit float64) Bar {
	return Bar{bar, value, unit, limit, atMost, value <= limit}
}

// AtLeast is a bar that holds when the value is not below the limit.
func AtLeast(bar string, value float64, unit string, limit float64) Bar {
	return Bar{bar, value, unit, limit, atLeast, value >= limit}
}

// Observed is a number that belongs in the report although nothing was
// promised, such as one phase of many.
func Observed(bar string, value float64, unit string) Bar {
	return Bar{Bar: bar, Value: value, Unit: unit, Holds: !math.IsNaN(value)}
}

// Percentile is the p-th percentile of the samples by nearest rank: the
// smallest sample that at least p percent of them do not exceed. It is always
// one of the samples, and NaN, which keeps no limit, when there are none.
func Percentile(samples []float64, p float64) float64 {
	if len(samples) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(p * float64(len(sorted)) / 100))
	return sorted[min(max(rank, 1), len(sorted))-1]
}
