package main

import (
	"bytes"
	"context"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/proof"
	"github.com/filecoin-project/venus/venus-shared/types"
	"github.com/fxamacker/cbor/v2"

	. "venus.test/interop/node/seen"
)

// warmUp is what sophon-miner asks before it begins.
func (p *pool) warmUp(ctx context.Context) {
	info := Must(p.StateMinerInfo(ctx, p.miner, types.EmptyTSK))
	Check(info.SectorSize > 0 && info.Worker.Protocol() == address.ID, "miner info %+v", info)
	worker := Must(p.StateAccountKey(ctx, info.Worker, types.EmptyTSK))
	Check(worker.Protocol() == address.BLS, "worker %s", worker)
	Check(Must(p.WalletHas(ctx, worker)), "the node has the key of %s", worker)
	power := Must(p.StateMinerPower(ctx, p.miner, types.EmptyTSK))
	Check(power.HasMinPower && power.MinerPower.QualityAdjPower.GreaterThan(abi.NewStoragePower(0)), "power")
	Check(len(Must(p.StateListMiners(ctx, types.EmptyTSK))) > 0, "miners")
	p.sectors(ctx)
	deadline := Must(p.StateMinerProvingDeadline(ctx, p.miner, types.EmptyTSK))
	Check(deadline.WPoStPeriodDeadlines == 48 && deadline.WPoStProvingPeriod > 0, "deadline %+v", deadline)
	Must(p.StateMinerAvailableBalance(ctx, p.miner, types.EmptyTSK))
	manifest := Must(p.F3GetManifest(ctx))
	Check(manifest != nil && manifest.NetworkName != "", "F3's manifest %+v", manifest)
}

// sectors are found by deadline and partition, and by number.
func (p *pool) sectors(ctx context.Context) {
	deadlines := Must(p.StateMinerDeadlines(ctx, p.miner, types.EmptyTSK))
	Check(len(deadlines) == 48, "%d deadlines", len(deadlines))
	var found uint64
	for index := range deadlines {
		partitions := Must(p.StateMinerPartitions(ctx, p.miner, uint64(index), types.EmptyTSK))
		for _, partition := range partitions {
			numbers := Must(partition.ActiveSectors.All(1 << 20))
			for _, number := range numbers {
				sector := Must(p.StateSectorGetInfo(ctx, p.miner, abi.SectorNumber(number), types.EmptyTSK))
				Check(sector != nil && sector.SectorNumber == abi.SectorNumber(number), "sector %d", number)
			}
			found += uint64(len(numbers))
		}
	}
	all := Must(p.StateMinerSectors(ctx, p.miner, nil, types.EmptyTSK))
	Check(found > 0 && uint64(len(all)) == found, "%d of %d sectors", found, len(all))
	count := Must(p.StateMinerSectorCount(ctx, p.miner, types.EmptyTSK))
	Check(count.Active == found, "%+v", count)
}

// mine makes the next block as sophon-miner does; epochs that are not won stay empty.
func (p *pool) mine(ctx context.Context) *types.BlockMsg {
	base := Must(p.ChainHead(ctx))
	for epoch := base.Height() + 1; ; epoch++ {
		if block := p.round(ctx, base, epoch); block != nil {
			return block
		}
	}
}

func (p *pool) round(ctx context.Context, base *types.TipSet, epoch abi.ChainEpoch) *types.BlockMsg {
	info := Must(p.MinerGetBaseInfo(ctx, p.miner, epoch, base.Key()))
	Check(info != nil && info.EligibleForMining && len(info.Sectors) == 1, "base info %+v", info)
	random := info.PrevBeaconEntry
	if n := len(info.BeaconEntries); n > 0 {
		random = info.BeaconEntries[n-1]
	}
	beacon := Must(p.StateGetBeaconEntry(ctx, epoch))
	Check(bytes.Equal(beacon.Data, random.Data), "beacon of %d", epoch)

	won := &types.ElectionProof{VRFProof: p.vrf(ctx, info, random, epoch, crypto.DomainSeparationTag_ElectionProofProduction, nil)}
	won.WinCount = won.ComputeWinCount(info.MinerPower, info.NetworkPower)
	if won.WinCount < 1 {
		return nil
	}
	past := base.MinTicket().VRFProof
	ticket := &types.Ticket{VRFProof: p.vrf(ctx, info, random, epoch-1, crypto.DomainSeparationTag_TicketProduction, past)}
	chosen := Must(p.MpoolSelects(ctx, base.Key(), []float64{ticket.Quality()}))
	Check(len(chosen) == 1, "%d lists of messages", len(chosen))
	template := &types.BlockTemplate{
		Miner: p.miner, Parents: base.Key(), Ticket: ticket, Eproof: won, BeaconValues: info.BeaconEntries,
		Messages: chosen[0], Epoch: epoch,
		Timestamp:        base.MinTimestamp() + p.params.BlockDelaySecs*uint64(epoch-base.Height()),
		WinningPoStProof: []proof.PoStProof{{ProofBytes: []byte("valid proof")}},
	}
	return p.submit(ctx, template, info.WorkerKey)
}

func (p *pool) submit(ctx context.Context, template *types.BlockTemplate, worker address.Address) *types.BlockMsg {
	block := Must(p.MinerCreateBlock(ctx, template))
	header := block.Header
	Check(header.Miner == p.miner && header.Height == template.Epoch, "header %+v", header)
	Check(len(block.BlsMessages)+len(block.SecpkMessages) == len(template.Messages), "messages of the block")
	// The node has the key and signs; sophon-miner signs what it leaves unsigned.
	if header.BlockSig == nil {
		unsigned := Must(header.SignatureData())
		header.BlockSig = Must(p.WalletSign(ctx, worker, unsigned, types.MsgMeta{Type: types.MTBlock}))
	}
	Nil(p.SyncSubmitBlock(ctx, block))
	for end := time.Now().Add(Patience); ; time.Sleep(5 * time.Millisecond) {
		head := Must(p.ChainHead(ctx))
		if head.Contains(header.Cid()) {
			break
		}
		Check(time.Now().Before(end), "the block at %d is not in the head at %d", header.Height, head.Height())
	}
	Must(p.SyncState(ctx))
	return block
}

// draw is venus's wallet.DrawRandomParams: that package drags more in than can be had.
type draw struct {
	Rbase   []byte
	Pers    crypto.DomainSeparationTag
	Round   abi.ChainEpoch
	Entropy []byte
}

// vrf signs what was drawn, and sends how it was drawn along.
func (p *pool) vrf(
	ctx context.Context, info *types.MiningBaseInfo, random types.BeaconEntry, epoch abi.ChainEpoch,
	tag crypto.DomainSeparationTag, past []byte,
) []byte {
	entropy := new(bytes.Buffer)
	Nil(p.miner.MarshalCBOR(entropy))
	entropy.Write(past)
	input := Must(cbor.Marshal(draw{random.Data, tag, epoch, entropy.Bytes()}))
	meta := types.MsgMeta{Type: types.MTDrawRandomParam}
	signature := Must(p.WalletSign(ctx, info.WorkerKey, input, meta))
	Check(signature.Type == crypto.SigTypeBLS, "a VRF proof of type %d", signature.Type)
	return signature.Data
}
