package main

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/filecoin-project/go-jsonrpc"
)

// api is the namespace T as clients see it.
type api struct {
	Void       func(ctx context.Context) error
	VoidNoErr  func(ctx context.Context)
	Add        func(ctx context.Context, a, b int) (int, error)
	Short      func(ctx context.Context, a, b int) (int, error) `rpc_method:"short"`
	ValNoErr   func(ctx context.Context) bool
	NilPtr     func(ctx context.Context) (*Pt, error)
	NilSlice   func(ctx context.Context) ([]int, error)
	Bytes      func(ctx context.Context, pt Pt) (Pt, error)
	Repeat     func(ctx context.Context, text string, n int) (string, error)
	Fail       func(ctx context.Context) error
	FailVal    func(ctx context.Context) (int, error)
	Coded      func(ctx context.Context) error
	WithData   func(ctx context.Context) error
	Panic      func(ctx context.Context) error
	Sleep      func(ctx context.Context, ms int) (string, error)
	Count      func(ctx context.Context, n, everyMs int) (<-chan int, error)
	Reverse    func(ctx context.Context, text string) (string, error)
	Note       func(ctx context.Context, text string) error `notify:"true"`
	Notes      func(ctx context.Context, n int) (int, error)
	GivenUp    func(ctx context.Context, n int) (int, error)
	Connection func(ctx context.Context) (int64, error)
	Nope       func(ctx context.Context) error
	TooFew     func(ctx context.Context, a int) (int, error)                 `rpc_method:"T.Add"`
	TooMany    func(ctx context.Context, a, b, c int) (int, error)           `rpc_method:"T.Add"`
	WrongType  func(ctx context.Context, a string, b int) (int, error)       `rpc_method:"T.Add"`
	NoArray    func(ctx context.Context, raw jsonrpc.RawParams) (int, error) `rpc_method:"T.Add"`
}

// examination is one client and what it found.
type examination struct {
	api
	ctx     context.Context
	url     string
	dialect string
	checks  int
	faults  []string
}

var examinations = map[string]func(*examination){
	"calls":   (*examination).calls,
	"session": (*examination).session,
	"idle":    (*examination).idle,
	"limits":  (*examination).limits,
	"restart": (*examination).restart,
	"tokens":  (*examination).tokens,
}

