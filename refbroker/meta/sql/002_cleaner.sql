-- Where the cleaner goes on in a compacted partition (Kafka's cleaner-offset-checkpoint).
ALTER TABLE partition ADD COLUMN first_dirty INTEGER NOT NULL DEFAULT 0;
