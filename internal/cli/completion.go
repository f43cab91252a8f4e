// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/workload"
)

func (a *app) completion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print the script that completes commands in a shell",
		Long: `Print the script that completes commands, flags and names in a shell.

  bash:  source <(slipway completion bash)                          in ~/.bashrc
  zsh:   source <(slipway completion zsh)                           in ~/.zshrc
  fish:  slipway completion fish > ~/.config/fish/completions/slipway.fish`,
		Args:      oneName("shell"),
		ValidArgs: []cobra.Completion{"bash", "zsh", "fish"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.Stdout)
			case "fish":
				return root.GenFishCompletion(a.Stdout, true)
			}
			return wrongUsage("there is no completion for %q; use bash, zsh or fish", args[0])
		},
	}
}

// completionTime is how long a press of the tab key may wait for the cluster.
const completionTime = 2 * time.Second

type completer = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective)

// completeWorkloads offers the names of workloads of some kinds: for the first
// argument only, or with several for each. Qualified means KIND/NAME, too, and nothing
// else where two kinds share the name. Without a cluster it offers nothing.
func (a *app) completeWorkloads(several, qualified bool, kinds ...workload.Kind) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 && !several {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		var all []workload.Workload
		for _, kind := range kinds {
			all = append(all, a.workloadsOf(ctx, kind)...)
		}
		return unused(namesOf(all, qualified), args), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeLogs offers workloads by name, what ps lists besides with its kind, and pods once that
// kind is begun.
func (a *app) completeLogs(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if strings.HasPrefix(typed, "pod/") {
		return podsOf(ctx, cluster), cobra.ShellCompDirectiveNoFileComp
	}
	var all []workload.Workload
	for _, kind := range workload.Kinds() {
		all = append(all, a.workloadsOf(ctx, kind)...)
	}
	names := namesOf(all, false)
	pods, _ := workload.ListScheduled(ctx, cluster, cluster.Namespace, nil) // Without a cluster it offers nothing.
	for _, w := range workload.Loose(pods) {
		names = append(names, cobra.CompletionWithDesc(w.String(), w.State().Status))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// podsOf the namespace, which may be many: of no one is more asked than its name.
func podsOf(ctx context.Context, cluster *connect.Cluster) []cobra.Completion {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PodList"))
	if cluster.List(ctx, list, client.InNamespace(cluster.Namespace), client.Limit(maxOffered)) != nil {
		return nil
	}
	names := namesIn(list)
	for i := range names {
		names[i] = "pod/" + names[i]
	}
	return names
}

func (a *app) workloadsOf(ctx context.Context, kind workload.Kind) []workload.Workload {
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return nil
	}
	all, err := workload.List(ctx, cluster, kind, cluster.Namespace)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(all, func(w workload.Workload) bool { return w.Kind.IsLoose() }) // it is gone, and its pods go
}

func namesOf(all []workload.Workload, qualified bool) []cobra.Completion {
	kinds := map[string]int{}
	for _, w := range all {
		kinds[w.Object.GetName()]++
	}
	var names []cobra.Completion
	for _, w := range all {
		what := w.Kind.Title + ", " + w.State().Status
		if name := w.Object.GetName(); !qualified || kinds[name] == 1 {
			names = append(names, cobra.CompletionWithDesc(name, what))
		}
		if qualified {
			names = append(names, cobra.CompletionWithDesc(w.String(), what))
		}
	}
	return names
}

// completeNames of cluster-wide objects, but for those that are written already.
func (a *app) completeNames(list client.ObjectList) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		cluster, err := a.cluster.Open(a.Stderr)
		if err != nil || cluster.List(ctx, list) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return unused(namesIn(list), args), cobra.ShellCompDirectiveNoFileComp
	}
}

// unused completions are not among the arguments.
func unused(all []cobra.Completion, args []string) []cobra.Completion {
	return slices.DeleteFunc(all, func(c cobra.Completion) bool {
		name, _, _ := strings.Cut(c, "\t")
		return slices.Contains(args, name)
	})
}

// completeClaims offers the claims of the namespace as the beginning of CLAIM:/path.
func (a *app) completeClaims(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	var claims corev1.PersistentVolumeClaimList
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil || cluster.List(ctx, &claims, client.InNamespace(cluster.Namespace)) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var all []cobra.Completion
	for _, c := range claims.Items {
		all = append(all, c.Name+":/")
	}
	return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeFilesOnly where files are meant: a shell offers them wherever a command says nothing
// else. Flags say by the name of their value what they take.
func completeFilesOnly(cmd *cobra.Command) {
	for _, below := range cmd.Commands() {
		completeFilesOnly(below)
	}
	if cmd.DisableFlagParsing { // another program completes it
		return
	}
	if cmd.ValidArgsFunction == nil && cmd.ValidArgs == nil {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if _, completes := cmd.GetFlagCompletionFunc(flag.Name); completes {
			return
		}
		switch takes, _ := pflag.UnquoteUsage(flag); takes {
		case "file":
		case "directory":
			_ = cmd.MarkFlagDirname(flag.Name)
		default:
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, cobra.NoFileCompletions)
		}
	})
}

func namesIn(list client.ObjectList) []cobra.Completion {
	var names []cobra.Completion
	_ = meta.EachListItem(list, func(item runtime.Object) error {
		names = append(names, item.(client.Object).GetName())
		return nil
	})
	return names
}
