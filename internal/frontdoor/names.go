// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// modelName is the Model that a client means by an id: a bare name is one of
// the key's own namespace, home; namespace/name is one of any namespace. It is
// empty for an id that no Model can have.
func modelName(id, home string) types.NamespacedName {
	namespace, name, qualified := strings.Cut(id, "/")
	if !qualified {
		namespace, name = home, id
	}
	if namespace == "" || name == "" || strings.Contains(name, "/") {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// modelID is what the holder of a key calls a Model.
func modelID(name types.NamespacedName, home string) string {
	if name.Namespace == home {
		return name.Name
	}
	return name.String()
}

// homeOf is the namespace of a ServiceAccount's user name, and empty for
// anybody else.
func homeOf(username string) string {
	account, is := strings.CutPrefix(username, "system:serviceaccount:")
	if !is {
		return ""
	}
	namespace, _, _ := strings.Cut(account, ":")
	return namespace
}
