package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"
)

// calls is what both transports can do.
func (e *examination) calls() {
	e.values()
	e.errors()
	e.refusals()
	e.notes()
	e.cancelled()
	e.manyAtOnce()
	if !e.overWebSocket() {
		_, err := e.Count(e.ctx, 1, 1)
		text := "method 'T.Count' not supported in this mode (no out channel support)"
		e.fails("Count", err, e.protocol(-32601, text))
		_, err = e.Reverse(e.ctx, "hi")
		e.fails("Reverse", err, "no reverse client")
	}
}

func (e *examination) values() {
	e.is("Void", nil, e.Void(e.ctx), nil)
	e.VoidNoErr(e.ctx)
	e.is("ValNoErr", e.ValNoErr(e.ctx), nil, false)
	sum, err := e.Add(e.ctx, 2, -5)
	e.is("Add", sum, err, -3)
	sum, err = e.Short(e.ctx, 1<<53, 1)
	e.is("the alias of Add", sum, err, 1<<53+1)
	ptr, err := e.NilPtr(e.ctx)
	e.is("NilPtr", ptr, err, (*Pt)(nil))
	slice, err := e.NilSlice(e.ctx)
	e.is("NilSlice", slice, err, []int(nil))
	five := 5
	for _, pt := range []Pt{{}, {A: -7, B: []byte{0, 1, 0xfe, 0xff}}, {B: []byte{}, C: &five}} {
		back, err := e.Bytes(e.ctx, pt)
		e.is("Bytes", back, err, pt)
	}
	big := Pt{B: bytes.Repeat([]byte("<big>"), 200_000)}
	back, err := e.Bytes(e.ctx, big)
	e.is("big Bytes", back, err, big)
}

func (e *examination) errors() {
	e.fails("Fail", e.Fail(e.ctx), "boom \"quoted\" <&> \u2028 é")
	value, err := e.FailVal(e.ctx)
	e.fails("FailVal", err, "boom")
	e.is("value of FailVal", value, nil, 0)
	coded, withData := e.Coded(e.ctx), e.WithData(e.ctx)
	e.fails("Coded", coded, "coded")
	e.fails("WithData", withData, "with data")
	bothUpstream := library == "upstream" && e.dialect == "upstream"
	e.is("errors are typed", isTyped(coded, withData), nil, bothUpstream)
	panicked := "fatal error calling 'T.Panic': panic in rpc method 'T.Panic': oh no"
	if e.dialect == "fork" {
		panicked = "(error code 0) " + panicked + ": error code 0"
	}
	e.fails("Panic", e.Panic(e.ctx), panicked)
}

func (e *examination) refusals() {
	e.fails("Nope", e.Nope(e.ctx), e.protocol(-32601, "method 'T.Nope' not found"))
	_, err := e.TooFew(e.ctx, 1)
	e.fails("TooFew", err, e.protocol(-32602, "wrong param count (method 'T.Add'): 1 != 2"))
	_, err = e.TooMany(e.ctx, 1, 2, 3)
	e.fails("TooMany", err, e.protocol(-32602, "wrong param count (method 'T.Add'): 3 != 2"))
	_, err = e.WrongType(e.ctx, "x", 2)
	e.fails("WrongType", err, e.undecodable("unmarshaling params for 'T.Add' (param: *int): json: cannot unmarshal string into Go value of type int"))
	_, err = e.NoArray(e.ctx, []byte(`{"a":1}`))
	e.fails("NoArray", err, e.undecodable("unmarshaling param array: json: cannot unmarshal object into Go value of type []jsonrpc.param"))
}

// undecodable is the text of a parse error, whose code the fork says three times.
func (e *examination) undecodable(text string) string {
	if e.dialect == "fork" {
		text += ": error code -32700"
	}
	return e.protocol(-32700, text)
}

func (e *examination) notes() {
	before, err := e.Notes(e.ctx, 0)
	e.is("Notes", err, nil, nil)
	for range 3 {
		e.is("Note", nil, e.Note(e.ctx, "x"), nil)
	}
	ctx, cancel := e.within(10 * time.Second)
	defer cancel()
	after, err := e.Notes(ctx, before+3)
	e.is("Notes", after, err, before+3)
}

// cancelled gives a call up and looks whether the server stopped working on it.
func (e *examination) cancelled() {
	before, err := e.GivenUp(e.ctx, 0)
	e.is("GivenUp", err, nil, nil)
	ctx, cancel := e.within(50 * time.Millisecond)
	defer cancel()
	_, err = e.Sleep(ctx, 50_000)
	e.failsWith("Sleep past its deadline", err, "")
	again, stop := context.WithCancel(e.ctx)
	time.AfterFunc(50*time.Millisecond, stop)
	_, err = e.Sleep(again, 50_000)
	if e.overWebSocket() {
		e.fails("cancelled Sleep", err, cancelled)
	} else {
		e.failsWith("cancelled Sleep", err, "context canceled")
	}
	soon, release := e.within(10 * time.Second)
	defer release()
	after, err := e.GivenUp(soon, before+2)
	e.is("GivenUp", after, err, before+2)
}

func (e *examination) manyAtOnce() {
	const many = 64
	var wait sync.WaitGroup
	faults := make(chan string, 2*many)
	for i := range many {
		wait.Go(func() {
			if text, err := e.Sleep(e.ctx, 100-i); err != nil || text != "slept" {
				faults <- fmt.Sprintf("Sleep %d: %q, %v", i, text, err)
			}
			if sum, err := e.Add(e.ctx, i, 1000); err != nil || sum != 1000+i {
				faults <- fmt.Sprintf("Add %d: %d, %v", i, sum, err)
			}
		})
	}
	wait.Wait()
	close(faults)
	e.checks += 2 * many
	for fault := range faults {
		e.fault("%s", fault)
	}
}
