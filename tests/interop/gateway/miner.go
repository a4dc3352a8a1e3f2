package main

import (
	"bytes"
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/venus/venus-shared/actors/builtin"
	v2 "github.com/filecoin-project/venus/venus-shared/api/gateway/v2"
	"github.com/filecoin-project/venus/venus-shared/types"
	gtypes "github.com/filecoin-project/venus/venus-shared/types/gateway"
	"github.com/ipfs/go-cid"
)

var (
	miner   = must(address.NewIDAddress(1000))
	another = must(address.NewIDAddress(1001))
	sealed  = must(cid.Cast(append([]byte{1, 0x82, 0xe2, 3, 0x81, 0xe8, 2, 32}, bytes.Repeat([]byte{7}, 32)...)))
	piece   = must(cid.Cast(append([]byte{1, 0x81, 0xe2, 3, 0x92, 0x20, 32}, bytes.Repeat([]byte{7}, 32)...)))
	rand    = abi.PoStRandomness(bytes.Repeat([]byte{3}, 32))
)

// leaving is set once the provider says goodbye.
var leaving atomic.Bool

func proofPolicy(of address.Address) *gtypes.ProofRegisterPolicy {
	return &gtypes.ProofRegisterPolicy{MinerAddress: of}
}

// provider answers the events of one channel with what handle says, and with nothing if it says nothing.
type provider struct {
	ready chan struct{}
	ended chan struct{}
}

type answers func(event *gtypes.RequestEvent) (payload any, failure string, silent bool)

func serve(events <-chan *gtypes.RequestEvent, handle answers, respond func(*gtypes.ResponseEvent) error) *provider {
	p := &provider{make(chan struct{}), make(chan struct{})}
	go func() {
		defer close(p.ended)
		for event := range events {
			if event.Method == "InitConnect" {
				close(p.ready)
				continue
			}
			payload, failure, silent := handle(event)
			if silent {
				continue
			}
			response := &gtypes.ResponseEvent{ID: event.ID, Error: failure}
			if failure == "" {
				response.Payload = must(json.Marshal(payload))
			}
			// The caller may have its answer, and be done with us, before the gateway's word on it comes here.
			if err := respond(response); !leaving.Load() {
				fine(err)
			}
		}
	}()
	return p
}

func (w *world) miners() {
	api, closeAPI := w.v2(w.URL, w.Provider)
	caller, closeCaller := w.v2(w.URL, w.Caller)
	defer closeCaller()
	w.proofs(api, caller)
	w.pieces(api, caller)
	leaving.Store(true)
	closeAPI()
	until("gone", func() bool { return len(must(caller.ListConnectedMiners(w.ctx))) == 0 })
	_, err := w.prove(caller, w.ctx, 1)
	refused(err, "no connections for this miner f01000")
}

func (w *world) prove(caller v2.IGateway, ctx context.Context, height abi.ChainEpoch) ([]builtin.PoStProof, error) {
	sectors := []builtin.ExtendedSectorInfo{{SealProof: 5, SectorNumber: 7, SealedCID: sealed}}
	return caller.ComputeProof(ctx, miner, sectors, rand, height, 28)
}

func (w *world) proofs(api, caller v2.IGateway) {
	check(len(must(caller.ListConnectedMiners(w.ctx))) == 0, "nobody yet")
	_, err := w.prove(caller, w.ctx, 1)
	refused(err, "no connections for this miner f01000")
	_, err = caller.ListMinerConnection(w.ctx, miner)
	refused(err, "not exit")
	_, err = api.ListenProofEvent(w.ctx, proofPolicy(another))
	refused(err, "please bind it on 'sophon-auth'")

	handle := func(event *gtypes.RequestEvent) (any, string, bool) {
		var request gtypes.ComputeProofRequest
		fine(json.Unmarshal(event.Payload, &request))
		check(event.Method == "ComputeProof" && bytes.Equal(request.Rand, rand), "request %v", request)
		check(request.SectorInfos[0].SealedCID == sealed && request.NWVersion == 28, "request %v", request)
		switch request.Height {
		case 13:
			return nil, "sector 7: sealed file is gone", false
		case 14:
			return nil, "", true
		}
		return []builtin.PoStProof{{PoStProof: 0, ProofBytes: []byte("valid proof")}}, "", false
	}
	events := must(api.ListenProofEvent(w.ctx, proofPolicy(miner)))
	prover := serve(events, handle, func(r *gtypes.ResponseEvent) error { return api.ResponseProofEvent(w.ctx, r) })
	<-prover.ready
	check(must(caller.ListConnectedMiners(w.ctx))[0] == miner, "the miner is there")
	state := must(caller.ListMinerConnection(w.ctx, miner))
	check(state.ConnectionCount == 1 && state.Connections[0].RequestCount == 0, "state %v", state)
	proofs := must(w.prove(caller, w.ctx, 100))
	check(len(proofs) == 1 && string(proofs[0].ProofBytes) == "valid proof", "proofs %v", proofs)
	_, err = w.prove(caller, w.ctx, 13)
	refused(err, "sector 7: sealed file is gone")

	// Who gives up leaves nothing behind.
	ctx, cancel := context.WithTimeout(w.ctx, 300*time.Millisecond)
	defer cancel()
	_, err = w.prove(caller, ctx, 14)
	check(err != nil, "nobody answers")
	until("nothing waits", func() bool {
		return must(caller.ListMinerConnection(w.ctx, miner)).Connections[0].RequestCount == 0
	})
	must(w.prove(caller, w.ctx, 101))
}

func (w *world) pieces(api, caller v2.IGateway) {
	unseal := func() (gtypes.UnsealState, error) {
		return caller.SectorsUnsealPiece(w.ctx, miner, piece, 3, types.UnpaddedByteIndex(0), 127, "market://store/piece")
	}
	_, err := unseal()
	refused(err, "no connections for this miner f01000")
	states := []gtypes.UnsealState{gtypes.UnsealStateUnsealing, gtypes.UnsealStateUploading, gtypes.UnsealStateFinished}
	asked := 0
	handle := func(event *gtypes.RequestEvent) (any, string, bool) {
		var request gtypes.UnsealRequest
		fine(json.Unmarshal(event.Payload, &request))
		check(event.Method == "SectorsUnsealPiece" && request.PieceCid == piece, "request %v", request)
		check(request.Miner == miner && request.Sid == 3 && request.Size == 127, "request %v", request)
		asked++
		return states[asked-1], "", false
	}
	events := must(api.ListenMarketEvent(w.ctx, &gtypes.MarketRegisterPolicy{Miner: miner}))
	sealer := serve(events, handle, func(r *gtypes.ResponseEvent) error { return api.ResponseMarketEvent(w.ctx, r) })
	<-sealer.ready
	list := must(caller.ListMarketConnectionsState(w.ctx))
	check(len(list) == 1 && list[0].Addr == miner && list[0].Conn.ConnectionCount == 1, "sealers %v", list)
	for _, state := range states {
		check(must(unseal()) == state, "state %s", state)
	}
}
