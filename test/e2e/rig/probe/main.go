// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

// Command probe is the only program in the image that pods of the end-to-end
// tests run. It is static, and does one thing for each of its verbs:
//
//	serve ADDRESS    answer HTTP with the host's name and who asks
//	get URL          print what a URL answers, asked once
//	lookup NAME      print the addresses of a name
//	write FILE TEXT  write a file, durably
//	read FILE        print a file
//	spin             use the processor until the end
//	wait             do nothing until the end
//	endure           do nothing, and do not end when asked to
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// patience is how long a request or a lookup may take.
const patience = 3 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, append(os.Args[1:], "", "", "")[:3])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch args[0] {
	case "serve":
		return serve(ctx, args[1])
	case "get":
		return get(ctx, args[1])
	case "lookup":
		return lookup(ctx, args[1])
	case "write":
		return write(args[1], args[2])
	case "read":
		content, err := os.ReadFile(args[1])
		fmt.Print(string(content))
		return err
	case "spin":
		for ctx.Err() == nil {
		}
		return nil
	case "wait":
		<-ctx.Done()
		return nil
	case "pass":
		return pass(ctx, args[1])
	case "endure":
		select {}
	}
	return fmt.Errorf("there is no verb %q", args[0])
}

func serve(ctx context.Context, address string) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	server := &http.Server{Addr: address, ReadHeaderTimeout: patience, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s heard %s\n", name, r.RemoteAddr) })}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	return nil
}

func get(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

func lookup(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	fmt.Println(strings.Join(addresses, " "))
	return err
}

func write(path, text string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Sync()
}

// pass ends well after a while.
func pass(ctx context.Context, while string) error {
	d, err := time.ParseDuration(while)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
	return nil
}