// examine dials url, whose server speaks dialect, and runs the named examination.
func examine(name, url, dialect string) error {
	run, ok := examinations[name]
	if !ok {
		return fmt.Errorf("no examination %q", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e := &examination{ctx: ctx, url: url, dialect: dialect}
	var options []jsonrpc.Option
	if name == "idle" {
		// Quick enough to see within a test whether the server keeps the session alive.
		options = append(options, jsonrpc.WithPingInterval(200*time.Millisecond), jsonrpc.WithTimeout(time.Second))
	}
	closer, err := dial(ctx, url, "admin", &e.api, options...)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	run(e)
	closer()
	if len(e.faults) > 0 {
		return fmt.Errorf("%s of %s by %s, %d differences:\n%s", name, url, library, len(e.faults),
			strings.Join(e.faults, "\n"))
	}
	fmt.Println(e.checks, "checks")
	return nil
}

func dial(ctx context.Context, url, token string, out *api, more ...jsonrpc.Option) (jsonrpc.ClientCloser, error) {
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	options := append(clientOptions(), jsonrpc.WithClientHandler("Cli", echo{}))
	return jsonrpc.NewMergeClient(ctx, url, "T", []any{out}, header, append(options, more...)...)
}

func (e *examination) overWebSocket() bool { return strings.HasPrefix(e.url, "ws") }

func (e *examination) fault(format string, args ...any) {
	e.faults = append(e.faults, fmt.Sprintf(format, args...))
}

// is checks a value.
func (e *examination) is(what string, got any, err error, want any) {
	e.checks++
	if err != nil {
		e.fault("%s: error %q", what, err)
	} else if !reflect.DeepEqual(got, want) {
		e.fault("%s: %.200v instead of %.200v", what, got, want)
	}
}

// fails checks an error by its whole text.
func (e *examination) fails(what string, err error, want string) {
	e.checks++
	if err == nil {
		e.fault("%s: no error instead of %q", what, want)
	} else if err.Error() != want {
		e.fault("%s: error %q instead of %q", what, err, want)
	}
}

// failsWith checks an error by a part of its text.
func (e *examination) failsWith(what string, err error, part string) {
	e.checks++
	if err == nil || !strings.Contains(err.Error(), part) {
		e.fault("%s: error %v instead of one with %q", what, err, part)
	}
}

// protocol is the text of an error of the protocol itself: the fork's servers repeat the code.
func (e *examination) protocol(code int, text string) string {
	if e.dialect == "fork" {
		return fmt.Sprintf("RPC error (%d): (error code %d) %s", code, code, text)
	}
	return fmt.Sprintf("RPC error (%d): %s", code, text)
}

// within is for calls that should not take a minute.
func (e *examination) within(limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(e.ctx, limit)
}

// restart loses its server, is told when there is another, and goes on.
func (e *examination) restart() {
	slept := make(chan error, 1)
	go func() {
		_, err := e.Sleep(e.ctx, 50_000)
		slept <- err
	}()
	values, err := e.Count(e.ctx, 1_000_000, 5)
	if err != nil {
		e.fault("Count: %v", err)
		return
	}
	e.is("first value", <-values, nil, 0)
	fmt.Println("ready")
	for range values {
	}
	e.failsWith("call under way", <-slept, "")
	if _, err := fmt.Scanln(new(string)); err != nil {
		e.fault("no word of the restart: %v", err)
		return
	}
	sum, err := e.untilReconnected()
	e.is("Add after the restart", sum, err, 5)
	again, err := e.Count(e.ctx, 3, 0)
	e.is("Count after the restart", drain(again), err, []int{0, 1, 2})
	text, err := e.Reverse(e.ctx, "back")
	e.is("Reverse after the restart", text, err, "echo:back")
}

func (e *examination) untilReconnected() (int, error) {
	for {
		ctx, cancel := e.within(time.Second)
		sum, err := e.Add(ctx, 2, 3)
		cancel()
		if err == nil || e.ctx.Err() != nil {
			return sum, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func drain(values <-chan int) []int {
	var all []int
	for value := range values {
		all = append(all, value)
	}
	return all
}

// tokens asks with other tokens than the administrator's.
func (e *examination) tokens() {
	plain := e.url
	denied := fmt.Sprintf("missing permission to invoke 'Bytes'%s(need 'write')", permissionGap(e.dialect))
	for _, token := range []string{"reader", ""} {
		var reader api
		closer, err := dial(e.ctx, plain, token, &reader)
		if err != nil {
			e.fault("dial as %q: %v", token, err)
			continue
		}
		sum, err := reader.Add(e.ctx, 2, 3)
		e.is("Add as reader", sum, err, 5)
		_, err = reader.Bytes(e.ctx, Pt{})
		e.fails("Bytes as reader", err, denied)
		closer()
	}
	var byQuery api
	closer, err := dial(e.ctx, plain+"?token=admin", "", &byQuery)
	if err != nil {
		e.fault("dial with the token in the query: %v", err)
		return
	}
	pt, err := byQuery.Bytes(e.ctx, Pt{A: 1})
	e.is("Bytes with the token in the query", pt, err, Pt{A: 1})
	closer()
	var stranger api
	closer, err = dial(e.ctx, plain, "forged", &stranger)
	if e.overWebSocket() {
		e.failsWith("dial with a forged token", err, "bad handshake")
		return
	}
	err = stranger.Void(e.ctx)
	e.failsWith("Void with a forged token", err, "http status 401 Unauthorized")
	closer()
}

// limits goes beyond what the server takes, which has 4 MiB.
func (e *examination) limits() {
	before := Pt{B: make([]byte, 2<<20)}
	pt, err := e.Bytes(e.ctx, before)
	e.is("2 MiB", pt, err, before)
	_, err = e.Bytes(e.ctx, Pt{B: make([]byte, 5<<20)})
	switch {
	case err == nil:
		e.fault("7 MiB of text were taken")
	case !e.overWebSocket() && e.dialect == "upstream":
		// The server says why, but cannot know the id, and clients look at that first.
		e.failsWith("7 MiB", err, "request and response id didn't match")
	case !e.overWebSocket():
		e.failsWith("7 MiB", err, "http status 500")
	}
	e.checks++
	sum, err := e.untilReconnected()
	e.is("Add after that", sum, err, 5)
}

// idle says nothing for longer than the time after which it takes the server for dead.
func (e *examination) idle() {
	before, err := e.Connection(e.ctx)
	e.is("connected", before > 0, err, true)
	text, err := e.Sleep(e.ctx, 2500)
	e.is("Sleep", text, err, "slept")
	after, err := e.Connection(e.ctx)
	e.is("connection", after, err, before)
}
