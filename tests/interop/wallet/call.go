package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/filecoin-project/go-jsonrpc"
)

// The service as a Go client of the wallet declares it. Addresses stay texts here.

type keyInfo struct {
	Type       string
	PrivateKey []byte
}

type msgMeta struct {
	Type  string
	Extra []byte
}

type signature struct {
	Type byte
	Data []byte
}

type query struct {
	ID      string
	Type    string
	Signer  string
	IsError bool
	Skip    int
	Limit   int
	After   time.Time
	Before  time.Time
}

type record struct {
	ID        string
	Type      string
	Signer    string
	Err       any
	RawMsg    []byte
	Signature *signature
	CreateAt  time.Time
}

type version struct {
	Version    string
	APIVersion uint32
}

type keyBind struct {
	BindID    uint
	Name      string
	Address   string
	MetaTypes uint32
	Methods   []string
}

type group struct {
	GroupID  uint
	Name     string
	KeyBinds []*keyBind
}

type wallet struct {
	AddNewAddress    func(context.Context, []string) error
	AuthNew          func(context.Context, []string) ([]byte, error)
	AuthVerify       func(context.Context, string) ([]string, error)
	ListSignedRecord func(context.Context, *query) ([]record, error)
	Lock             func(context.Context, string) error
	LockState        func(context.Context) (bool, error)
	LogList          func(context.Context) ([]string, error)
	SetPassword      func(context.Context, string) error
	Unlock           func(context.Context, string) error
	VerifyPassword   func(context.Context, string) error
	Version          func(context.Context) (version, error)
	WalletDelete     func(context.Context, string) error
	WalletExport     func(context.Context, string) (*keyInfo, error)
	WalletHas        func(context.Context, string) (bool, error)
	WalletImport     func(context.Context, *keyInfo) (string, error)
	WalletList       func(context.Context) ([]string, error)
	WalletNew        func(context.Context, string) (string, error)
	WalletSign       func(context.Context, string, []byte, msgMeta) (*signature, error)
	NewKeyBindCustom func(context.Context, string, string, []int, []string) error
	GetKeyBindByName func(context.Context, string) (*keyBind, error)
	NewGroup         func(context.Context, string, []string) error
	GetGroupByName   func(context.Context, string) (*group, error)
	NewStToken       func(context.Context, string) (string, error)
	RemoveStToken    func(context.Context, string) error
	RemoveGroup      func(context.Context, string) error
	RemoveKeyBind    func(context.Context, string) error
	ListKeyBinds     func(context.Context, int, int) ([]*keyBind, error)
	NotThere         func(context.Context) error
}

type examiner struct{ checks int }

func (e *examiner) that(good bool, format string, args ...any) {
	if !good {
		panic(fmt.Sprintf(format, args...))
	}
	e.checks++
}

func (e *examiner) fine(err error, what string) { e.that(err == nil, "%s: %v", what, err) }

func (e *examiner) refused(err error, text string) {
	e.that(err != nil && err.Error() == text, "expected %q, got %v", text, err)
}

const password = "correct horse"

func call(url, token string) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("%v", broken)
		}
	}()
	e := &examiner{}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	header := http.Header{"Authorization": {"Bearer " + token}, "X-VENUS-API-NAMESPACE": {"wallet.IFullAPI"}}
	w := &wallet{}
	closer, err := jsonrpc.NewMergeClient(ctx, url, "Filecoin", []any{w}, header)
	if err != nil {
		return err
	}
	defer closer()
	e.locks(ctx, w)
	e.keys(ctx, w)
	e.strategies(ctx, w)
	e.rights(ctx, w, url)
	fmt.Printf("%d checks\n", e.checks)
	return nil
}

func (e *examiner) locks(ctx context.Context, w *wallet) {
	v, err := w.Version(ctx)
	e.fine(err, "Version")
	e.that(v.APIVersion == 65792, "APIVersion %d", v.APIVersion)
	locked, err := w.LockState(ctx)
	e.fine(err, "LockState")
	e.that(locked, "a fresh wallet is locked")
	_, err = w.WalletNew(ctx, "bls")
	e.refused(err, "password not set")
	e.fine(w.SetPassword(ctx, password), "SetPassword")
	e.refused(w.SetPassword(ctx, password), "the password already exists")
	e.refused(w.Unlock(ctx, password), "wallet already unlocked")
	e.refused(w.VerifyPassword(ctx, "wrong"), "password mismatch")
	e.fine(w.Lock(ctx, password), "Lock")
	e.refused(w.Lock(ctx, password), "wallet already locked")
	_, err = w.WalletNew(ctx, "bls")
	e.refused(err, "wallet locked")
	e.fine(w.Unlock(ctx, password), "Unlock")
}

