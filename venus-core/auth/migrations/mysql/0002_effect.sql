-- What one instance ended, for the others on this database. Kept for minutes.
CREATE TABLE IF NOT EXISTS `venus_effect` (
    `id` BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `instance` CHAR(36) NOT NULL,
    -- Unix seconds.
    `at` BIGINT NOT NULL,
    -- JSON.
    `effect` TEXT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
