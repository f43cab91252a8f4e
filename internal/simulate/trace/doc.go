// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Package trace is what people ask of a cluster over time: a list of jobs, each with
// the moment at which it comes and how long it really runs. One can be read from CSV
// ([Parse]), so that the traces of clusters fit with few changes, or generated from
// a seed ([Generate]) by what was published of GPU clusters.
//
// # The file
//
// The first line names the columns, in any order; empty lines, and lines that begin
// with #, are left out.
//
//	submit,project,user,pods,gpus,cpu,memory_gib,run_time,limit,priority,checkpoint,topology,required,name
//	0,speech,ada,4,8,96,768,5400,7200,0,1800,rack,false,train-1
//
// submit, pods and run_time must be there. submit is in seconds since the beginning
// of the trace, run_time, limit and checkpoint are in seconds. gpus, cpu (cores, may
// be fractions) and memory_gib are those of one pod. limit is what the user says that it
// runs at most, empty or 0 for nothing; run_time is what it really takes. A topology
// is the key of a label of nodes, required whether the job waits for one domain.
//
// The columns of the published traces of Philly, Helios and Alibaba PAI map onto
// these: submit_time less that of the first, node_num, gpu_num/node_num, duration.
package trace
