-- The tables of sophon-auth, where it did not make them already. Ours compare text byte by byte; adopted ones keep
-- their collation. Addresses stand without their network letter; relations are by the user's name.

CREATE TABLE IF NOT EXISTS `token` (
    `name` VARCHAR(50) NOT NULL,
    `perm` VARCHAR(50) NOT NULL,
    `secret` VARCHAR(255) NOT NULL,
    `extra` VARCHAR(255),
    `token` VARCHAR(512) NOT NULL,
    `createTime` DATETIME NOT NULL,
    `is_deleted` BIGINT NOT NULL DEFAULT 0,
    UNIQUE KEY `token_token_IDX` (`token`),
    KEY `idx_token_is_deleted` (`is_deleted`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `users` (
    `id` VARCHAR(64) NOT NULL PRIMARY KEY,
    `name` VARCHAR(50) NOT NULL,
    `comment` VARCHAR(255),
    `state` TINYINT(4) NOT NULL DEFAULT 0,
    `createTime` DATETIME NOT NULL,
    `updateTime` DATETIME NOT NULL,
    `is_deleted` BIGINT NOT NULL DEFAULT 0,
    UNIQUE KEY `users_name_IDX` (`name`),
    KEY `idx_users_is_deleted` (`is_deleted`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `miners` (
    `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `miner` VARCHAR(128) NOT NULL,
    `user` VARCHAR(50) NOT NULL,
    `open_mining` TINYINT(1) DEFAULT 1,
    `created_at` DATETIME(3) NULL,
    `updated_at` DATETIME(3) NULL,
    `deleted_at` DATETIME(3) NULL,
    UNIQUE KEY `miner_idx` (`miner`),
    KEY `idx_miners_deleted_at` (`deleted_at`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `signers` (
    `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `user` VARCHAR(50) NOT NULL,
    `signer` VARCHAR(128) NOT NULL,
    `created_at` DATETIME(3) NULL,
    `updated_at` DATETIME(3) NULL,
    `deleted_at` DATETIME(3) NULL,
    UNIQUE KEY `user_signer_idx` (`user`, `signer`),
    KEY `idx_signers_deleted_at` (`deleted_at`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `user_rate_limits` (
    `id` VARCHAR(64) NOT NULL PRIMARY KEY,
    `name` VARCHAR(50) NOT NULL,
    `service` VARCHAR(50),
    `api` VARCHAR(50),
    `reqLimit` VARCHAR(256),
    KEY `user_service_api_IDX` (`name`, `service`, `api`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `store_versions` (
    `id` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `version` BIGINT UNSIGNED
) ENGINE=InnoDB;

-- What those tables have no place for.

-- Keyed by the column of the other table, whether that is a hash or a token.
CREATE TABLE IF NOT EXISTS `venus_token` (
    `token` VARCHAR(512) NOT NULL PRIMARY KEY,
    `id` CHAR(36) NOT NULL,
    `fingerprint` CHAR(64) NOT NULL,
    -- Orders tokens of one instant.
    `seq` BIGINT NOT NULL,
    `created` VARCHAR(40) NOT NULL,
    `expires` VARCHAR(40),
    -- JSON lists of text.
    `audience` TEXT,
    `scopes` TEXT,
    KEY `venus_token_id` (`id`),
    KEY `venus_token_fingerprint` (`fingerprint`),
    KEY `venus_token_seq` (`seq`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `venus_signer` (
    `signer` VARCHAR(128) NOT NULL,
    `user` VARCHAR(50) NOT NULL,
    `provenance` VARCHAR(16) NOT NULL,
    PRIMARY KEY (`signer`, `user`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `venus_grant` (
    `signer` VARCHAR(128) NOT NULL,
    `user` VARCHAR(50) NOT NULL,
    `granted` VARCHAR(40) NOT NULL,
    PRIMARY KEY (`signer`, `user`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What went with a deleted user, and comes back with it: kind is `miner` or `signer`.
CREATE TABLE IF NOT EXISTS `venus_gone` (
    `user` VARCHAR(50) NOT NULL,
    `kind` VARCHAR(8) NOT NULL,
    `name` VARCHAR(128) NOT NULL,
    PRIMARY KEY (`user`, `kind`, `name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `venus_ban` (
    `subject` VARCHAR(160) NOT NULL PRIMARY KEY,
    `reason` TEXT NOT NULL,
    `banned` VARCHAR(40) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS `venus_audit` (
    `id` CHAR(36) NOT NULL PRIMARY KEY,
    `at` VARCHAR(40) NOT NULL,
    `actor` VARCHAR(255) NOT NULL,
    `remote` VARCHAR(45),
    `action` VARCHAR(64) NOT NULL,
    `subject` VARCHAR(255) NOT NULL,
    `was` TEXT NOT NULL,
    `became` TEXT NOT NULL,
    KEY `venus_audit_actor` (`actor`, `id`),
    KEY `venus_audit_subject` (`subject`, `id`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
