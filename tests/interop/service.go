package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-jsonrpc/auth"
)

// Pt is what travels as parameter and result.
type Pt struct {
	A int
	B []byte
	C *int
}

// counter lets callers wait for events instead of asking again and again.
type counter struct {
	lock    sync.Mutex
	count   int
	changed chan struct{}
}

func newCounter() *counter {
	return &counter{changed: make(chan struct{})}
}

func (c *counter) add() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.count++
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *counter) atLeast(ctx context.Context, n int) (int, error) {
	for {
		c.lock.Lock()
		count, changed := c.count, c.changed
		c.lock.Unlock()
		if count >= n {
			return count, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return count, ctx.Err()
		}
	}
}

// service is the namespace T.
type service struct {
	notes   *counter
	givenUp *counter
}

// reverse is what servers of T call on their client, as namespace Cli.
type reverse struct {
	Echo func(ctx context.Context, text string) (string, error)
}

type connectionKey struct{}

func (*service) Void(context.Context) error              { return nil }
func (*service) VoidNoErr(context.Context)               {}
func (*service) ValNoErr(context.Context) bool           { return false }
func (*service) NilPtr(context.Context) (*Pt, error)     { return nil, nil }
func (*service) NilSlice(context.Context) ([]int, error) { return nil, nil }

func (*service) Add(_ context.Context, a, b int) (int, error) { return a + b, nil }

func (*service) Bytes(ctx context.Context, pt Pt) (Pt, error) {
	if !auth.HasPerm(ctx, []auth.Permission{"read"}, "write") {
		return Pt{}, fmt.Errorf("missing permission to invoke 'Bytes'%s(need 'write')", permissionGap(library))
	}
	return pt, nil
}

// Repeat answers with more than it was asked.
func (*service) Repeat(_ context.Context, text string, n int) (string, error) {
	return strings.Repeat(text, n), nil
}

func (*service) Fail(context.Context) error {
	return errors.New("boom \"quoted\" <&> \u2028 é")
}

func (*service) FailVal(context.Context) (int, error) { return 7, errors.New("boom") }
func (*service) Coded(context.Context) error          { return &codedError{Message: "coded"} }
func (*service) WithData(context.Context) error       { return &dataError{Detail: 42} }
func (*service) Panic(context.Context) error          { panic("oh no") }

func (s *service) Sleep(ctx context.Context, ms int) (string, error) {
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
		return "slept", nil
	case <-ctx.Done():
		s.givenUp.add()
		return "", ctx.Err()
	}
}

func (s *service) Count(ctx context.Context, n, everyMs int) (<-chan int, error) {
	if n < 0 {
		return nil, errors.New("negative")
	}
	values := make(chan int)
	go func() {
		defer close(values)
		for i := range n {
			select {
			case values <- i:
			case <-ctx.Done():
				s.givenUp.add()
				return
			}
			select {
			case <-time.After(time.Duration(everyMs) * time.Millisecond):
			case <-ctx.Done():
				s.givenUp.add()
				return
			}
		}
	}()
	return values, nil
}

func (*service) Reverse(ctx context.Context, text string) (string, error) {
	client, ok := jsonrpc.ExtractReverseClient[reverse](ctx)
	if !ok {
		return "", errors.New("no reverse client")
	}
	return client.Echo(ctx, text)
}

func (s *service) Note(context.Context, string) error { s.notes.add(); return nil }

// Notes waits until at least n notes have come.
func (s *service) Notes(ctx context.Context, n int) (int, error) { return s.notes.atLeast(ctx, n) }

// GivenUp waits until at least n calls and channels were cancelled.
func (s *service) GivenUp(ctx context.Context, n int) (int, error) { return s.givenUp.atLeast(ctx, n) }

// Connection is a number that no other connection has.
func (*service) Connection(ctx context.Context) (int64, error) {
	number, _ := ctx.Value(connectionKey{}).(int64)
	return number, nil
}

// echo is what our client serves as namespace Cli.
type echo struct{}

func (echo) Echo(_ context.Context, text string) (string, error) {
	if text == "fail" {
		return "", errors.New("client says no")
	}
	return "echo:" + text, nil
}

// permissionGap: the fork's users write two spaces where upstream's have one.
func permissionGap(dialect string) string {
	if dialect == "fork" {
		return "  "
	}
	return " "
}
