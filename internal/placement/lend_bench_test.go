// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package placement

import "testing"

// BenchmarkSettleLoans is what a Settle costs on 5,000 nodes after one of 500 small gangs has
// ended, while 10,000 wait and 2,000 run on places that are kept for eight of these.
func BenchmarkSettleLoans(b *testing.B) {
	p := lending(b)
	b.ReportMetric(float64(len(p.plan.promises)), "promises")
	ends := 0
	for b.Loop() {
		p.DeleteGang(gpuGang(1+ends, 0, Topology{}).Key)
		ends++
		p.Advance(p.now + 10)
		p.Settle()
	}
	loans := 0
	for key := range p.gangs {
		if len(p.LentBy(key)) > 0 {
			loans++
		}
	}
	b.ReportMetric(float64(loans), "loans")
}

// lending is that cluster: a gang holds half of it for half a day, and others that run for
// different times a tenth; those who wait first ask for more than the rest together.
func lending(b *testing.B) *Picture {
	p := cluster(5000)
	p.Elapse(1000)
	number := 0
	comes := func(count int32, limit int64) {
		g := gpuGang(number, count, Topology{})
		if g.Limit = limit; limit > 0 {
			g.Checkpointed = 1
		}
		tell(b, p, g)
		number++
	}
	comes(20000, 12*3600)
	for i := range 500 {
		comes(8, 8*3600+int64(i))
	}
	p.Decide()
	for i := range 8 {
		comes(20000+int32(1000*i), 3600+int64(i))
	}
	p.Settle()
	for range 2000 {
		comes(8, 40*3600)
	}
	p.Settle()
	for i := range 10000 {
		comes(8+int32(i%500), 40*3600*int64(i%2))
	}
	p.Settle()
	return p
}
