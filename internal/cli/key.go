// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"slipway.dev/slipway/internal/cli/keys"
)

func (a *app) key() *cobra.Command {
	var m making
	life := lifetime(30 * 24 * time.Hour)
	cmd := &cobra.Command{
		Use:   "key [NAME]",
		Short: "Print a key with which clients call models",
		Long: `Print a key with which clients call the models of a namespace: a token of a
ServiceAccount that is good for Slipway's front door and nothing else. The account
NAME, and its right to use models, are made where they do not exist.`,
		Example: `  export OPENAI_API_KEY=$(slipway key)
  slipway key ci --duration 7d
  slipway key revoke ci`,
		GroupID:           groupServe,
		ValidArgsFunction: cobra.NoFileCompletions,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return wrongUsage("%s takes one NAME, not %d; usage: %s", cmd.Name(), len(args), cmd.UseLine())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := m.check(); err != nil {
				return err
			}
			name := append(args, keys.DefaultName)[0]
			return a.issueKey(cmd.Context(), name, time.Duration(life), m)
		},
	}
	cmd.Flags().Var(&life, "duration", "how `long` it is good, such as 12h or 7d")
	m.register(cmd)
	cmd.AddCommand(a.revokeKey())
	return cmd
}

func checkAccount(name string) error {
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return wrongUsage("%q cannot be the name of an account; use lower-case letters, digits and '-'", name)
	}
	return nil
}

func (a *app) issueKey(ctx context.Context, name string, life time.Duration, m making) error {
	if err := checkAccount(name); err != nil {
		return err
	}
	if life < keys.Shortest {
		return wrongUsage("--duration is %s; use %s or more", life, keys.Shortest)
	}
	if m.clientOnly() {
		return a.report(m, outcomes("created", keys.Objects(a.cluster.KnownNamespace(), name))...)
	}
	cluster, err := a.cluster.Open(a.Stderr)
	if err != nil {
		return err
	}
	made := keys.Objects(cluster.Namespace, name)
	if err := keys.Ensure(ctx, m.client(cluster), made); err != nil {
		return err
	}
	if m.dryRun == "server" || m.format != "" {
		return a.report(m, outcomes("created", made)...)
	}
	key, end, err := keys.Issue(ctx, cluster, cluster.Namespace, name, life)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.Stdout, key)
	fmt.Fprintf(a.Stderr, "a key for the models of namespace %s, until %s; end it earlier with: slipway key revoke %s%s\n",
		cluster.Namespace, end.Local().Format("2006-01-02 15:04"), name, a.inNamespace())
	return nil
}

func (a *app) revokeKey() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NAME",
		Short: "End all keys of an account, within seconds",
		Args:  oneName("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkAccount(args[0]); err != nil {
				return err
			}
			cluster, err := a.cluster.Open(a.Stderr)
			if err != nil {
				return err
			}
			deleted, err := keys.Revoke(cmd.Context(), cluster, cluster.Namespace, args[0])
			if err != nil {
				return err
			}
			if len(deleted) == 0 {
				return fmt.Errorf("there is no key %q in namespace %s; the default one is %s", args[0], cluster.Namespace, keys.DefaultName)
			}
			for _, each := range deleted {
				fmt.Fprintf(a.Stdout, "%s deleted\n", strings.ToLower(each))
			}
			return nil
		},
	}
}

// lifetime is a duration that people may also write in days.
type lifetime time.Duration

func (l *lifetime) Set(text string) error {
	d, err := parseLifetime(text)
	*l = lifetime(d)
	return err
}

func (l *lifetime) String() string {
	d := time.Duration(*l)
	if days := d / (24 * time.Hour); days > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", days)
	}
	return d.String()
}

func (l *lifetime) Type() string { return "lifetime" }

// longestDays, about a hundred years, keeps sums of times in range.
const longestDays = 36500

func parseLifetime(text string) (time.Duration, error) {
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); n == 1 && err == nil && fmt.Sprintf("%dd", days) == text {
		if days < 0 || days > longestDays {
			return 0, fmt.Errorf("%s is not between 0 and %d days", text, longestDays)
		}
		return time.Duration(days) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no time; write one such as 12h or 7d", text)
	}
	return d, nil
}
