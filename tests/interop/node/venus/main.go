package main

import (
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/venus/venus-shared/api/chain"
	v1 "github.com/filecoin-project/venus/venus-shared/api/chain/v1"
	"github.com/filecoin-project/venus/venus-shared/types"

	. "venus.test/interop/node/seen"
)

// pool is what the pool's services know of the node.
type pool struct {
	v1.FullNode
	world                      World
	secp, bls, stranger, miner address.Address
	params                     *types.NetworkParams
	heads                      Follower
}

func dial(ctx context.Context, url, token string) (v1.FullNode, func()) {
	node, closer, err := v1.DialFullNodeRPC(ctx, url, token, nil)
	Check(err == nil, "dial %s: %v", url, err)
	return node, closer
}

func main() { Run(run) }

func run(ctx context.Context, world World) {
	address.CurrentNetwork = address.Testnet
	node, closer := dial(ctx, world.URL, world.Token)
	defer closer()
	p := &pool{FullNode: node, world: world}
	p.secp = Must(address.NewFromString(world.Secp))
	p.bls = Must(address.NewFromString(world.Bls))
	p.stranger = Must(address.NewFromString(world.Stranger))
	p.miner = Must(address.NewFromString(world.Miner))

	events, closeEvents := dial(ctx, world.WS, world.Token)
	defer closeEvents()
	p.greet(ctx)
	p.follow(ctx, events)
	p.warmUp(ctx)
	for range 3 {
		p.mine(ctx)
	}
	for _, from := range []address.Address{p.secp, p.bls} {
		p.send(ctx, from)
	}
	p.walk(ctx)
	p.refused(ctx)
	p.heads.Reaches(Must(p.ChainHead(ctx)).Key().String())
}

// greet is what every service asks first.
func (p *pool) greet(ctx context.Context) {
	version := Must(p.Version(ctx))
	Check(version.APIVersion.EqMajorMinor(chain.FullAPIVersion1), "API %s", version.APIVersion)
	name := Must(p.StateNetworkName(ctx))
	Check(string(name) == p.world.Network, "network %s", name)
	p.params = Must(p.StateGetNetworkParams(ctx))
	Check(string(p.params.NetworkName) == p.world.Network, "network %s", p.params.NetworkName)
	Check(p.params.BlockDelaySecs > 0, "a block delay")
	Check(len(p.params.SupportedProofTypes) > 0, "proof types")
	// Tickets depend on what came before them from this height on.
	Check(p.params.ForkUpgradeParams.UpgradeSmokeHeight < 1, "tickets without a past")
	Check(Must(p.StateNetworkVersion(ctx, types.EmptyTSK)) >= 21, "a network version")
	genesis := Must(p.ChainGetGenesis(ctx))
	Check(genesis.Height() == 0, "genesis at %d", genesis.Height())
	by := Must(p.ChainGetTipSetByHeight(ctx, 0, types.EmptyTSK))
	Check(by.Equals(genesis), "two genesis tipsets")
}

// follow is how sophon-messager learns of heads.
func (p *pool) follow(ctx context.Context, node v1.FullNode) {
	changes := Must(node.ChainNotify(ctx))
	begun := make(chan struct{})
	go func() {
		first := true
		for batch := range changes {
			for _, change := range batch {
				kind := string(change.Type)
				p.heads.Take(Step{Kind: kind, Key: change.Val.Key().String(), Parents: change.Val.Parents().String()})
			}
			if first {
				Check(len(batch) == 1 && batch[0].Type == types.HCCurrent, "first comes the head: %v", batch)
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

// walk looks at the whole chain with Go's types: what they decode, they encode to the same CIDs.
func (p *pool) walk(ctx context.Context) {
	head := Must(p.ChainHead(ctx))
	for tipset := head; tipset.Height() > 0; tipset = Must(p.ChainGetTipSet(ctx, tipset.Parents())) {
		for _, cid := range tipset.Cids() {
			header := Must(p.ChainGetBlock(ctx, cid))
			Check(header.Cid() == cid, "block %s encodes to %s", cid, header.Cid())
			messages := Must(p.ChainGetBlockMessages(ctx, cid))
			Check(len(messages.Cids) == len(messages.BlsMessages)+len(messages.SecpkMessages), "CIDs")
			for i, cid := range messages.Cids {
				if i < len(messages.BlsMessages) {
					Check(messages.BlsMessages[i].Cid() == cid, "BLS message %s", cid)
				} else {
					Check(messages.SecpkMessages[i-len(messages.BlsMessages)].Cid() == cid, "message %s", cid)
				}
			}
			parents := Must(p.ChainGetParentMessages(ctx, cid))
			receipts := Must(p.ChainGetParentReceipts(ctx, cid))
			Check(len(parents) == len(receipts), "%d messages, %d receipts", len(parents), len(receipts))
		}
		weight := Must(p.ChainTipSetWeight(ctx, tipset.Key()))
		Check(weight.GreaterThan(tipset.ParentWeight()), "weight %s", weight)
	}
	genesis := Must(p.ChainGetGenesis(ctx))
	path := Must(p.ChainGetPath(ctx, genesis.Key(), head.Key()))
	Check(len(path) > 0 && path[len(path)-1].Val.Equals(head), "the way to the head")
}

// refused is what services Must be able to tell apart.
func (p *pool) refused(ctx context.Context) {
	nobody := Must(address.NewIDAddress(1 << 40))
	_, err := p.StateGetActor(ctx, nobody, types.EmptyTSK)
	Refused(err, "actor not found")
	_, err = p.ChainGetTipSetByHeight(ctx, abi.ChainEpoch(1<<40), types.EmptyTSK)
	Refused(err, "")
	reader, closer := dial(ctx, p.world.URL, p.world.ReadToken)
	defer closer()
	Must(reader.ChainHead(ctx))
	_, err = reader.WalletHas(ctx, p.secp)
	Refused(err, "missing permission to invoke 'WalletHas'")
	// Over WebSocket nobody is let in, over HTTP no call is.
	token := "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJBbGxvdyI6WyJyZWFkIl19.AA"
	forger, closeForger, err := v1.DialFullNodeRPC(ctx, p.world.URL, token, nil)
	if err == nil {
		defer closeForger()
		_, err = forger.ChainHead(ctx)
	}
	Refused(err, "")
}
