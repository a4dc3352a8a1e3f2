// Command gateway does at a gateway of ours what Go programs do: it registers as a wallet, a prover and a sealer, and
// calls them, through the clients of venus-shared for both versions of the API, over go-jsonrpc of Venus.
//
// It reads {"URL", "Provider", "Caller"} as JSON: the gateway's ws:// address, a token of account alice, who has the
// miner f01000, and one that may do everything. It prints "<n> checks".
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/filecoin-project/go-address"
	v1 "github.com/filecoin-project/venus/venus-shared/api/gateway/v1"
	v2 "github.com/filecoin-project/venus/venus-shared/api/gateway/v2"
)

// patience is the longest that anything may take.
const patience = time.Minute

type world struct {
	URL, Provider, Caller string
	ctx                   context.Context
}

var checks atomic.Int64

func check(good bool, format string, args ...any) {
	if !good {
		panic(fmt.Sprintf(format, args...))
	}
	checks.Add(1)
}

func must[T any](value T, err error) T {
	check(err == nil, "%v", err)
	return value
}

func fine(err error) { check(err == nil, "%v", err) }

func refused(err error, text string) {
	check(err != nil && strings.Contains(err.Error(), text), "expected %q, got %v", text, err)
}

// until asks again and again until it holds.
func until(what string, holds func() bool) {
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			panic(what + ": not in time")
		}
	}
	checks.Add(1)
}

func (w *world) v1(token string) (v1.IGateway, func()) {
	client, closer, err := v1.DialIGatewayRPC(w.ctx, w.URL, token, nil)
	fine(err)
	return client, closer
}

func (w *world) v2(url, token string) (v2.IGateway, func()) {
	client, closer, err := v2.DialIGatewayRPC(w.ctx, url, token, nil)
	fine(err)
	return client, closer
}

func main() {
	var w world
	if err := json.NewDecoder(os.Stdin).Decode(&w); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	w.ctx = ctx
	address.CurrentNetwork = address.Mainnet
	done := make(chan error, 1)
	go func() { done <- w.run() }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = errors.New("not done in time")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d checks\n", checks.Load())
}

func (w *world) run() (err error) {
	defer func() {
		if failed := recover(); failed != nil {
			err = fmt.Errorf("%v", failed)
		}
	}()
	w.wallets()
	w.miners()
	w.doors()
	return nil
}

// doors are the ways in: who has which rights, and what goes over HTTP.
func (w *world) doors() {
	over := "http" + strings.TrimPrefix(w.URL, "ws")
	caller, closeCaller := w.v2(over, w.Caller)
	defer closeCaller()
	version := must(caller.Version(w.ctx))
	check(strings.HasPrefix(version.Version, "1.18.0"), "version %s", version.Version)
	check(!must(caller.WalletHas(w.ctx, newKey().address, nil)), "nobody has a fresh key")
	_, err := caller.ListenProofEvent(w.ctx, proofPolicy(miner))
	check(err != nil, "channels need a WebSocket")
	provider, closeProvider := w.v2(over, w.Provider)
	defer closeProvider()
	must(provider.Version(w.ctx))
	_, err = provider.WalletHas(w.ctx, newKey().address, nil)
	refused(err, "missing permission to invoke 'WalletHas'  (need 'admin')")
	stranger, closeStranger := w.v2(over, "a.b.c")
	defer closeStranger()
	_, err = stranger.Version(w.ctx)
	refused(err, "401")
}
