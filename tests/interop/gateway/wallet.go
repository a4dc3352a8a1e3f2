package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"sync/atomic"

	"github.com/filecoin-project/go-address"
	gocrypto "github.com/filecoin-project/go-crypto"
	"github.com/filecoin-project/go-state-types/crypto"
	v1 "github.com/filecoin-project/venus/venus-shared/api/gateway/v1"
	v2 "github.com/filecoin-project/venus/venus-shared/api/gateway/v2"
	"github.com/filecoin-project/venus/venus-shared/types"
	gtypes "github.com/filecoin-project/venus/venus-shared/types/gateway"
	"github.com/minio/blake2b-simd"
)

// key is a secp256k1 key.
type key struct {
	private []byte
	address address.Address
}

func newKey() key {
	private := must(gocrypto.GenerateKey())
	return key{private, must(address.NewSecp256k1Address(gocrypto.PublicKey(private)))}
}

func (k key) sign(toSign []byte) *crypto.Signature {
	digest := blake2b.Sum256(toSign)
	return &crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: must(gocrypto.Sign(k.private, digest[:]))}
}

func verify(signature *crypto.Signature, signer address.Address, toSign []byte) {
	check(signature.Type == crypto.SigTypeSecp256k1, "type %d", signature.Type)
	digest := blake2b.Sum256(toSign)
	public := must(gocrypto.EcRecover(digest[:], signature.Data))
	check(must(address.NewSecp256k1Address(public)) == signer, "another key signed")
}

// wallet is what venus-wallet does at a gateway.
type wallet struct {
	api     v1.IGateway
	mu      sync.Mutex
	keys    []key
	random  []byte
	channel types.UUID
	fail    string
	leaving atomic.Bool
	ready   chan struct{}
	ended   chan struct{}
}

func (w *wallet) key(of address.Address) (key, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range w.keys {
		if key.address == of {
			return key, true
		}
	}
	return key{}, false
}

func (w *wallet) failing(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = text
}

func (w *wallet) listen(ctx context.Context) {
	policy := &gtypes.WalletRegisterPolicy{SupportAccounts: []string{}, SignBytes: w.random}
	events := must(w.api.ListenWalletEvent(ctx, policy))
	w.ready, w.ended = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(w.ended)
		for event := range events {
			go w.answer(ctx, event)
		}
	}()
}

func (w *wallet) answer(ctx context.Context, event *gtypes.RequestEvent) {
	response := &gtypes.ResponseEvent{ID: event.ID}
	switch event.Method {
	case "InitConnect":
		var done gtypes.ConnectedCompleted
		fine(json.Unmarshal(event.Payload, &done))
		w.channel = done.ChannelId
		close(w.ready)
		return
	case "WalletList":
		w.mu.Lock()
		addresses := make([]address.Address, 0)
		for _, key := range w.keys {
			addresses = append(addresses, key.address)
		}
		w.mu.Unlock()
		response.Payload = must(json.Marshal(addresses))
	case "WalletSign":
		var request gtypes.WalletSignRequest
		fine(json.Unmarshal(event.Payload, &request))
		response.Payload, response.Error = w.sign(&request)
	default:
		panic("event " + event.Method)
	}
	// The caller may have its answer before the gateway's word on it comes here.
	if err := w.api.ResponseWalletEvent(ctx, response); !w.leaving.Load() {
		fine(err)
	}
}

func (w *wallet) sign(request *gtypes.WalletSignRequest) ([]byte, string) {
	key, known := w.key(request.Signer)
	if !known {
		return nil, "record not found"
	}
	if request.Meta.Type == types.MTVerifyAddress {
		expected := sha256.Sum256(append(append([]byte{}, request.Meta.Extra...), w.random...))
		check(bytes.Equal(expected[:], request.ToSign), "not the challenge of a gateway")
	} else {
		w.mu.Lock()
		fail := w.fail
		w.mu.Unlock()
		if fail != "" {
			return nil, fail
		}
	}
	return must(json.Marshal(key.sign(request.ToSign))), ""
}

