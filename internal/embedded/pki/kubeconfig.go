// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"bytes"
	"fmt"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"slipway.dev/slipway/internal/embedded/cluster"
)

// WriteKubeconfigs writes a kubeconfig for each client. Those of components
// name their certificate's files, which client-go reads again when they change;
// the administrator's carries the certificate, so that it can be copied.
func WriteKubeconfigs(c *cluster.Cluster, authority []byte) error {
	for _, client := range Clients(c) {
		user := &clientcmdapi.AuthInfo{
			ClientCertificate: c.PKI(client.Name + ".crt"), ClientKey: c.PKI(client.Name + ".key")}
		path := c.KubeconfigOf(client.Name)
		if client.Name == "admin" {
			path = c.Kubeconfig()
			if err := inline(user); err != nil {
				return err
			}
		}
		if err := writeKubeconfig(path, c, user, authority); err != nil {
			return fmt.Errorf("writing the kubeconfig of %s: %w", client.Name, err)
		}
	}
	return nil
}

func inline(user *clientcmdapi.AuthInfo) (err error) {
	if user.ClientCertificateData, err = os.ReadFile(user.ClientCertificate); err != nil {
		return err
	}
	if user.ClientKeyData, err = os.ReadFile(user.ClientKey); err != nil {
		return err
	}
	user.ClientCertificate, user.ClientKey = "", ""
	return nil
}

func writeKubeconfig(path string, c *cluster.Cluster, user *clientcmdapi.AuthInfo, authority []byte) error {
	const name = "slipway"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: c.APIServer(), CertificateAuthorityData: authority}
	config.AuthInfos[name] = user
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name, Namespace: "default"}
	config.CurrentContext = name
	content, err := clientcmd.Write(*config)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
		return nil
	}
	return cluster.WriteFile(path, content, 0o600)
}
