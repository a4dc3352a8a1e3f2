package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-jsonrpc/auth"
)

// serve answers at address, prints where, and ends with its standard input.
func serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	options := append(serverOptions(), jsonrpc.WithReverseClient[reverse]("Cli"), jsonrpc.WithMaxRequestSize(4<<20))
	rpc := jsonrpc.NewServer(options...)
	rpc.Register("T", &service{notes: newCounter(), givenUp: newCounter()})
	rpc.AliasMethod("short", "T.Add")
	mux := http.NewServeMux()
	mux.Handle("/rpc/v0", &auth.Handler{Verify: verify, Next: rpc.ServeHTTP})
	var connections atomic.Int64
	server := http.Server{
		Handler: mux,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, connections.Add(1))
		},
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(listener.Addr())
	return server.Serve(listener)
}

func verify(_ context.Context, token string) ([]auth.Permission, error) {
	switch token {
	case "admin":
		return []auth.Permission{"read", "write", "sign", "admin"}, nil
	case "reader":
		return []auth.Permission{"read"}, nil
	default:
		return nil, errors.New("unknown token")
	}
}
