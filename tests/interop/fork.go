//go:build fork

package main

import "github.com/filecoin-project/go-jsonrpc"

const library = "fork"

// The fork has no typed errors.
type codedError struct{ Message string }

func (e *codedError) Error() string { return e.Message }

type dataError struct{ Detail float64 }

func (e *dataError) Error() string { return "with data" }

func serverOptions() []jsonrpc.ServerOption { return nil }

func clientOptions() []jsonrpc.Option { return nil }

// cancelled is what a cancelled call over WebSocket ends with: the fork does not wait for an answer.
const cancelled = "(error code -32605) context by cancel"

func isTyped(_, _ error) bool { return false }
