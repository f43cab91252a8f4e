// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
)

// start runs an agent in a synctest bubble, beside shop/web on this node. It is
// idle when start returns.
func start(t *testing.T, nft *recorder) (client *fake.Clientset, isReady func() bool) {
	client = fake.NewClientset(newNamespace("shop", ""), newPod("shop/web", "app=web", web))
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() {
		done <- Run(ctx, Config{Node: thisNode, Client: client, Nft: nft, Ready: func() { close(ready) }})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	<-time.After(settle)
	synctest.Wait()
	return client, func() bool {
		select {
		case <-ready:
			return true
		default:
			return false
		}
	}
}

// settled passes the time in which a change takes effect. It is simulated time.
func settled() {
	synctest.Wait()
	<-time.After(settle)
	synctest.Wait()
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nft := newRecorder()
		client, ready := start(t, nft)
		if !ready() || nft.Table == nil {
			t.Fatalf("ready %t, table %v after the start", ready(), nft.Table)
		}
		policies, pods := client.NetworkingV1().NetworkPolicies("shop"), client.CoreV1().Pods("shop")
		isolated := func() bool { return nft.Table.Maps["ingress-isolated-ip"].FindElement(web) != nil }

		if _, err := policies.Create(t.Context(), newPolicy("shop/deny", "app=web"), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		settled()
		if !isolated() {
			t.Error("not isolated after a policy was created")
		}
		if _, err := pods.Update(t.Context(), newPod("shop/web", "app=other", web), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		settled()
		if isolated() {
			t.Error("isolated after the pod's labels have changed")
		}
		if _, err := policies.Update(t.Context(), newPolicy("shop/deny", "app=other"), metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		settled()
		if !isolated() {
			t.Error("not isolated after the policy has changed")
		}
		if err := policies.Delete(t.Context(), "deny", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		settled()
		if isolated() {
			t.Error("isolated after the policy was deleted")
		}
		if err := pods.Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		settled()
		if nft.Table.Sets["known-ip"].FindElement(web) != nil {
			t.Error("the address of a deleted pod is still known")
		}
	})
}

// TestRunWaitsForChanges counts transactions: changes that come together cost one
// and those that are nothing to policies none, for however long.
func TestRunWaitsForChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nft := newRecorder()
		client, _ := start(t, nft)
		nft.ran = nil
		for _, name := range []string{"shop/a", "shop/b", "shop/c"} {
			if _, err := client.NetworkingV1().NetworkPolicies("shop").Create(t.Context(), newPolicy(name, "app=web"), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		settled()
		if len(nft.ran) != 1 {
			t.Errorf("%d transactions for three policies at once, want 1", len(nft.ran))
		}
		changed := newPod("shop/web", "app=web", web)
		changed.Annotations = map[string]string{"note": "changed"}
		changed.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady}}
		if _, err := client.CoreV1().Pods("shop").Update(t.Context(), changed, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		<-time.After(24 * time.Hour)
		synctest.Wait()
		if len(nft.ran) != 1 {
			t.Errorf("transactions without a change: %s", nft.ran[1:])
		}
	})
}

// TestRunRetries has nft fail for a while, from the start.
func TestRunRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nft := newRecorder()
		attempts := 0
		nft.refuse = func(string) error {
			if attempts++; attempts <= 3 {
				return errors.New("no memory")
			}
			return nil
		}
		_, ready := start(t, nft)
		// The attempts are after nothing, 1, 1+2 and 1+2+4 times the first retry.
		<-time.After(4 * firstRetry)
		synctest.Wait()
		if ready() || attempts != 3 {
			t.Errorf("ready %t after %d attempts, want false after 3", ready(), attempts)
		}
		<-time.After(4 * firstRetry)
		synctest.Wait()
		if !ready() || nft.Table == nil || attempts != 4 {
			t.Errorf("ready %t after %d attempts, want true after 4", ready(), attempts)
		}
	})
}

// TestRunRests has nft take long: a change right after an update waits.
func TestRunRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slow = time.Second
		nft := newRecorder()
		client, _ := start(t, nft)
		var begun []time.Time
		nft.refuse = func(string) error {
			begun = append(begun, time.Now())
			<-time.After(slow)
			return nil
		}
		for _, name := range []string{"shop/a", "shop/b"} {
			if _, err := client.NetworkingV1().NetworkPolicies("shop").Create(t.Context(), newPolicy(name, "app=web"), metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			<-time.After(settle + slow)
		}
		<-time.After(breather * slow)
		synctest.Wait()
		if len(begun) < 2 || begun[1].Sub(begun[0]) != slow+breather*slow {
			t.Errorf("updates begun at %v, want the second %v after the first", begun, slow+breather*slow)
		}
	})
}

func TestRunRefusesBadConfig(t *testing.T) {
	good := Config{Node: thisNode, Client: fake.NewClientset(), Nft: newRecorder()}
	for field, spoil := range map[string]func(*Config){
		"Node":     func(c *Config) { c.Node = "" },
		"Client":   func(c *Config) { c.Client = nil },
		"Nft":      func(c *Config) { c.Nft = nil },
		"PodCIDRs": func(c *Config) { c.PodCIDRs = []netip.Prefix{{}} },
	} {
		bad := good
		spoil(&bad)
		if err := Run(t.Context(), bad); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error %v does not name the field", field, err)
		}
	}
}
