-- Configs of consumer groups, which need not exist (KIP-848).
CREATE TABLE group_config (
    group_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (group_id, name)
) WITHOUT ROWID;
