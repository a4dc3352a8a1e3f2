package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"

	"golang.org/x/crypto/scrypt"
	"golang.org/x/crypto/sha3"
)

// A private key at rest: scrypt over the hashed password, AES-128-CTR, a Keccak MAC.

type sealed struct {
	Cipher       string         `json:"cipher"`
	CipherText   string         `json:"ciphertext"`
	CipherParams ivParams       `json:"cipherparams"`
	KDF          string         `json:"kdf"`
	KDFParams    map[string]any `json:"kdfparams"`
	MAC          string         `json:"mac"`
}

type ivParams struct {
	IV string `json:"iv"`
}

// stored is the content of the private_key column.
type stored struct {
	Type       string
	PrivateKey []byte
}

func keccak(parts ...[]byte) []byte {
	hash := sha3.NewLegacyKeccak256()
	for _, part := range parts {
		hash.Write(part)
	}
	return hash.Sum(nil)
}

func ctr(key, iv, in []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(in))
	cipher.NewCTR(block, iv).XORKeyStream(out, in)
	return out, nil
}

func seal(password string, n int, keyType string, private []byte) ([]byte, error) {
	random := make([]byte, 48)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	salt, iv := random[:32], random[32:]
	derived, err := scrypt.Key(keccak([]byte(password)), salt, n, 8, 1, 32)
	if err != nil {
		return nil, err
	}
	text, err := ctr(derived[:16], iv, private)
	if err != nil {
		return nil, err
	}
	box, err := json.Marshal(sealed{
		Cipher:       "aes-128-ctr",
		CipherText:   hex.EncodeToString(text),
		CipherParams: ivParams{hex.EncodeToString(iv)},
		KDF:          "scrypt",
		KDFParams:    map[string]any{"n": n, "r": 8, "p": 1, "dklen": 32, "salt": hex.EncodeToString(salt)},
		MAC:          hex.EncodeToString(keccak(derived[16:], text)),
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(stored{Type: keyType, PrivateKey: box})
}

func unseal(password string, column []byte) (string, []byte, error) {
	var key stored
	if err := json.Unmarshal(column, &key); err != nil {
		return "", nil, err
	}
	var box sealed
	if err := json.Unmarshal(key.PrivateKey, &box); err != nil {
		return "", nil, err
	}
	if box.Cipher != "aes-128-ctr" || box.KDF != "scrypt" {
		return "", nil, errors.New("unknown cipher or kdf")
	}
	number := func(name string) int { value, _ := box.KDFParams[name].(float64); return int(value) }
	salt, err := hex.DecodeString(box.KDFParams["salt"].(string))
	if err != nil {
		return "", nil, err
	}
	derived, err := scrypt.Key(keccak([]byte(password)), salt, number("n"), number("r"), number("p"), number("dklen"))
	if err != nil {
		return "", nil, err
	}
	text, err := hex.DecodeString(box.CipherText)
	if err != nil {
		return "", nil, err
	}
	if hex.EncodeToString(keccak(derived[16:32], text)) != box.MAC {
		return "", nil, errors.New("could not decrypt key with given password")
	}
	iv, err := hex.DecodeString(box.CipherParams.IV)
	if err != nil {
		return "", nil, err
	}
	private, err := ctr(derived[:16], iv, text)
	if err != nil {
		return "", nil, err
	}
	if len(private) != 32 || bytes.Equal(private, make([]byte, 32)) {
		return "", nil, errors.New("no key inside")
	}
	return key.Type, private, nil
}
