// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	slipwayv1 "slipway.dev/slipway/api/v1alpha1"
	"slipway.dev/slipway/internal/cli/connect"
	"slipway.dev/slipway/internal/cli/keys"
	"slipway.dev/slipway/internal/cli/openai"
	"slipway.dev/slipway/internal/cli/workload"
)

// talk is one "slipway chat".
type talk struct {
	request     openai.Request
	completion  bool
	system      string
	temperature float64

	cluster *connect.Cluster
	url     string
	// said is the chat until now.
	said []openai.Message
}

func (a *app) chat() *cobra.Command {
	var t talk
	cmd := &cobra.Command{
		Use:   "chat MODEL [PROMPT]",
		Short: "Ask a model",
		Long: `Ask a model and print its answer as it comes. Without a prompt, each line that you
type is one; what is piped in is one prompt as a whole.`,
		Example: `  slipway chat tiny "Why is the sky blue?"
  slipway chat tiny
  slipway chat tiny --completion "In the beginning" --max-tokens 50`,
		GroupID: groupServe,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return wrongUsage("%s takes a MODEL and perhaps a PROMPT in quotes, not %d arguments; usage: %s", cmd.Name(), len(args), cmd.UseLine())
			}
			return nil
		},
		ValidArgsFunction: a.completeWorkloads(false, false, workload.Model()),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("temperature") {
				t.request.Temperature = &t.temperature
			}
			if t.completion && t.system != "" {
				return wrongUsage("--system is for chats and --completion for raw text; leave one of them out")
			}
			return a.talk(cmd.Context(), &t, args[0], args[1:])
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&t.completion, "completion", false, "let the model go on from the prompt instead of answering it")
	flags.StringVar(&t.system, "system", "", "`text` that tells the model how to answer")
	flags.Int32Var(&t.request.MaxTokens, "max-tokens", 0, "longest answer, as a `number` of tokens (default: the server's)")
	flags.Float64Var(&t.temperature, "temperature", 0, "how freely it answers, a `number` from 0 (default: the server's)")
	return cmd
}

func (a *app) talk(ctx context.Context, t *talk, name string, prompts []string) error {
	var err error
	if t.cluster, err = a.cluster.Open(a.Stderr); err != nil {
		return err
	}
	if err := t.find(ctx, name); err != nil {
		return err
	}
	if t.system != "" {
		t.said = []openai.Message{{Role: "system", Content: t.system}}
	}
	interactive := false
	if file, is := a.Stdin.(*os.File); is {
		interactive = term.IsTerminal(int(file.Fd()))
	}
	switch {
	case len(prompts) > 0:
		return a.ask(ctx, t, prompts[0])
	case interactive:
		return a.converse(ctx, t)
	}
	piped, err := io.ReadAll(a.Stdin)
	if err != nil {
		return fmt.Errorf("reading the prompt: %w", err)
	}
	if strings.TrimSpace(string(piped)) == "" {
		return wrongUsage("there is no prompt; give one: slipway chat %s \"Hello\"", name)
	}
	return a.ask(ctx, t, string(piped))
}

// find learns the endpoint and makes sure that there is an account for keys.
func (t *talk) find(ctx context.Context, name string) error {
	ref, err := workload.ParseRef("model/" + strings.TrimPrefix(name, "model/"))
	if err != nil {
		return usageError{err}
	}
	_, object, err := ref.Find(ctx, t.cluster, t.cluster.Namespace)
	if err != nil {
		return err
	}
	model := object.(*slipwayv1.Model)
	if t.url = model.Status.URL; t.url == "" {
		w, err := workload.Get(ctx, t.cluster, workload.Model(), model.Namespace, model.Name)
		if err != nil {
			return err
		}
		return fmt.Errorf("model/%s has no endpoint yet, it is %s; wait for it with: slipway ps --watch", model.Name, stateLine(w.State()))
	}
	t.request.Model = model.Name
	return keys.Ensure(ctx, t.cluster, keys.Objects(t.cluster.Namespace, keys.DefaultName))
}

// converse asks line by line until the input ends. A question that fails is
// forgotten, and the conversation goes on.
func (a *app) converse(ctx context.Context, t *talk) error {
	fmt.Fprintf(a.Stderr, "talking to %s; Ctrl-D ends it\n", t.request.Model)
	for typed := lines(ctx, a.Stdin); ; {
		fmt.Fprint(a.Stderr, "> ")
		select {
		case <-ctx.Done():
			fmt.Fprintln(a.Stderr)
			return ctx.Err()
		case text, more := <-typed:
			if !more {
				fmt.Fprintln(a.Stderr)
				return nil
			}
			if strings.TrimSpace(text) == "" {
				continue
			}
			if err := a.ask(ctx, t, text); err != nil && ctx.Err() == nil {
				fmt.Fprintln(a.Stderr, "slipway: "+oneLine(connect.Explain(err).Error()))
			}
		}
	}
}

// lines reads apart from the conversation, because a terminal's read ends by no
// context.
func lines(ctx context.Context, input io.Reader) <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for scanner := bufio.NewScanner(input); scanner.Scan(); {
			select {
			case out <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// ask prints the answer to one prompt. Each has a new key, the shortest there
// is: it needs to be good when the answer begins.
func (a *app) ask(ctx context.Context, t *talk, prompt string) error {
	key, _, err := keys.Issue(ctx, t.cluster, t.cluster.Namespace, keys.DefaultName, keys.Shortest)
	if err != nil {
		return err
	}
	request, chat := t.request, t.said
	if t.completion {
		request.Prompt = prompt
	} else {
		chat = append(chat, openai.Message{Role: "user", Content: prompt})
		request.Messages = chat
	}
	var answer strings.Builder
	endpoint := openai.Endpoint{URL: t.url, Key: key, HTTP: http.DefaultClient}
	err = endpoint.Stream(ctx, request, func(piece string) error {
		answer.WriteString(piece)
		_, err := io.WriteString(a.Stdout, piece)
		return err
	})
	if answer.Len() > 0 && !strings.HasSuffix(answer.String(), "\n") {
		fmt.Fprintln(a.Stdout)
	}
	if err == nil && !t.completion {
		t.said = append(chat, openai.Message{Role: "assistant", Content: answer.String()})
	}
	return err
}
