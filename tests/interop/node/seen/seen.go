// Package seen has what the programs share that look at a node as those of Filecoin do, with their own clients and
// types: `venus` says what sophon-messager and sophon-miner say, `lotus` what the lotus command line and lotus-miner
// say.
//
// A description of the node comes on standard input, as JSON. The last line of the output is the number of checks.
package seen

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// World is what a program is told of the node.
type World struct {
	// URL begins with ws: or http:; WS always with ws:, for subscriptions.
	URL, WS string
	// Token may do everything, ReadToken may read.
	Token, ReadToken string
	// Network is the name of the network.
	Network string
	// Secp and Bls have FIL, and the node has their keys. Stranger is nobody.
	Secp, Bls, Stranger string
	// Miner is an ID address; the node has the key of its worker.
	Miner string
}

// Patience is the longest that anything may take on a busy machine.
const Patience = 90 * time.Second

var checks atomic.Int64

// Run is main.
func Run(look func(context.Context, World)) {
	var world World
	Nil(json.NewDecoder(os.Stdin).Decode(&world))
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	look(ctx, world)
	fmt.Printf("%d checks\n", checks.Load())
}

// Check ends the program unless what was seen is what was expected.
func Check(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Sprintf("after %d checks: ", checks.Load()) + fmt.Sprintf(format, args...))
	}
	checks.Add(1)
}

// Must ends the program if a call failed that should not.
func Must[T any](value T, err error) T {
	Nil(err)
	return value
}

// Nil ends the program if there is an error.
func Nil(err error) {
	Check(err == nil, "%v", err)
}

// Refused ends the program unless there is an error that says why.
func Refused(err error, says string) {
	Check(err != nil && contains(err.Error(), says), "expected an error that says %q, but: %v", says, err)
}

func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
