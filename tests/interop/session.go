package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// session is what needs a WebSocket.
func (e *examination) session() {
	e.channels()
	e.channelsAtOnce()
	e.cancelledChannel()
	e.reverseCalls()
	connection, err := e.Connection(e.ctx)
	e.is("one connection for all", connection > 0, err, true)
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func (e *examination) channels() {
	for _, length := range []int{1, 5, 1000} {
		values, err := e.Count(e.ctx, length, 0)
		e.is("Count", drain(values), err, upTo(length))
	}
	nothing, err := e.Count(e.ctx, 0, 0)
	e.is("empty Count", drain(nothing), err, []int(nil))
	_, err = e.Count(e.ctx, -1, 0)
	e.fails("negative Count", err, "negative")
}

func (e *examination) channelsAtOnce() {
	const many = 16
	var wait sync.WaitGroup
	faults := make(chan string, many)
	for i := range many {
		wait.Go(func() {
			values, err := e.Count(e.ctx, 50+i, 1)
			if err != nil {
				faults <- err.Error()
			} else if got := drain(values); len(got) != 50+i || got[49] != 49 {
				faults <- fmt.Sprintf("channel %d: %v", i, got)
			}
		})
	}
	wait.Wait()
	close(faults)
	e.checks += many
	for fault := range faults {
		e.fault("%s", fault)
	}
}

func (e *examination) cancelledChannel() {
	before, err := e.GivenUp(e.ctx, 0)
	e.is("GivenUp", err, nil, nil)
	ctx, cancel := context.WithCancel(e.ctx)
	values, err := e.Count(ctx, 1_000_000, 1)
	if err != nil {
		e.fault("Count: %v", err)
		cancel()
		return
	}
	for i := range 3 {
		e.is("Count", <-values, nil, i)
	}
	cancel()
	drain(values)
	soon, release := e.within(10 * time.Second)
	defer release()
	after, err := e.GivenUp(soon, before+1)
	e.is("GivenUp", after, err, before+1)
}

func (e *examination) reverseCalls() {
	long := strings.Repeat("é<>", 100_000)
	for _, text := range []string{"hi", "", long} {
		back, err := e.Reverse(e.ctx, text)
		e.is("Reverse", back, err, "echo:"+text)
	}
	_, err := e.Reverse(e.ctx, "fail")
	e.fails("Reverse", err, "client says no")
	var wait sync.WaitGroup
	faults := make(chan string, 32)
	for i := range 32 {
		wait.Go(func() {
			text := fmt.Sprint("call ", i)
			if back, err := e.Reverse(e.ctx, text); err != nil || back != "echo:"+text {
				faults <- fmt.Sprintf("Reverse: %q, %v", back, err)
			}
		})
	}
	wait.Wait()
	close(faults)
	e.checks += 32
	for fault := range faults {
		e.fault("%s", fault)
	}
}
