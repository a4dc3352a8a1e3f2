package main

import (
	"context"
	"net/http"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/api/client"
	"github.com/filecoin-project/lotus/api/v1api"
	"github.com/filecoin-project/lotus/chain/types"

	. "venus.test/interop/node/seen"
)

// tools is what the command line and a miner know of the node.
type tools struct {
	api.FullNode
	world                      World
	secp, bls, stranger, miner address.Address
	params                     *api.NetworkParams
	heads                      Follower
}

func dial(ctx context.Context, url, token string) (v1api.FullNode, func()) {
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	node, closer, err := client.NewFullNodeRPCV1(ctx, url+"/rpc/v1", header)
	Check(err == nil, "dial %s: %v", url, err)
	return node, closer
}

func main() { Run(run) }

func run(ctx context.Context, world World) {
	address.CurrentNetwork = address.Testnet
	node, closer := dial(ctx, world.URL, world.Token)
	defer closer()
	t := &tools{FullNode: node, world: world}
	t.secp = Must(address.NewFromString(world.Secp))
	t.bls = Must(address.NewFromString(world.Bls))
	t.stranger = Must(address.NewFromString(world.Stranger))
	t.miner = Must(address.NewFromString(world.Miner))

	events, closeEvents := dial(ctx, world.WS, world.Token)
	defer closeEvents()
	t.look(ctx)
	t.follow(ctx, events)
	for range 3 {
		t.mine(ctx)
	}
	for _, from := range []address.Address{t.secp, t.bls} {
		t.send(ctx, events, from)
	}
	t.badBlocks(ctx)
	t.walk(ctx)
	t.refused(ctx)
	t.heads.Reaches(Must(t.ChainHead(ctx)).Key().String())
}

// look is `lotus version`, `chain head`, `sync wait`, `wallet list`, `state power`, `state miner-info` and the like.
func (t *tools) look(ctx context.Context) {
	version := Must(t.Version(ctx))
	Check(version.APIVersion.EqMajorMinor(api.FullAPIVersion1), "API %s", version.APIVersion)
	Check(version.BlockDelay > 0 && version.Agent != "", "%+v", version)
	Check(string(Must(t.StateNetworkName(ctx))) == t.world.Network, "the network's name")
	t.params = Must(t.StateGetNetworkParams(ctx))
	Check(t.params.BlockDelaySecs == version.BlockDelay, "block delay %d", t.params.BlockDelaySecs)
	genesis := Must(t.ChainGetGenesis(ctx))
	Check(genesis.Height() == 0 && genesis.MinTimestamp() == t.params.GenesisTimestamp, "genesis %s", genesis)
	Must(t.SyncState(ctx))
	t.wallet(ctx)

	total := Must(t.StateMinerPower(ctx, address.Undef, types.EmptyTSK))
	power := Must(t.StateMinerPower(ctx, t.miner, types.EmptyTSK))
	Check(power.HasMinPower && total.TotalPower.QualityAdjPower.Equals(power.TotalPower.QualityAdjPower), "power")
	info := Must(t.StateMinerInfo(ctx, t.miner, types.EmptyTSK))
	worker := Must(t.StateAccountKey(ctx, info.Worker, types.EmptyTSK))
	Check(Must(t.StateLookupID(ctx, worker, types.EmptyTSK)) == info.Worker, "worker %s", worker)
	Must(t.StateMinerAvailableBalance(ctx, t.miner, types.EmptyTSK))
	deadlines := Must(t.StateMinerDeadlines(ctx, t.miner, types.EmptyTSK))
	Check(len(deadlines) == 48, "%d deadlines", len(deadlines))
	sectors := Must(t.StateMinerActiveSectors(ctx, t.miner, types.EmptyTSK))
	count := Must(t.StateMinerSectorCount(ctx, t.miner, types.EmptyTSK))
	Check(count.Active == uint64(len(sectors)) && len(sectors) > 0, "%d sectors, %+v", len(sectors), count)
	for _, sector := range sectors {
		where := Must(t.StateSectorPartition(ctx, t.miner, sector.SectorNumber, types.EmptyTSK))
		Check(where.Deadline < 48, "%+v", where)
	}
	manifest := Must(t.F3GetManifest(ctx))
	Check(manifest != nil && manifest.NetworkName != "", "F3's manifest %+v", manifest)
	Check(!Must(t.F3IsRunning(ctx)), "F3 runs")
}

// wallet is `lotus wallet list` and `lotus wallet balance`.
func (t *tools) wallet(ctx context.Context) {
	known := map[address.Address]bool{}
	for _, key := range Must(t.WalletList(ctx)) {
		known[key] = true
	}
	for _, key := range []address.Address{t.secp, t.bls} {
		Check(known[key] && Must(t.WalletHas(ctx, key)), "the node has the key of %s", key)
		actor := Must(t.StateGetActor(ctx, key, types.EmptyTSK))
		Check(Must(t.WalletBalance(ctx, key)).Equals(actor.Balance), "balance of %s", key)
	}
	nothing := Must(t.WalletBalance(ctx, t.stranger))
	Check(!known[t.stranger] && nothing.Equals(big.Zero()), "the stranger has %s", nothing)
}

// follow is what every lotus process does.
func (t *tools) follow(ctx context.Context, node v1api.FullNode) {
	changes := Must(node.ChainNotify(ctx))
	begun := make(chan struct{})
	go func() {
		first := true
		for batch := range changes {
			for _, change := range batch {
				t.heads.Take(Step{Kind: change.Type, Key: change.Val.Key().String(), Parents: change.Val.Parents().String()})
			}
			if first {
				Check(len(batch) == 1 && batch[0].Type == "current", "first comes the head: %v", batch)
				close(begun)
				first = false
			}
		}
	}()
	select {
	case <-begun:
	case <-ctx.Done():
		Check(false, "no head came")
	}
}

