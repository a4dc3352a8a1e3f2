package main

import (
	"bytes"
	"context"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"

	. "venus.test/interop/node/seen"
)

// mine makes the next block as lotus-miner does: the node signs.
func (t *tools) mine(ctx context.Context) *types.BlockMsg {
	base := Must(t.ChainHead(ctx))
	for epoch := base.Height() + 1; ; epoch++ {
		if template := t.elected(ctx, base, epoch); template != nil {
			block := Must(t.MinerCreateBlock(ctx, template))
			Check(block.Header.BlockSig != nil, "Lotus signs")
			Nil(t.SyncSubmitBlock(ctx, block))
			// Lotus answers when the block is in.
			Check(Must(t.ChainHead(ctx)).Contains(block.Cid()), "the block at %d is not in the head", epoch)
			return block
		}
	}
}

func (t *tools) elected(ctx context.Context, base *types.TipSet, epoch abi.ChainEpoch) *api.BlockTemplate {
	info := Must(t.MinerGetBaseInfo(ctx, t.miner, epoch, base.Key()))
	Check(info != nil && info.EligibleForMining && len(info.Sectors) == 1, "base info %+v", info)
	random := info.PrevBeaconEntry
	if n := len(info.BeaconEntries); n > 0 {
		random = info.BeaconEntries[n-1]
	}
	won := &types.ElectionProof{VRFProof: t.vrf(ctx, info, random, epoch, crypto.DomainSeparationTag_ElectionProofProduction, nil)}
	won.WinCount = won.ComputeWinCount(info.MinerPower, info.NetworkPower)
	if won.WinCount < 1 {
		return nil
	}
	past := base.MinTicket().VRFProof
	ticket := &types.Ticket{VRFProof: t.vrf(ctx, info, random, epoch-1, crypto.DomainSeparationTag_TicketProduction, past)}
	messages := Must(t.MpoolSelect(ctx, base.Key(), ticket.Quality()))
	return &api.BlockTemplate{
		Miner: t.miner, Parents: base.Key(), Ticket: ticket, Eproof: won, BeaconValues: info.BeaconEntries,
		Messages: messages, Epoch: epoch,
		Timestamp:        base.MinTimestamp() + t.params.BlockDelaySecs*uint64(epoch-base.Height()),
		WinningPoStProof: []proof.PoStProof{{ProofBytes: []byte("valid proof")}},
	}
}

// vrf lets the node sign a draw. A Lotus wallet would sign the digest of it without knowing what it is; the keys of
// these nodes sign nothing that they do not understand, so they are told how it was drawn.
func (t *tools) vrf(
	ctx context.Context, info *api.MiningBaseInfo, random types.BeaconEntry, epoch abi.ChainEpoch,
	tag crypto.DomainSeparationTag, past []byte,
) []byte {
	entropy, input := new(bytes.Buffer), new(bytes.Buffer)
	Nil(t.miner.MarshalCBOR(entropy))
	entropy.Write(past)
	draw := cbg.NewCborWriter(input)
	Nil(draw.WriteMajorTypeHeader(cbg.MajMap, 4))
	name := func(text string) {
		Nil(draw.WriteMajorTypeHeader(cbg.MajTextString, uint64(len(text))))
		Must(draw.WriteString(text))
	}
	name("Rbase")
	Nil(cbg.WriteByteArray(draw, random.Data))
	name("Pers")
	Nil(draw.WriteMajorTypeHeader(cbg.MajUnsignedInt, uint64(tag)))
	name("Round")
	Nil(cbg.CborInt(epoch).MarshalCBOR(draw))
	name("Entropy")
	Nil(cbg.WriteByteArray(draw, entropy.Bytes()))
	signature := Must(t.WalletSign(ctx, info.WorkerKey, input.Bytes()))
	Check(signature.Type == crypto.SigTypeBLS, "a VRF proof of type %d", signature.Type)
	return signature.Data
}

// badBlocks are refused in Lotus's words, and the chain goes on.
func (t *tools) badBlocks(ctx context.Context) {
	head := Must(t.ChainHead(ctx))
	epoch := head.Height() + 1
	template := t.elected(ctx, head, epoch)
	for ; template == nil; template = t.elected(ctx, head, epoch) {
		epoch++
	}
	forged := Must(t.MinerCreateBlock(ctx, template))
	forged.Header.ParentBaseFee = types.NewInt(1)
	Refused(t.SyncSubmitBlock(ctx, forged), "sync to submitted block failed")
	other := Must(t.MinerCreateBlock(ctx, template))
	other.BlsMessages = append(other.BlsMessages, head.Cids()[0])
	Refused(t.SyncSubmitBlock(ctx, other), "failed to load bls messages")
	Check(Must(t.ChainHead(ctx)).Equals(head), "the head moved")

	twice := Must(t.MinerCreateBlock(ctx, template))
	Check(t.SyncSubmitBlock(ctx, twice) == nil, "the block itself is fine")
	Check(t.SyncSubmitBlock(ctx, twice) == nil, "the same block again is success")
	template.Ticket = &types.Ticket{VRFProof: append([]byte{}, head.MinTicket().VRFProof...)}
	fault := Must(t.MinerCreateBlock(ctx, template))
	Refused(t.SyncSubmitBlock(ctx, fault), "SLASH FILTER DETECTED FAULT")
}
