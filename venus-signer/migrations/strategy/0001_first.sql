-- Tables of venus-wallet v1.0 to v1.8, which may be there already.
CREATE TABLE IF NOT EXISTS "groupAuth" (
    "token" varchar(36) NOT NULL PRIMARY KEY,
    "id" integer NOT NULL,
    "created_at" datetime,
    "updated_at" datetime,
    "deleted_at" datetime
);
CREATE INDEX IF NOT EXISTS "idx_groupAuth_id" ON "groupAuth" ("id");
CREATE INDEX IF NOT EXISTS "idx_groupAuth_deleted_at" ON "groupAuth" ("deleted_at");

CREATE TABLE IF NOT EXISTS "keyBind" (
    "id" integer PRIMARY KEY AUTOINCREMENT,
    "name" varchar(32) NOT NULL UNIQUE,
    "address" varchar(255) NOT NULL,
    "meta_types" integer NOT NULL,
    "methods" text NOT NULL,
    "created_at" datetime,
    "updated_at" datetime,
    "deleted_at" datetime
);
CREATE INDEX IF NOT EXISTS "idx_keyBind_address" ON "keyBind" ("address");
CREATE INDEX IF NOT EXISTS "idx_keyBind_deleted_at" ON "keyBind" ("deleted_at");

CREATE TABLE IF NOT EXISTS "group" (
    "id" integer PRIMARY KEY AUTOINCREMENT,
    "name" varchar(32) NOT NULL UNIQUE,
    "bind_ids" text NOT NULL,
    "created_at" datetime,
    "updated_at" datetime,
    "deleted_at" datetime
);
CREATE INDEX IF NOT EXISTS "idx_group_deleted_at" ON "group" ("deleted_at");

CREATE TABLE IF NOT EXISTS "methodTmp" (
    "id" integer PRIMARY KEY AUTOINCREMENT,
    "name" varchar(32) NOT NULL UNIQUE,
    "methods" text NOT NULL,
    "created_at" datetime,
    "updated_at" datetime,
    "deleted_at" datetime
);
CREATE INDEX IF NOT EXISTS "idx_methodTmp_deleted_at" ON "methodTmp" ("deleted_at");

CREATE TABLE IF NOT EXISTS "typeTmp" (
    "id" integer PRIMARY KEY AUTOINCREMENT,
    "name" varchar(36) NOT NULL UNIQUE,
    "meta_types" integer NOT NULL,
    "created_at" datetime,
    "updated_at" datetime,
    "deleted_at" datetime
);
CREATE INDEX IF NOT EXISTS "idx_typeTmp_deleted_at" ON "typeTmp" ("deleted_at");

-- Ours: hashes of tokens, and accounts of gateways.
CREATE TABLE "groupAuthHash" (
    "hash" blob NOT NULL PRIMARY KEY,
    "shown" varchar(8) NOT NULL,
    "id" integer NOT NULL,
    "created_at" datetime,
    "updated_at" datetime,
    "deleted_at" datetime
);
CREATE INDEX "idx_groupAuthHash_id" ON "groupAuthHash" ("id");

CREATE TABLE "accountAuth" (
    "account" varchar(255) NOT NULL,
    "id" integer NOT NULL,
    "created_at" datetime,
    "updated_at" datetime,
    "deleted_at" datetime,
    PRIMARY KEY ("account", "id")
);
CREATE INDEX "idx_accountAuth_id" ON "accountAuth" ("id");

-- Go left tokens behind when their group was removed. Where ids are given again they would come to life.
DELETE FROM "groupAuth" WHERE "id" NOT IN (SELECT "id" FROM "group");
