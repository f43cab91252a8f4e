// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/control"
	"slipway.dev/slipway/internal/embedded/network"
	"slipway.dev/slipway/internal/embedded/pki"
	"slipway.dev/slipway/internal/embedded/supervise"
)

// Nodes implements control.Supervisor.
func (s *Supervisor) Nodes() []control.Node {
	seen := s.conditions()
	s.mu.Lock()
	defer s.mu.Unlock()
	var nodes []control.Node
	for _, n := range s.cluster.Nodes {
		state := "running"
		if s.killed[n.Name] {
			state = "killed"
		}
		ready, why := seen(n.Name)
		nodes = append(nodes, control.Node{Name: n.Name, Address: s.cluster.NodeIP(n).String(), State: state, Ready: ready, Why: why})
	}
	return nodes
}

// AddNode implements control.Supervisor. A node that was killed is started
// again; its data are as they were.
func (s *Supervisor) AddNode(name string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	n, revived, err := s.reviveOrAppend(name)
	if err != nil {
		return err
	}
	err = s.startNode(n)
	switch {
	case err == nil:
		return nil
	case revived:
		return errors.Join(err, s.killNode(n))
	}
	return errors.Join(err, s.removeNode(n))
}

func (s *Supervisor) startNode(n cluster.Node) error {
	if _, err := pki.Ensure(s.cluster, time.Now()); err != nil {
		return err
	}
	if err := s.prepareNode(n); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(s.life, bootLimit, fmt.Errorf("it took longer than %s", bootLimit))
	defer cancel()
	steps := s.nodeSteps(n)
	for i := range steps {
		steps[i].Needs = slices.DeleteFunc(steps[i].Needs, func(need string) bool { return need == "network" || need == "manifests" })
	}
	return supervise.Run(ctx, steps, func(e supervise.Event) { s.note(e) })
}

// reviveOrAppend finds the killed node of that name or enters a new one.
func (s *Supervisor) reviveOrAppend(name string) (n cluster.Node, revived bool, err error) {
	if err := cluster.CheckNodeName(name); err != nil {
		return n, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, found := s.cluster.NodeNamed(name); found && s.killed[name] {
		delete(s.killed, name)
		return n, true, nil
	}
	n, err = appendNode(s.cluster, name)
	if err != nil {
		return n, false, err
	}
	return n, false, s.cluster.Save()
}

// KillNode implements control.Supervisor: everything of the node ends at once,
// as when its power fails. Nobody is told; the cluster has to notice.
func (s *Supervisor) KillNode(name string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	n, err := s.removable(name)
	if err != nil {
		return err
	}
	return s.killNode(n)
}

func (s *Supervisor) killNode(n cluster.Node) error {
	s.mu.Lock()
	s.killed[n.Name] = true
	s.mu.Unlock()
	return s.endNode(n)
}

// RemoveNode implements control.Supervisor: the node's pods end and nothing of
// it remains.
func (s *Supervisor) RemoveNode(name string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	n, err := s.removable(name)
	if err != nil {
		return err
	}
	return s.removeNode(n)
}

// removeNode keeps a node of which something could not be removed, as a killed
// one, so that it can be tried again.
func (s *Supervisor) removeNode(n cluster.Node) error {
	err := errors.Join(s.killNode(n), s.deleteNodeObject(n.Name), network.RemoveNode(s.cluster, n, s.journal),
		unmountBelow(s.cluster.NodeDir(n)), unmountBelow(s.cluster.NodeRun(n)))
	if err == nil {
		err = errors.Join(removeCgroup(s.cluster.CgroupRoot(n)), pki.Forget(s.cluster, n),
			os.RemoveAll(s.cluster.NodeDir(n)), os.RemoveAll(s.cluster.NodeRun(n)))
	}
	if err != nil {
		return fmt.Errorf("%w; mend that and run \"slipway node rm %s\"", err, n.Name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.killed, n.Name)
	s.cluster.Nodes = slices.DeleteFunc(s.cluster.Nodes, func(other cluster.Node) bool { return other.Name == n.Name })
	return s.cluster.Save()
}

// removable finds a node that can be taken away: any but the machine itself.
func (s *Supervisor) removable(name string) (cluster.Node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, found := s.cluster.NodeNamed(name)
	if !found {
		return n, fmt.Errorf("there is no node %q; \"slipway node ls\" shows those there are", name)
	}
	if n.Index == 0 {
		return n, fmt.Errorf("node %q is the machine that the control plane runs on; choose another, or end the cluster with \"slipway down\"", name)
	}
	return n, nil
}

// endNode kills a node's processes, its containers and their shims, and returns
// when they are gone.
func (s *Supervisor) endNode(n cluster.Node) error {
	s.mu.Lock()
	var mine []*supervise.Process
	s.processes = slices.DeleteFunc(s.processes, func(p *supervise.Process) bool {
		is := strings.HasSuffix(p.State().Name, ":"+n.Name)
		if is {
			mine = append(mine, p)
		}
		return is
	})
	s.mu.Unlock()
	for _, p := range mine {
		p.Kill()
	}
	return endAll(func() []int {
		return append(shims(s.cluster.NodeRun(n)), cgroupProcesses(s.cluster.CgroupRoot(n))...)
	})
}

func (s *Supervisor) deleteNodeObject(name string) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	err = client.CoreV1().Nodes().Delete(context.Background(), name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting node %s: %w", name, err)
	}
	return nil
}

// client is the supervisor's own, with no limit on its requests.
func (s *Supervisor) client() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", s.cluster.KubeconfigOf("supervisor"))
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}