func (e *examiner) keys(ctx context.Context, w *wallet) {
	var made []string
	for _, kind := range []string{"bls", "secp256k1", "delegated"} {
		address, err := w.WalletNew(ctx, kind)
		e.fine(err, "WalletNew "+kind)
		made = append(made, address)
	}
	_, err := w.WalletNew(ctx, "ed25519")
	e.refused(err, "invalid signature type: 255")
	list, err := w.WalletList(ctx)
	e.fine(err, "WalletList")
	e.that(reflect.DeepEqual(list, made), "list %v, made %v", list, made)
	e.fine(w.VerifyPassword(ctx, password), "VerifyPassword")
	key, err := w.WalletExport(ctx, made[1])
	e.fine(err, "WalletExport")
	e.that(key.Type == "secp256k1" && len(key.PrivateKey) == 32, "exported %s, %d bytes", key.Type, len(key.PrivateKey))
	e.fine(w.WalletDelete(ctx, made[1]), "WalletDelete")
	has, err := w.WalletHas(ctx, made[1])
	e.fine(err, "WalletHas")
	e.that(!has, "deleted but there")
	back, err := w.WalletImport(ctx, key)
	e.fine(err, "WalletImport")
	e.that(back == made[1], "imported as %s", back)
	e.signing(ctx, w, made)
	e.fine(w.AddNewAddress(ctx, made), "AddNewAddress")
}

func (e *examiner) signing(ctx context.Context, w *wallet, made []string) {
	// A draw: {"Rbase": ab x 32, "Pers": 2, "Round": 1000, "Entropy": 4300e807}.
	draw := []byte("\xa4\x65Rbase\x58\x20")
	for range 32 {
		draw = append(draw, 0xab)
	}
	draw = append(draw, "\x64Pers\x02\x65Round\x19\x03\xe8\x67Entropy\x44\x43\x00\xe8\x07"...)
	one, err := w.WalletSign(ctx, made[0], draw, msgMeta{Type: "drawrandomparam"})
	e.fine(err, "WalletSign")
	two, err := w.WalletSign(ctx, made[0], draw, msgMeta{Type: "drawrandomparam"})
	e.fine(err, "WalletSign again")
	e.that(one.Type == 2 && len(one.Data) == 96 && reflect.DeepEqual(one, two), "%v and %v", one, two)
	_, err = w.WalletSign(ctx, made[0], []byte("x"), msgMeta{Type: "nonsense"})
	e.refused(err, "get sign bytes: unsupported msgtype:nonsense")
	_, err = w.WalletSign(ctx, made[0], []byte("x"), msgMeta{Type: "message"})
	e.refused(err, "get sign bytes: parseObj failed:msg type must contain extra data")
	records, err := w.ListSignedRecord(ctx, &query{Type: "drawrandomparam", Limit: 10})
	e.fine(err, "ListSignedRecord")
	e.that(len(records) == 2, "%d records", len(records))
	r := records[0]
	e.that(r.Signer == made[0] && r.Err == nil && r.Signature != nil && reflect.DeepEqual(r.Signature.Data, one.Data), "record %+v", r)
	e.that(time.Since(r.CreateAt) < time.Hour && len(r.RawMsg) > 0, "record %+v", r)
}

func (e *examiner) strategies(ctx context.Context, w *wallet) {
	list, err := w.WalletList(ctx)
	e.fine(err, "WalletList")
	e.fine(w.NewKeyBindCustom(ctx, "kb", list[0], []int{1, 2}, []string{"Send"}), "NewKeyBindCustom")
	bind, err := w.GetKeyBindByName(ctx, "kb")
	e.fine(err, "GetKeyBindByName")
	e.that(bind.Address == list[0] && bind.MetaTypes == 6 && reflect.DeepEqual(bind.Methods, []string{"Send"}), "%+v", bind)
	e.fine(w.NewGroup(ctx, "g", []string{"kb"}), "NewGroup")
	g, err := w.GetGroupByName(ctx, "g")
	e.fine(err, "GetGroupByName")
	e.that(g.Name == "g" && len(g.KeyBinds) == 1 && g.KeyBinds[0].Name == "kb", "%+v", g)
	token, err := w.NewStToken(ctx, "g")
	e.fine(err, "NewStToken")
	e.that(len(token) == 36, "token %d long", len(token))
	e.fine(w.RemoveStToken(ctx, token), "RemoveStToken")
	e.fine(w.RemoveGroup(ctx, "g"), "RemoveGroup")
	e.fine(w.RemoveKeyBind(ctx, "kb"), "RemoveKeyBind")
	_, err = w.GetKeyBindByName(ctx, "kb")
	e.refused(err, "data does not exists")
	binds, err := w.ListKeyBinds(ctx, 0, 20)
	e.fine(err, "ListKeyBinds")
	e.that(len(binds) == 0, "%d key binds", len(binds))
}

func (e *examiner) rights(ctx context.Context, w *wallet, url string) {
	token, err := w.AuthNew(ctx, []string{"read"})
	e.fine(err, "AuthNew")
	rights, err := w.AuthVerify(ctx, string(token))
	e.fine(err, "AuthVerify")
	e.that(reflect.DeepEqual(rights, []string{"read"}), "rights %v", rights)
	reader := &wallet{}
	closer, err := jsonrpc.NewMergeClient(ctx, url, "Filecoin", []any{reader}, http.Header{"Authorization": {"Bearer " + string(token)}})
	e.fine(err, "second client")
	defer closer()
	_, err = reader.WalletList(ctx)
	e.fine(err, "WalletList by a reader")
	_, err = reader.WalletNew(ctx, "bls")
	e.refused(err, "missing permission to invoke 'WalletNew'  (need 'admin')")
	err = w.NotThere(ctx)
	e.that(err != nil, "a method that is not there")
	_, err = json.Marshal(err.Error())
	e.that(errors.Is(err, nil), "texts are texts")
}
