CREATE TABLE IF NOT EXISTS `wallets` (
    `id` integer PRIMARY KEY AUTOINCREMENT,
    `created_at` datetime,
    `updated_at` datetime,
    `deleted_at` datetime,
    `address` varchar(255),
    `private_key` blob NOT NULL
);
CREATE INDEX IF NOT EXISTS `idx_wallets_deleted_at` ON `wallets`(`deleted_at`);
CREATE UNIQUE INDEX IF NOT EXISTS `idx_wallets_address` ON `wallets`(`address`);
