#include "audit/snapshot_schema.h"

#include "lib/base/xalloc.h"

static const struct db_migration versions[] = {
    {1,
        /* What the file is about; one row, audit = 1. cluster_id is null where no broker told it.
         */
        "CREATE TABLE cluster (audit INTEGER PRIMARY KEY, kdl TEXT, cluster_id TEXT,"
        " brokers INTEGER NOT NULL, racks INTEGER NOT NULL, acls INTEGER NOT NULL,"
        " quotas INTEGER NOT NULL, client_id_quotas INTEGER NOT NULL,"
        " scram_users INTEGER NOT NULL, is_restricted INTEGER NOT NULL,"
        " looks INTEGER NOT NULL, first_ms INTEGER NOT NULL, longest_gap_ms INTEGER NOT NULL,"
        " requests INTEGER NOT NULL, sampled_bytes INTEGER NOT NULL, took_ms INTEGER NOT NULL)"
        " STRICT;"
        /* All requests that the writer knew; at_ms is 0 for one that was not needed. */
        "CREATE TABLE probes (probe TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;"
        /* What a request could not tell, about a topic or (-1) the cluster. */
        "CREATE TABLE gaps (topic INTEGER NOT NULL, probe TEXT NOT NULL, why TEXT NOT NULL,"
        " unsupported INTEGER NOT NULL, failures INTEGER NOT NULL, PRIMARY KEY (topic, probe))"
        " STRICT;"
        "CREATE TABLE topics (topic INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
        " partition_count INTEGER NOT NULL, is_internal INTEGER NOT NULL, bytes INTEGER NOT NULL,"
        " offsets INTEGER NOT NULL, began_later INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
        " unstable INTEGER NOT NULL, replication INTEGER NOT NULL, lagging INTEGER NOT NULL,"
        " leaderless INTEGER NOT NULL, moving INTEGER NOT NULL, producers INTEGER NOT NULL,"
        " transactional_producers INTEGER NOT NULL, open_transactions INTEGER NOT NULL,"
        " last_sequence INTEGER NOT NULL, rate_records INTEGER NOT NULL,"
        " rate_window_ms INTEGER NOT NULL, peak_records INTEGER NOT NULL,"
        " peak_window_ms INTEGER NOT NULL, role INTEGER NOT NULL, role_group INTEGER NOT NULL,"
        " sample_batches INTEGER NOT NULL, sample_transactional INTEGER NOT NULL,"
        " sample_control INTEGER NOT NULL, sample_with_producer INTEGER NOT NULL,"
        " sample_bytes INTEGER NOT NULL, sample_offsets INTEGER NOT NULL,"
        " sample_offsets_stored INTEGER NOT NULL, sample_holes INTEGER NOT NULL,"
        " sample_keyed INTEGER NOT NULL, sample_unkeyed INTEGER NOT NULL,"
        " sample_repeated INTEGER NOT NULL, sample_program INTEGER NOT NULL,"
        " sample_programs TEXT, sample_cut INTEGER NOT NULL,"
        " sample_partitions INTEGER NOT NULL, sample_old_format INTEGER NOT NULL,"
        " sample_log_append_time INTEGER NOT NULL, sample_horizons INTEGER NOT NULL,"
        " sample_uncompressed_bytes INTEGER NOT NULL, sample_records INTEGER NOT NULL,"
        " sample_counted INTEGER NOT NULL, sample_tombstones INTEGER NOT NULL,"
        " sample_backwards INTEGER NOT NULL, sample_newest_ms INTEGER NOT NULL) STRICT;"
        "CREATE TABLE partitions (topic INTEGER NOT NULL, partition INTEGER NOT NULL,"
        " log_start_offset INTEGER NOT NULL, end_offset INTEGER NOT NULL, bytes INTEGER NOT NULL,"
        " PRIMARY KEY (topic, partition)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE groups (grp INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
        " type INTEGER NOT NULL, state TEXT, members INTEGER NOT NULL, app INTEGER NOT NULL,"
        " app_why TEXT, protocol_type TEXT, has_pattern INTEGER NOT NULL) STRICT;"
        /* Groups of topics, in the order in which they were seen. */
        "CREATE TABLE uses (topic INTEGER NOT NULL, place INTEGER NOT NULL, grp INTEGER NOT NULL,"
        " commits INTEGER NOT NULL, members INTEGER NOT NULL, lag INTEGER NOT NULL,"
        " lost INTEGER NOT NULL, PRIMARY KEY (topic, place)) STRICT, WITHOUT ROWID;"
        /* Configs of topics, and (-1) of the broker that answered. */
        "CREATE TABLE configs (topic INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
        " is_own INTEGER NOT NULL, PRIMARY KEY (topic, key)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE features (feature TEXT PRIMARY KEY, level INTEGER NOT NULL) STRICT;"
        "CREATE TABLE transactional_ids (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)"
        " STRICT;"
        /* Topics in open transactions, in the order in which they were seen. */
        "CREATE TABLE footprints (place INTEGER PRIMARY KEY, number INTEGER NOT NULL,"
        " topic INTEGER NOT NULL) STRICT;"},
    /* Transactions that are over, too. */
    {2, "ALTER TABLE footprints ADD COLUMN is_past INTEGER NOT NULL DEFAULT 0;"},
    /* And what transactions read. */
    {3, "ALTER TABLE footprints ADD COLUMN is_input INTEGER NOT NULL DEFAULT 0;"},
    /* By places in traces.def instead, and what a request log told of clients. */
    {4, "ALTER TABLE footprints ADD COLUMN trace INTEGER NOT NULL DEFAULT 0;"
        "UPDATE footprints SET trace = CASE WHEN is_input = 1 THEN 2 ELSE is_past END;"
        "ALTER TABLE footprints DROP COLUMN is_past;"
        "ALTER TABLE footprints DROP COLUMN is_input;"
        "CREATE TABLE clients (client INTEGER PRIMARY KEY, id TEXT NOT NULL,"
        " principal TEXT NOT NULL, software TEXT NOT NULL, version TEXT NOT NULL) STRICT;"
        "CREATE TABLE contacts (topic INTEGER NOT NULL, place INTEGER NOT NULL,"
        " client INTEGER NOT NULL, produces INTEGER NOT NULL, transactional INTEGER NOT NULL,"
        " fetches INTEGER NOT NULL, committed_fetches INTEGER NOT NULL,"
        " share_fetches INTEGER NOT NULL, commits INTEGER NOT NULL, PRIMARY KEY (topic, place))"
        " STRICT, WITHOUT ROWID;"},
    /* And what the brokers' metrics told. */
    {5, "ALTER TABLE topics ADD COLUMN traffic_bytes_in INTEGER NOT NULL DEFAULT -1;"
        "ALTER TABLE topics ADD COLUMN traffic_bytes_out INTEGER NOT NULL DEFAULT -1;"
        "ALTER TABLE topics ADD COLUMN traffic_records_in INTEGER NOT NULL DEFAULT -1;"
        "ALTER TABLE topics ADD COLUMN traffic_window_ms INTEGER NOT NULL DEFAULT 0;"},
    /* And whom access rules permit what; tokens. */
    {6, "ALTER TABLE cluster ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;"
        "CREATE TABLE principals (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " transactional_ids TEXT) STRICT;"
        "CREATE TABLE grants (topic INTEGER NOT NULL, place INTEGER NOT NULL,"
        " principal INTEGER NOT NULL, may_write INTEGER NOT NULL, may_read INTEGER NOT NULL,"
        " PRIMARY KEY (topic, place)) STRICT, WITHOUT ROWID;"},
    /* And leader epochs, aborted transactions, tiered offsets, how far the sampling has come;
     * clients' metrics, brokers of other versions, and the fullest disk. */
    {7, "ALTER TABLE topics ADD COLUMN tiered INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE topics ADD COLUMN aborted_asked INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE topics ADD COLUMN aborted_found INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE partitions ADD COLUMN epoch_offset INTEGER NOT NULL DEFAULT -1;"
        "ALTER TABLE partitions ADD COLUMN leader_epoch INTEGER NOT NULL DEFAULT -1;"
        "ALTER TABLE partitions ADD COLUMN is_sampled INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE uses ADD COLUMN overwritten INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE uses ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE cluster ADD COLUMN metrics_subscriptions INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE cluster ADD COLUMN odd_brokers INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE cluster ADD COLUMN fullest_broker INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE cluster ADD COLUMN fullest_total_bytes INTEGER NOT NULL DEFAULT 0;"
        "ALTER TABLE cluster ADD COLUMN fullest_usable_bytes INTEGER NOT NULL DEFAULT 0;"},
};

const struct db_migration *
snapshot_schema_versions(size_t *count)
{
    *count = ARRAY_LEN(versions);
    return versions;
}
