// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package follow

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Opener opens the log of a pod, as the API server gives it.
type Opener func(ctx context.Context, pod *corev1.Pod, options *corev1.PodLogOptions) (io.ReadCloser, error)

// lines writes whole lines of several streams to one place.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) write(prefix, text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := io.WriteString(l.out, prefix+text)
	return err
}

// copyLog prints the lines of a log that are new to the position, without their
// timestamps, and says how many there were.
func copyLog(log io.Reader, p *position, prefix string, to *lines) (int, error) {
	fresh := 0
	err := eachLine(log, func(line string) error {
		at, text := cut(line)
		if at.IsZero() {
			at = p.last // no timestamp: part of the line before it
		}
		if !p.fresh(at) {
			return nil
		}
		fresh++
		return to.write(prefix, text)
	})
	return fresh, err
}

// Copy prints a log that was opened without timestamps.
func Copy(out io.Writer, log io.Reader, prefix string) error {
	to := &lines{out: out}
	return eachLine(log, func(line string) error { return to.write(prefix, line) })
}

// eachLine hands over whole lines of any length; the last one gets its end where
// that is missing.
func eachLine(r io.Reader, do func(string) error) error {
	for buffered := bufio.NewReader(r); ; {
		line, err := buffered.ReadString('\n')
		if err != nil && line != "" {
			line += "\n"
		}
		if line != "" {
			if err := do(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// ended is the news that a stream has come to its end.
type ended struct {
	name  string
	fresh int
	err   error
}

// read opens and prints one log. The position is the stream's own until ended
// is sent.
func (f *Follower) read(ctx context.Context, pod *corev1.Pod, p *position, options *corev1.PodLogOptions, news chan<- ended) {
	fresh := 0
	log, err := f.Open(ctx, pod, options)
	if err == nil {
		fresh, err = copyLog(log, p, f.Pick.Prefix(pod), &f.out)
		_ = log.Close()
	}
	news <- ended{pod.Name, fresh, err}
}

// timestamped are the options of every stream: without timestamps nothing could
// be resumed.
func timestamped(container string, follow bool) *corev1.PodLogOptions {
	return &corev1.PodLogOptions{Container: container, Follow: follow, Timestamps: true}
}

// clock is a pause that ends by itself; zero waits for ever.
func clock(pause time.Duration) <-chan time.Time {
	if pause <= 0 {
		return nil
	}
	return time.After(pause)
}
