//go:build !fork

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/filecoin-project/go-jsonrpc"
)

const library = "upstream"

// codedError travels as code 1001 with its fields as meta.
type codedError struct{ Message string }

func (e *codedError) Error() string { return e.Message }

func (e *codedError) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct{ Message string }{e.Message})
}

func (e *codedError) UnmarshalJSON(text []byte) error {
	var fields struct{ Message string }
	err := json.Unmarshal(text, &fields)
	e.Message = fields.Message
	return err
}

// dataError travels as code 1002 with data.
type dataError struct{ Detail float64 }

func (e *dataError) Error() string { return "with data" }

func (e *dataError) ToJSONRPCError() (jsonrpc.JSONRPCError, error) {
	data := map[string]any{"detail": e.Detail}
	return jsonrpc.JSONRPCError{Code: 1002, Message: e.Error(), Data: data}, nil
}

func (e *dataError) FromJSONRPCError(from jsonrpc.JSONRPCError) error {
	data, ok := from.Data.(map[string]any)
	if !ok {
		return fmt.Errorf("data is %T", from.Data)
	}
	e.Detail, _ = data["detail"].(float64)
	return nil
}

func typed() jsonrpc.Errors {
	known := jsonrpc.NewErrors()
	known.Register(1001, new(*codedError))
	known.Register(1002, new(*dataError))
	return known
}

func serverOptions() []jsonrpc.ServerOption {
	// Pings are all that clients hear of an idle v0.10.1, and the tests have no time for one every 5 s.
	return []jsonrpc.ServerOption{
		jsonrpc.WithServerErrors(typed()),
		jsonrpc.WithServerPingInterval(200 * time.Millisecond),
	}
}

func clientOptions() []jsonrpc.Option {
	return []jsonrpc.Option{jsonrpc.WithErrors(typed())}
}

// cancelled is what a cancelled call over WebSocket ends with: we wait for the server's answer.
const cancelled = "context canceled"

// isTyped says whether codes 1001 and 1002 came back as the types they were.
func isTyped(coded, withData error) bool {
	var c *codedError
	var d *dataError
	return errors.As(coded, &c) && c.Message == "coded" && errors.As(withData, &d) && d.Detail == 42
}