// send is `lotus send`, `lotus mpool sub`, `lotus mpool pending` and `lotus state wait-msg`.
func (t *tools) send(ctx context.Context, events v1api.FullNode, from address.Address) {
	listening, stop := context.WithCancel(ctx)
	defer stop()
	updates := Must(events.MpoolSub(listening))
	before := Must(t.WalletBalance(ctx, t.stranger))
	nonce := Must(t.MpoolGetNonce(ctx, from))
	message := &types.Message{From: from, To: t.stranger, Value: big.NewInt(7), GasFeeCap: big.Zero(), GasPremium: big.Zero()}
	estimated := Must(t.GasEstimateMessageGas(ctx, message, nil, types.EmptyTSK))
	Check(estimated.GasLimit > 0 && !estimated.GasFeeCap.IsZero(), "gas %+v", estimated)
	signed := Must(t.MpoolPushMessage(ctx, message, &api.MessageSendSpec{MaxFee: big.NewInt(1e18)}))
	Check(signed.Message.Nonce == nonce && signed.Message.GasLimit > 0, "signed %+v", signed.Message)
	verified := Must(t.WalletVerify(ctx, from, signed.Message.Cid().Bytes(), &signed.Signature))
	Check(verified, "the signature of %s", from)
	for update := range updates {
		if update.Message.Cid() == signed.Cid() {
			Check(update.Type == api.MpoolAdd, "update %+v", update)
			break
		}
	}
	pending := Must(t.MpoolPending(ctx, types.EmptyTSK))
	Check(len(pending) == 1 && pending[0].Cid() == signed.Cid(), "%d pending", len(pending))

	waited := make(chan *api.MsgLookup)
	go func() { waited <- Must(events.StateWaitMsg(ctx, signed.Cid(), 1, api.LookbackNoLimit, true)) }()
	for range 4 {
		t.mine(ctx)
	}
	lookup := <-waited
	Check(lookup.Message == signed.Cid() && lookup.Receipt.ExitCode.IsSuccess(), "%+v", lookup)
	searched := Must(t.StateSearchMsg(ctx, types.EmptyTSK, signed.Cid(), api.LookbackNoLimit, true))
	Check(searched != nil && searched.Height == lookup.Height, "%+v, %+v", searched, lookup)
	gained := big.Sub(Must(t.WalletBalance(ctx, t.stranger)), before)
	Check(gained.Equals(big.NewInt(7)), "the stranger gained %s", gained)
	Check(Must(t.MpoolGetNonce(ctx, from)) == nonce+1, "the next nonce")
}

// walk looks at the whole chain with Go's types: what they decode, they encode to the same CIDs.
func (t *tools) walk(ctx context.Context) {
	head := Must(t.ChainHead(ctx))
	for tipset := head; tipset.Height() > 0; tipset = Must(t.ChainGetTipSet(ctx, tipset.Parents())) {
		for _, cid := range tipset.Cids() {
			Check(Must(t.ChainGetBlock(ctx, cid)).Cid() == cid, "block %s", cid)
			messages := Must(t.ChainGetBlockMessages(ctx, cid))
			for i, cid := range messages.Cids {
				if i < len(messages.BlsMessages) {
					Check(messages.BlsMessages[i].Cid() == cid, "BLS message %s", cid)
				} else {
					Check(messages.SecpkMessages[i-len(messages.BlsMessages)].Cid() == cid, "message %s", cid)
				}
			}
			parents := Must(t.ChainGetParentMessages(ctx, cid))
			receipts := Must(t.ChainGetParentReceipts(ctx, cid))
			Check(len(parents) == len(receipts), "%d messages, %d receipts", len(parents), len(receipts))
		}
		at := Must(t.ChainGetTipSetByHeight(ctx, tipset.Height(), head.Key()))
		Check(at.Equals(tipset), "two tipsets at %d", tipset.Height())
		weight := Must(t.ChainTipSetWeight(ctx, tipset.Key()))
		Check(big.Cmp(weight, tipset.ParentWeight()) > 0, "weight %s", weight)
	}
	path := Must(t.ChainGetPath(ctx, Must(t.ChainGetGenesis(ctx)).Key(), head.Key()))
	Check(len(path) > 0 && path[len(path)-1].Val.Equals(head), "the way to the head")
}

// refused is what tools Must be able to tell apart.
func (t *tools) refused(ctx context.Context) {
	_, err := t.StateGetActor(ctx, t.stranger, types.EmptyTSK)
	Check(err == nil, "the stranger has FIL by now: %v", err)
	nobody := Must(address.NewIDAddress(1 << 40))
	_, err = t.StateGetActor(ctx, nobody, types.EmptyTSK)
	Refused(err, "actor not found")
	_, err = t.ChainGetTipSet(ctx, types.EmptyTSK)
	Refused(err, "NewTipSet called with zero length array of blocks")
	_, err = t.ChainGetTipSetByHeight(ctx, abi.ChainEpoch(1<<40), types.EmptyTSK)
	Refused(err, "")
	for _, token := range []string{t.world.ReadToken, ""} {
		reader, closer := dial(ctx, t.world.URL, token)
		Must(reader.ChainHead(ctx))
		_, err = reader.WalletHas(ctx, t.secp)
		Refused(err, "missing permission to invoke 'WalletHas' (need 'write')")
		closer()
	}
	allowed := Must(t.AuthVerify(ctx, t.world.ReadToken))
	Check(len(allowed) == 1 && allowed[0] == api.PermRead, "a token that may %v", allowed)
}
