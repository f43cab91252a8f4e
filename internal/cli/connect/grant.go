// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package connect

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	kubeflowv1 "github.com/kubeflow/training-operator/pkg/apis/kubeflow.org/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
)

// refusal is what Kubernetes' own authorisation by roles says when it says no.
var refusal = regexp.MustCompile(`User "([^"]+)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)" (?:at the cluster scope|in the namespace "([^"]+)")`)

// observed are the resources of a whole cluster that the scheduler decides from, which are not
// in Kubernetes' own roles for people, or only together with more.
var observed = []string{"nodes", "namespaces", "pods"}

// Roles for people beside Kubernetes' own, as api/rbac has them.
const (
	RoleView    = "slipway:view"
	RoleObserve = "slipway:observe"
)

// Needing tells a refusal by what the command needs in all, which is the role: who is given no more
// than the request that was refused takes is refused the next one. It counts where the request is of
// the whole cluster; any other error stays what it is.
func Needing(role string, err error) error {
	if !apierrors.IsForbidden(err) {
		return err
	}
	return &needing{role, err}
}

// needing is a refusal with the role by which all of a command works.
type needing struct {
	role string
	err  error
}

func (n *needing) Error() string { return n.err.Error() }
func (n *needing) Unwrap() error { return n.err }

// denied is a refusal in words: what may not be done, and where.
func denied(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err.Error()
	}
	message := status.Status().Message
	said := refusal.FindStringSubmatch(message)
	if said == nil {
		return err.Error()
	}
	resource, where := said[3], "of the whole cluster"
	if said[4] != "" {
		resource += "." + said[4]
	}
	if said[5] != "" {
		where = "in namespace " + said[5]
	}
	return strings.Replace(err.Error(), message, fmt.Sprintf("you may not %s %s %s", said[2], resource, where), 1)
}

// grant is what to do about a refusal: the command by which an administrator allows what was asked
// for, where there is a role for it.
func grant(err error) string {
	const ask = "ask for a role that allows it"
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return ask
	}
	said := refusal.FindStringSubmatch(status.Status().Message)
	var command *needing
	switch is := errors.As(err, &command); {
	case is && said == nil:
		return "ask for the ClusterRole " + command.role
	case is && said[5] == "":
		return "an administrator allows it with: " + binding(said[1], command.role, "")
	}
	if details := status.Status().Details; said == nil && details != nil && details.Group == slipwayv1.GroupVersion.Group {
		return "ask for the ClusterRole " + RoleView + " to see it, or slipway:edit to change it"
	}
	if said == nil {
		return ask
	}
	user, verb, resource, group, namespace := said[1], said[2], said[3], said[4], said[5]
	role, reads := "", slices.Contains([]string{"get", "list", "watch"}, verb)
	ours := group == slipwayv1.GroupVersion.Group || group == kubeflowv1.GroupVersion.Group
	switch {
	case namespace != "" && group == rbacv1.GroupName:
		role = "admin"
	case namespace != "" && reads && resource != "secrets":
		role = "view"
	case namespace != "":
		role = "edit"
	case ours && reads:
		role = RoleView
	case group == "" && reads && slices.Contains(observed, resource):
		role = RoleObserve
	default:
		return ask
	}
	return "an administrator allows it with: " + binding(user, role, namespace)
}

// binding of a role to a user, or to the ServiceAccount that it is, in a namespace or in all.
func binding(user, role, namespace string) string {
	whom, name := "--user "+quoted(user), user
	if account, is := strings.CutPrefix(user, "system:serviceaccount:"); is {
		whom, name = "--serviceaccount "+account, account[strings.Index(account, ":")+1:]
	}
	name = unnamed.ReplaceAllString(name+"-"+role, "-")
	if namespace != "" {
		return fmt.Sprintf("slipway kubectl create rolebinding %s -n %s --clusterrole %s %s", name, namespace, role, whom)
	}
	return fmt.Sprintf("slipway kubectl create clusterrolebinding %s --clusterrole %s %s", name, role, whom)
}

// unnamed is what a name is not made of.
var unnamed = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// quoted for a shell, where it has to be.
func quoted(word string) string {
	if regexp.MustCompile(`^[A-Za-z0-9@:._-]+$`).MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