func (w *world) wallets() {
	api, closeWallet := w.v1(w.Provider)
	first, second := newKey(), newKey()
	wallet := &wallet{api: api, keys: []key{first}, random: bytes.Repeat([]byte{7}, 32)}
	wallet.listen(w.ctx)
	<-wallet.ready
	caller, closeCaller := w.v2(w.URL, w.Caller)
	defer closeCaller()
	older, closeOlder := w.v1(w.Caller)
	defer closeOlder()

	w.signs(caller, older, first)
	w.lists(caller, first)
	w.refusals(caller, wallet, first)

	// Keys that come and go.
	wallet.mu.Lock()
	wallet.keys = append(wallet.keys, second)
	wallet.mu.Unlock()
	check(!must(caller.WalletHas(w.ctx, second.address, nil)), "not yet announced")
	fine(api.AddNewAddress(w.ctx, wallet.channel, []address.Address{second.address}))
	check(must(caller.WalletHas(w.ctx, second.address, []string{"alice"})), "announced")
	w.signs(caller, older, second)
	fine(api.RemoveAddress(w.ctx, wallet.channel, []address.Address{second.address}))
	check(!must(caller.WalletHas(w.ctx, second.address, nil)), "withdrawn")
	refused(api.AddNewAddress(w.ctx, wallet.channel, []address.Address{newKey().address}), "record not found")
	refused(api.RemoveAddress(w.ctx, types.NewUUID(), []address.Address{first.address}), "not found")
	fine(api.SupportNewAccount(w.ctx, wallet.channel, "bob"))
	detail := must(caller.ListWalletInfoByWallet(w.ctx, "alice"))
	check(len(detail.SupportAccounts) == 2, "accounts %v", detail.SupportAccounts)
	refused(api.ResponseWalletEvent(w.ctx, &gtypes.ResponseEvent{ID: types.NewUUID()}), "not exit")

	// A wallet that goes away and comes back.
	wallet.leaving.Store(true)
	closeWallet()
	until("gone", func() bool { return !must(caller.WalletHas(w.ctx, first.address, nil)) })
	_, err := caller.WalletSign(w.ctx, first.address, nil, []byte("x"), types.MsgMeta{Type: types.MTUnknown})
	refused(err, "send request must have channel")
	<-wallet.ended
	again, closeAgain := w.v1(w.Provider)
	defer func() { wallet.leaving.Store(true); closeAgain() }()
	wallet.api = again
	wallet.leaving.Store(false)
	wallet.listen(w.ctx)
	<-wallet.ready
	w.signs(caller, older, first)
}

func (w *world) signs(caller v2.IGateway, older v1.IGateway, key key) {
	check(must(caller.WalletHas(w.ctx, key.address, []string{"alice"})), "has, for alice")
	check(must(caller.WalletHas(w.ctx, key.address, nil)), "has, for whomever")
	check(!must(caller.WalletHas(w.ctx, key.address, []string{"bob"})), "has not, for bob")
	check(must(older.WalletHas(w.ctx, "alice", key.address)), "has, v1")
	toSign := bytes.Repeat([]byte("to be signed"), 500)
	meta := types.MsgMeta{Type: types.MTUnknown}
	for _, accounts := range [][]string{nil, {}, {"alice"}, {"bob", "alice"}} {
		verify(must(caller.WalletSign(w.ctx, key.address, accounts, toSign, meta)), key.address, toSign)
	}
	verify(must(older.WalletSign(w.ctx, "alice", key.address, toSign, meta)), key.address, toSign)
	_, err := older.WalletSign(w.ctx, "bob", key.address, toSign, meta)
	refused(err, "send request must have channel")
}

func (w *world) lists(caller v2.IGateway, key key) {
	all := must(caller.ListWalletInfo(w.ctx))
	check(len(all) == 1 && all[0].Account == "alice", "wallets %v", all)
	one := must(caller.ListWalletInfoByWallet(w.ctx, "alice"))
	check(len(one.ConnectStates) == 1, "connections %v", one)
	state := one.ConnectStates[0]
	check(len(state.Addrs) == 1 && state.Addrs[0] == key.address, "addresses %v", state.Addrs)
	check(state.IP != "" && !state.CreateTime.IsZero(), "state %v", state)
	_, err := caller.ListWalletInfoByWallet(w.ctx, "carol")
	refused(err, "wallet carol not exit")
}

func (w *world) refusals(caller v2.IGateway, wallet *wallet, key key) {
	meta := types.MsgMeta{Type: types.MTUnknown}
	_, err := caller.WalletSign(w.ctx, newKey().address, nil, []byte("x"), meta)
	refused(err, "send request must have channel")
	for _, text := range []string{"denied by policy: no rule allows it", "a filter of the wallet says no"} {
		wallet.failing(text)
		_, err = caller.WalletSign(w.ctx, key.address, nil, []byte("x"), meta)
		refused(err, text)
	}
	wallet.failing("")
}
