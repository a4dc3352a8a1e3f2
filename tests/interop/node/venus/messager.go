package main

import (
	"bytes"
	"context"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/venus/venus-shared/types"
	"github.com/ipfs/go-cid"

	. "venus.test/interop/node/seen"
)

// Messages of one batch.
const batch = 4

// send is how sophon-messager estimates, signs, pushes and finds messages.
func (p *pool) send(ctx context.Context, from address.Address) {
	head := Must(p.ChainHead(ctx))
	actor := Must(p.StateGetActor(ctx, from, head.Key()))
	before := Must(p.WalletBalance(ctx, p.stranger))
	nonce := Must(p.MpoolGetNonce(ctx, from))
	Check(nonce >= actor.Nonce, "nonce %d, in the state %d", nonce, actor.Nonce)

	signed := p.signed(ctx, p.estimated(ctx, from, nonce, head.Key()))
	cids := Must(p.MpoolBatchPushUntrusted(ctx, signed))
	Check(len(cids) == len(signed), "%d of %d pushed", len(cids), len(signed))
	for i, message := range signed {
		Check(cids[i] == message.Cid(), "pushed %s, the node took %s", message.Cid(), cids[i])
	}
	Check(Must(p.MpoolGetNonce(ctx, from)) == nonce+batch, "the next nonce")
	p.pending(ctx, cids)

	// One for the messages, one that executes them, one to look back from.
	mined := p.mine(ctx)
	Check(len(mined.BlsMessages)+len(mined.SecpkMessages) == batch, "%+v", mined)
	p.mine(ctx)
	p.mine(ctx)
	p.landed(ctx, cids)
	after := Must(p.StateGetActor(ctx, from, Must(p.ChainHead(ctx)).Key()))
	Check(after.Nonce == nonce+batch, "nonce %d after all", after.Nonce)
	gained := big.Sub(Must(p.WalletBalance(ctx, p.stranger)), before)
	Check(gained.Equals(big.NewInt(batch)), "the stranger gained %s", gained)
	p.again(ctx, signed[0])
}

// estimated is a batch with gas and nonces; a message that cannot be executed does not spoil it.
func (p *pool) estimated(ctx context.Context, from address.Address, nonce uint64, at types.TipSetKey) []*types.Message {
	var ask []*types.EstimateMessage
	for i := range batch + 1 {
		value := big.NewInt(1)
		if i == 1 {
			value = big.Mul(big.NewInt(1_500_000_000), big.NewInt(1e18))
		}
		ask = append(ask, &types.EstimateMessage{
			Msg: &types.Message{From: from, To: p.stranger, Value: value, GasFeeCap: big.Zero(), GasPremium: big.Zero()},
			Spec: &types.MessageSendSpec{
				MaxFee: big.NewInt(1e18), GasOverEstimation: 1.25, GasOverPremium: 0,
			},
		})
	}
	results := Must(p.GasBatchEstimateMessageGas(ctx, ask, nonce, at))
	Check(len(results) == len(ask), "%d of %d estimated", len(results), len(ask))
	var messages []*types.Message
	for i, result := range results {
		if i == 1 {
			Check(result.Err != "", "who could pay %s?", ask[i].Msg.Value)
			continue
		}
		Check(result.Err == "", "estimate %d: %s", i, result.Err)
		message := result.Msg
		Check(message.GasLimit > 0 && !message.GasPremium.IsZero(), "gas %+v", message)
		Check(!message.GasFeeCap.LessThan(message.GasPremium), "fee cap %s", message.GasFeeCap)
		Check(message.Nonce == nonce+uint64(len(messages)), "nonce %d", message.Nonce)
		messages = append(messages, message)
	}
	return messages
}

func (p *pool) signed(ctx context.Context, messages []*types.Message) []*types.SignedMessage {
	var signed []*types.SignedMessage
	for _, message := range messages {
		block := Must(message.ToStorageBlock())
		meta := types.MsgMeta{Type: types.MTChainMsg, Extra: block.RawData()}
		signature := Must(p.WalletSign(ctx, message.From, block.Cid().Bytes(), meta))
		signed = append(signed, &types.SignedMessage{Message: *message, Signature: *signature})
	}
	return signed
}

func (p *pool) pending(ctx context.Context, cids []cid.Cid) {
	waiting := map[cid.Cid]bool{}
	for _, message := range Must(p.MpoolPending(ctx, types.EmptyTSK)) {
		waiting[message.Cid()] = true
	}
	for _, cid := range cids {
		Check(waiting[cid], "%s is not pending", cid)
	}
}

// landed looks for messages in the two ways that sophon-messager does.
func (p *pool) landed(ctx context.Context, cids []cid.Cid) {
	head := Must(p.ChainHead(ctx))
	receipts := map[cid.Cid]*types.MessageReceipt{}
	for tipset := head; tipset.Height() > 0; tipset = Must(p.ChainGetTipSet(ctx, tipset.Parents())) {
		messages := Must(p.ChainGetParentMessages(ctx, tipset.Cids()[0]))
		for i, receipt := range Must(p.ChainGetParentReceipts(ctx, tipset.Cids()[0])) {
			receipts[messages[i].Cid] = receipt
		}
	}
	for _, cid := range cids {
		receipt, found := receipts[cid]
		Check(found && receipt.ExitCode == exitcode.Ok && receipt.GasUsed > 0, "receipt %+v", receipt)
		lookup := Must(p.StateSearchMsg(ctx, head.Key(), cid, 900, true))
		Check(lookup != nil && lookup.Message == cid, "search for %s: %+v", cid, lookup)
		Check(lookup.Receipt.GasUsed == receipt.GasUsed && lookup.Receipt.ExitCode == receipt.ExitCode, "two receipts")
		at := Must(p.ChainGetTipSet(ctx, lookup.TipSet))
		Check(at.Height() == lookup.Height, "%+v is at %d", lookup, at.Height())
		waited := Must(p.StateWaitMsg(ctx, cid, 0, 900, true))
		Check(waited.Height == lookup.Height && waited.Message == cid, "waited for %+v", waited)
		message := Must(p.ChainGetMessage(ctx, cid))
		Check(message.To == p.stranger, "message %+v", message)
	}
	searched, err := p.StateSearchMsg(ctx, head.Key(), head.Cids()[0], abi.ChainEpoch(900), true)
	Check(err != nil || searched == nil, "a block is no message: %+v", searched)
}

// again offers what has landed, what was changed after it was signed, and what leaves a gap.
func (p *pool) again(ctx context.Context, landed *types.SignedMessage) {
	old := landed.Message
	old.Value = big.Add(old.Value, big.NewInt(1))
	resigned := p.signed(ctx, []*types.Message{&old})[0]
	_, err := p.MpoolPush(ctx, resigned)
	Refused(err, "nonce too low")
	forged := *resigned
	forged.Message.Nonce = Must(p.MpoolGetNonce(ctx, old.From))
	_, err = p.MpoolPush(ctx, &forged)
	Refused(err, "signature")
	ahead := old
	ahead.Nonce = forged.Message.Nonce + 40
	_, err = p.MpoolBatchPushUntrusted(ctx, p.signed(ctx, []*types.Message{&ahead}))
	Refused(err, "nonce gap")
	Check(!bytes.Equal(resigned.Signature.Data, landed.Signature.Data), "two messages, one signature")
}
