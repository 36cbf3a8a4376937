-- One broker's metadata. Offsets and timestamps are Kafka's; uuids are 16 bytes.
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE topic (
    topic_id BLOB PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    partitions INTEGER NOT NULL,
    state INTEGER NOT NULL,          -- enum topic_state
    replication_factor INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE topic_config (
    topic_id BLOB NOT NULL REFERENCES topic ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (topic_id, name)
) WITHOUT ROWID;

-- What a partition is beyond its default; a partition that never held anything has no row.
-- committed_end: every batch below it lies in objects. producers: snapshot of the producer state at committed_end.
CREATE TABLE partition (
    topic_id BLOB NOT NULL REFERENCES topic ON DELETE CASCADE,
    partition INTEGER NOT NULL,
    log_start INTEGER NOT NULL DEFAULT 0,
    committed_end INTEGER NOT NULL DEFAULT 0,
    leader_epoch INTEGER NOT NULL DEFAULT 0,
    producers BLOB,
    PRIMARY KEY (topic_id, partition)
) WITHOUT ROWID;

-- Where a leader epoch began in a partition's log.
CREATE TABLE leader_epoch (
    topic_id BLOB NOT NULL REFERENCES topic ON DELETE CASCADE,
    partition INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    start_offset INTEGER NOT NULL,
    PRIMARY KEY (topic_id, partition, epoch)
) WITHOUT ROWID;

-- state: 1 committed, 2 marked (no run is left since changed_ms). The row goes after the object is deleted from the store.
CREATE TABLE object (
    object_id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    state INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
);

-- A run of whole batches of one partition in one object. On coordinated topics the batches still carry the producer's base offsets, and a run holds one batch or several that follow each other.
CREATE TABLE run (
    topic_id BLOB NOT NULL REFERENCES topic ON DELETE CASCADE,
    partition INTEGER NOT NULL,
    base_offset INTEGER NOT NULL,
    last_offset INTEGER NOT NULL,
    max_timestamp INTEGER NOT NULL,
    log_append_time INTEGER NOT NULL,  -- broker's time for LogAppendTime batches of coordinated topics, else -1
    object_id INTEGER NOT NULL REFERENCES object,
    position INTEGER NOT NULL,
    size INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (topic_id, partition, base_offset)
) WITHOUT ROWID;
CREATE INDEX run_object ON run (object_id);

INSERT INTO setting VALUES ('producer_id_next', '0');
