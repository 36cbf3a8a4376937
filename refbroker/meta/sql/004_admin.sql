-- Configs of what is no topic: groups (32), subscriptions to client metrics (16).
CREATE TABLE resource_config (
    type INTEGER NOT NULL,           -- ConfigResource.Type
    resource TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (type, resource, name)
) WITHOUT ROWID;
INSERT INTO resource_config SELECT 32, group_id, name, value FROM group_config;
DROP TABLE group_config;

-- Quotas (KIP-546). entity is the key of quotas.h; value is the double's bits.
CREATE TABLE client_quota (
    entity BLOB NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (entity, name)
) WITHOUT ROWID;

-- Access rules; the key is that of acls.h.
CREATE TABLE acl (rule BLOB PRIMARY KEY) WITHOUT ROWID;

-- SCRAM users (KIP-554): nothing here tells the password.
CREATE TABLE scram_credential (
    user TEXT NOT NULL,
    mechanism INTEGER NOT NULL,
    iterations INTEGER NOT NULL,
    salt BLOB NOT NULL,
    stored_key BLOB NOT NULL,
    server_key BLOB NOT NULL,
    PRIMARY KEY (user, mechanism)
) WITHOUT ROWID;
