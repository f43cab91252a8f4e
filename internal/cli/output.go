// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// making are the flags of verbs that make objects.
type making struct {
	dryRun string // none, client or server
	format string // empty, yaml or json
}

func (m *making) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&m.dryRun, "dry-run", "none", "make nothing: `client` asks no cluster, server lets the cluster check")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = "client"
	cmd.Flags().StringVarP(&m.format, "output", "o", "", "print the objects as `yaml` or json")
	offer(cmd, "dry-run", "none", "client", "server")
	offer(cmd, "output", "yaml", "json")
}

// offer completes a flag with fixed values.
func offer(cmd *cobra.Command, flag string, values ...cobra.Completion) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func (m making) check() error {
	if !slices.Contains([]string{"none", "client", "server"}, m.dryRun) {
		return wrongUsage("--dry-run is %q; use client, server or none", m.dryRun)
	}
	if !slices.Contains([]string{"", "yaml", "json"}, m.format) {
		return wrongUsage("--output is %q; use yaml or json", m.format)
	}
	return nil
}

// clientOnly says that no cluster is asked at all.
func (m making) clientOnly() bool { return m.dryRun == "client" }

// verb is a participle with what a dry run puts before it.
func (m making) verb(participle string) string {
	switch m.dryRun {
	case "client":
		return "would be " + participle + " (dry run)"
	case "server":
		return "would be " + participle + " (dry run by the cluster)"
	}
	return participle
}

// outcome is what became of an object: created, configured, unchanged.
type outcome struct {
	object client.Object
	verb   string
}

func outcomes(verb string, objects []client.Object) []outcome {
	var all []outcome
	for _, object := range objects {
		all = append(all, outcome{object, verb})
	}
	return all
}

// report says what was done, or prints the objects where that was asked for.
func (a *app) report(m making, done ...outcome) error {
	if m.format == "" {
		for _, d := range done {
			fmt.Fprintf(a.Stdout, "%s %s\n", reference(d.object), m.verb(d.verb))
		}
		return nil
	}
	var objects []client.Object
	for _, d := range done {
		objects = append(objects, d.object)
	}
	return printObjects(a.Stdout, m.format, objects...)
}

// reference is kind/name as people write it.
func reference(object client.Object) string {
	return strings.ToLower(object.GetObjectKind().GroupVersionKind().Kind) + "/" + object.GetName()
}

// printObjects writes objects as a person would: without status, and without
// what the API server keeps for itself.
func printObjects(w io.Writer, format string, objects ...client.Object) error {
	var plain []any
	for _, object := range objects {
		fields, err := plainFields(object)
		if err != nil {
			return err
		}
		plain = append(plain, fields)
	}
	return printPlain(w, format, plain)
}

// printValue writes an answer as JSON or YAML, for other programs.
func printValue(w io.Writer, format string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if format == "yaml" {
		if text, err = yaml.JSONToYAML(text); err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	}
	_, err = fmt.Fprintln(w, string(text))
	return err
}

func printPlain(w io.Writer, format string, plain []any) error {
	if format == "json" {
		var one any = map[string]any{"apiVersion": "v1", "kind": "List", "items": plain}
		if len(plain) == 1 {
			one = plain[0]
		}
		return printValue(w, format, one)
	}
	var documents []string
	for _, fields := range plain {
		text, err := yaml.Marshal(fields)
		if err != nil {
			return err
		}
		documents = append(documents, string(text))
	}
	_, err := io.WriteString(w, strings.Join(documents, "---\n"))
	return err
}

func toFields(object client.Object) (map[string]any, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("printing %s: %w", object.GetName(), err)
	}
	return fields, nil
}

func plainFields(object client.Object) (map[string]any, error) {
	fields, err := toFields(object)
	if err != nil {
		return nil, err
	}
	delete(fields, "status")
	unstructured.RemoveNestedField(fields, "metadata", "managedFields")
	prune(fields)
	return fields, nil
}

// prune takes out what is empty because its Go type cannot be left out.
func prune(fields map[string]any) {
	for key, value := range fields {
		switch v := value.(type) {
		case nil:
			delete(fields, key)
		case map[string]any:
			prune(v)
			if len(v) == 0 && slices.Contains([]string{"metadata", "resources", "runPolicy"}, key) {
				delete(fields, key)
			}
		case []any:
			for _, item := range v {
				if below, is := item.(map[string]any); is {
					prune(below)
				}
			}
		}
	}
}
