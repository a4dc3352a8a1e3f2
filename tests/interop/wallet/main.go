// Command wallet does to a wallet of ours what Go programs do: it writes and reads the keystore by gorm, and calls
// the service over go-jsonrpc.
//
//	wallet make FILE PASSWORD N   makes a keystore of the keys on stdin: [{"address","type","key"}]
//	wallet read FILE PASSWORD     prints all of a keystore as JSON
//	wallet call URL TOKEN         calls the service, prints "<n> checks"
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"
)

type keyJSON struct {
	Address string `json:"address"`
	Type    string `json:"type"`
	Key     string `json:"key"`
}

type content struct {
	Keys    []keyJSON    `json:"keys"`
	Records []recordJSON `json:"records"`
	Binds   []string     `json:"binds"`
	Groups  []string     `json:"groups"`
	Tokens  int          `json:"tokens"`
}

type recordJSON struct {
	ID            string    `json:"id"`
	CreatedAt     time.Time `json:"created_at"`
	Type          string    `json:"type"`
	Signer        string    `json:"signer"`
	Err           *string   `json:"err"`
	RawMsg        string    `json:"raw_msg"`
	SignatureType uint8     `json:"signature_type"`
	SignatureData string    `json:"signature_data"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 4 && args[0] == "make":
		n, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return makeStore(args[1], args[2], n)
	case len(args) == 3 && args[0] == "read":
		return readStore(args[1], args[2])
	case len(args) == 3 && args[0] == "call":
		return call(args[1], args[2])
	}
	return fmt.Errorf("unknown arguments %q", args)
}

func makeStore(path, password string, n int) error {
	var keys []keyJSON
	if err := json.NewDecoder(os.Stdin).Decode(&keys); err != nil {
		return err
	}
	db, err := open(path)
	if err != nil {
		return err
	}
	for i, key := range keys {
		private, err := hex.DecodeString(key.Key)
		if err != nil {
			return err
		}
		column, err := seal(password, n, key.Type, private)
		if err != nil {
			return err
		}
		if err := db.Create(&keyRow{Address: key.Address, PrivateKey: column}).Error; err != nil {
			return err
		}
		record := recordRow{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Type: "unknown", Signer: "f" + key.Address, RawMsg: []byte{0x41, 7}}
		if i%2 == 1 {
			record.Err.String, record.Err.Valid = "boom", true
		}
		if err := db.Create(&record).Error; err != nil {
			return err
		}
	}
	bind := bindRow{Name: "kb", Address: "t" + keys[0].Address, MetaTypes: 6, Methods: "Send,CreateMiner"}
	if err := db.Create(&bind).Error; err != nil {
		return err
	}
	group := groupRow{Name: "g", BindIDs: strconv.Itoa(int(bind.ID))}
	if err := db.Create(&group).Error; err != nil {
		return err
	}
	return db.Create(&tokenRow{Token: "7f3ae2a2-6c1e-4d5b-9d5f-0c2f8a1b3c4d", GroupID: group.ID}).Error
}

func readStore(path, password string) error {
	db, err := open(path)
	if err != nil {
		return err
	}
	var rows []keyRow
	if err := db.Order("id").Find(&rows).Error; err != nil {
		return err
	}
	var all content
	for _, row := range rows {
		kind, private, err := unseal(password, row.PrivateKey)
		if err != nil {
			return fmt.Errorf("%s: %w", row.Address, err)
		}
		if row.CreatedAt.IsZero() || row.UpdatedAt.IsZero() {
			return fmt.Errorf("%s: no times", row.Address)
		}
		all.Keys = append(all.Keys, keyJSON{row.Address, kind, hex.EncodeToString(private)})
	}
	var records []recordRow
	if err := db.Order("created_at desc").Find(&records).Error; err != nil {
		return err
	}
	for _, r := range records {
		record := recordJSON{r.ID, r.CreatedAt, r.Type, r.Signer, nil, hex.EncodeToString(r.RawMsg), r.SignatureType, hex.EncodeToString(r.SignatureData)}
		if r.Err.Valid {
			record.Err = &r.Err.String
		}
		all.Records = append(all.Records, record)
	}
	if err := readStrategies(path, &all); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

func readStrategies(path string, all *content) error {
	db, err := open(path)
	if err != nil {
		return err
	}
	var binds []bindRow
	if err := db.Order("id").Find(&binds).Error; err != nil {
		return err
	}
	for _, b := range binds {
		all.Binds = append(all.Binds, fmt.Sprintf("%d %s %s %d %s", b.ID, b.Name, b.Address, b.MetaTypes, b.Methods))
	}
	var groups []groupRow
	if err := db.Order("id").Find(&groups).Error; err != nil {
		return err
	}
	for _, g := range groups {
		all.Groups = append(all.Groups, fmt.Sprintf("%d %s %s", g.ID, g.Name, g.BindIDs))
	}
	var tokens []tokenRow
	err = db.Find(&tokens).Error
	all.Tokens = len(tokens)
	return err
}
