// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/containerd/log"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"slipway.dev/slipway/internal/embedded/cluster"
	"slipway.dev/slipway/internal/embedded/images"
)

func imageCommand(dataDir *string) *cobra.Command {
	remove := imageRemove(dataDir)
	remove.SuggestFor = []string{"remove", "delete"}
	return group("image", "Import, list and remove the container images of the cluster", imageImport(dataDir), imageList(dataDir), remove)
}

// onEachNode opens the image store of every node that runs, one after the other.
func onEachNode(ctx context.Context, dataDir string, do func(cluster.Node, *images.Store) error) error {
	// containerd's client logs what it returns as errors, too.
	if err := log.SetLevel(log.FatalLevel); err != nil {
		return err
	}
	client, c, err := running(dataDir)
	if err != nil {
		return err
	}
	nodes, err := client.Nodes(ctx)
	if err != nil {
		return explain(err, dataDir)
	}
	for _, node := range nodes {
		n, found := c.NodeNamed(node.Name)
		if !found || node.State != "running" {
			fmt.Fprintf(os.Stderr, "note: %s is %s and is passed over\n", node.Name, node.State)
			continue
		}
		store, err := images.Open(c.ContainerdSocket(n))
		if err != nil {
			return err
		}
		err = do(n, store)
		_ = store.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
	}
	return nil
}

func imageImport(dataDir *string) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:     "import ARCHIVE...",
		Short:   "Import OCI or docker archives, compressed or not, on every node",
		Example: "  slipway image import image.tar.zst\n  docker save my/image:1 -o image.tar && slipway image import image.tar",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, archives []string) error {
			return onEachNode(cmd.Context(), *dataDir, func(n cluster.Node, store *images.Store) error {
				for _, archive := range archives {
					names, err := store.ImportFile(cmd.Context(), archive, name, progress(cmd.ErrOrStderr(), archive, n.Name))
					if err != nil {
						return err
					}
					for _, name := range names {
						fmt.Fprintf(cmd.OutOrStdout(), "imported %s on %s\n", name, n.Name)
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the image, for an archive that holds one image and does not name it")
	return cmd
}

// progress rewrites one line of a terminal, each time another hundredth is read.
func progress(out io.Writer, archive, node string) func(read, total int64) {
	if f, ok := out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	last := int64(-1)
	return func(read, total int64) {
		if total == 0 || read*100/total == last {
			return
		}
		last = read * 100 / total
		fmt.Fprintf(out, "\rimporting %s on %s %3d %%", archive, node, last)
		if read == total {
			fmt.Fprint(out, "\r\x1b[K")
		}
	}
}

func imageList(dataDir *string) *cobra.Command {
	return &cobra.Command{Use: "ls", Aliases: []string{"list"}, Short: "List images", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "NODE\tIMAGE\tSIZE\tDIGEST")
			err := onEachNode(cmd.Context(), *dataDir, func(n cluster.Node, store *images.Store) error {
				list, err := store.List(cmd.Context())
				for _, i := range list {
					fmt.Fprintf(w, "%s\t%s\t%.1f MB\t%.19s\n", n.Name, i.Name, float64(i.Size)/1e6, i.Digest)
				}
				return err
			})
			if err != nil {
				return err
			}
			return w.Flush()
		}}
}

func imageRemove(dataDir *string) *cobra.Command {
	return &cobra.Command{Use: "rm IMAGE...", Aliases: []string{"remove"}, Short: "Remove images from every node", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			return onEachNode(cmd.Context(), *dataDir, func(n cluster.Node, store *images.Store) error {
				for _, name := range names {
					if err := store.Remove(cmd.Context(), name); err != nil {
						return err
					}
					fmt.Fprintf(cmd.OutOrStdout(), "removed %s from %s\n", name, n.Name)
				}
				return nil
			})
		}}
}
