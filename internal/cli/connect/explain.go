// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// Explain says what a request's error means and what to do about it. Other
// errors stay as they are.
func Explain(err error) error {
	var transport *url.Error
	var match *meta.NoKindMatchError
	var unanswered *apiutil.ErrResourceDiscoveryFailed
	switch {
	case err == nil:
		return nil
	case errors.As(err, &transport):
		return unreachable(transport)
	case errors.As(err, &match):
		return fmt.Errorf("%w; the cluster does not have that kind: install what brings it, or start a cluster with Slipway's own: slipway up", err)
	case errors.As(err, &unanswered):
		return fmt.Errorf("%w; the cluster does not offer that API now: try again, and see: slipway status", err)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("the cluster does not accept the credentials of this kubeconfig (%w); renew them, or name another with --kubeconfig", err)
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), undiscovered):
		return errors.New("the cluster does not say yet what it offers, it is still starting; try again, and see: slipway status")
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s; %s", denied(err), grant(err))
	case apierrors.IsTooManyRequests(err), apierrors.IsServerTimeout(err), apierrors.IsTimeout(err), apierrors.IsServiceUnavailable(err):
		return fmt.Errorf("the cluster is busy (%w); try again, and see: slipway status", err)
	}
	return err
}

// undiscovered is what a client says that could not ask which kinds there are. Anybody whom the cluster
// knows may do that, once it has read its roles.
const undiscovered = "failed to get server groups"

func unreachable(err *url.Error) error {
	address := err.URL
	if u, parseErr := url.Parse(err.URL); parseErr == nil && u.Host != "" {
		address = u.Scheme + "://" + u.Host
	}
	var authority x509.UnknownAuthorityError
	var certificate x509.CertificateInvalidError
	var host x509.HostnameError
	if errors.As(err, &authority) || errors.As(err, &certificate) || errors.As(err, &host) {
		return fmt.Errorf("what answers at %s is not the cluster of this kubeconfig (%w); name the right one with --kubeconfig", address, err.Err)
	}
	cause := err.Err.Error()
	if i := strings.LastIndex(cause, ": "); i >= 0 {
		cause = cause[i+2:]
	}
	return fmt.Errorf("cannot reach the cluster at %s: %s; start one with: slipway up", address, cause)
}
