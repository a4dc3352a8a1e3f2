package main

import (
	"database/sql"
	"time"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// The tables of a Go wallet's keystore, as gorm makes them from structs of these shapes.

type keyRow struct {
	gorm.Model
	Address    string `gorm:"type:varchar(255);uniqueIndex:idx_wallets_address;column:address"`
	PrivateKey []byte `gorm:"type:blob;not null;column:private_key"`
}

func (keyRow) TableName() string { return "wallets" }

type recordRow struct {
	ID            string         `gorm:"type:varchar(256);primaryKey;column:id"`
	CreatedAt     time.Time      `gorm:"index;column:created_at"`
	Type          string         `gorm:"type:text;column:type"`
	Signer        string         `gorm:"type:varchar(256);index;not null;column:signer"`
	Err           sql.NullString `gorm:"type:varchar(256);column:err"`
	RawMsg        []byte         `gorm:"type:blob;column:raw_msg"`
	SignatureType uint8          `gorm:"column:signature_type"`
	SignatureData []byte         `gorm:"type:blob;column:signature_data"`
}

func (recordRow) TableName() string { return "sign_record" }

// Stamps are what gorm keeps of every row.
type Stamps struct {
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt sql.NullTime `gorm:"index"`
}

type tokenRow struct {
	Token   string `gorm:"type:varchar(36);primaryKey;column:token"`
	GroupID uint   `gorm:"column:id;index;not null"`
	Stamps
}

func (tokenRow) TableName() string { return "groupAuth" }

type bindRow struct {
	ID        uint   `gorm:"primaryKey;column:id"`
	Name      string `gorm:"type:varchar(32);unique;not null;column:name"`
	Address   string `gorm:"type:varchar(255);index;column:address"`
	MetaTypes uint32 `gorm:"column:meta_types"`
	Methods   string `gorm:"type:text;column:methods"`
	Stamps
}

func (bindRow) TableName() string { return "keyBind" }

type groupRow struct {
	ID      uint   `gorm:"primaryKey;column:id"`
	Name    string `gorm:"type:varchar(32);unique;not null;column:name"`
	BindIDs string `gorm:"type:text;column:bind_ids"`
	Stamps
}

func (groupRow) TableName() string { return "group" }

type methodsRow struct {
	ID      uint   `gorm:"primaryKey;column:id"`
	Name    string `gorm:"type:varchar(32);unique;not null;column:name"`
	Methods string `gorm:"type:text;column:methods"`
	Stamps
}

func (methodsRow) TableName() string { return "methodTmp" }

type typesRow struct {
	ID        uint   `gorm:"primaryKey;column:id"`
	Name      string `gorm:"type:varchar(36);unique;not null;column:name"`
	MetaTypes uint32 `gorm:"column:meta_types"`
	Stamps
}

func (typesRow) TableName() string { return "typeTmp" }

// open migrates as every start of a Go wallet does, strategies included.
func open(path string) (*gorm.DB, error) {
	db, err := gorm.Open(sqlite.Open(path), &gorm.Config{Logger: logger.Default.LogMode(logger.Silent)})
	if err != nil {
		return nil, err
	}
	return db, db.AutoMigrate(&keyRow{}, &recordRow{}, &tokenRow{}, &bindRow{}, &groupRow{}, &methodsRow{}, &typesRow{})
}
