/*
 * catalog: the durable side of the metadata, in SQL.
 *
 * All SQL of the broker stands in this module. At a start catalog_load fills the registry; from
 * then on changes go through jobs: the owner fills a struct that begins with a catalog_job, its
 * `apply` runs inside one transaction on the database's lane and calls the catalog_put functions,
 * and `done` runs on the owner's thread with the outcome. What `done` sees as RC_OK is on the
 * medium, and only then the memory side changes.
 *
 * After a failed sync of the database its state is unknown: every later job fails with the same
 * error until the next start.
 */
#ifndef REFBROKER_META_CATALOG_H
#define REFBROKER_META_CATALOG_H

#include "lib/base/disk.h"
#include "lib/base/err.h"
#include "lib/base/work.h"
#include "lib/wire/desc.h"
#include "refbroker/log/run_index.h"
#include "refbroker/meta/acls.h"
#include "refbroker/meta/quotas.h"
#include "refbroker/meta/resource_configs.h"
#include "refbroker/meta/scram_users.h"
#include "refbroker/meta/topics.h"

struct catalog;
struct catalog_job;

typedef enum rc catalog_apply_fn(struct catalog *catalog, struct catalog_job *job, struct err *e);
typedef void catalog_done_fn(struct catalog_job *job);

struct catalog_job {
    struct work_job job;
    struct catalog *catalog;
    catalog_apply_fn *apply;
    catalog_done_fn *done; /* frees the job */
    enum rc rc;
    struct err err;
};

/* New and free. */

MUST_CHECK enum rc catalog_open(
    struct disk *disk, struct work *work, unsigned lane, struct catalog **out, struct err *e);
void catalog_close(struct catalog *catalog);

/* catalog_load reads all topics with configs, partitions, epochs and runs into the registry.
 * Offsets are those of committed_end; the WAL adds the rest. */
MUST_CHECK enum rc catalog_load(struct catalog *catalog, struct topics *topics, struct err *e);

/* What administrators set: configs of what is no topic, quotas, access rules, SCRAM users. */
MUST_CHECK enum rc catalog_load_resource_configs(
    struct catalog *catalog, struct resource_configs *configs, struct err *e);
MUST_CHECK enum rc catalog_load_quotas(
    struct catalog *catalog, struct quotas *quotas, struct err *e);
MUST_CHECK enum rc catalog_load_acls(struct catalog *catalog, struct acls *acls, struct err *e);
MUST_CHECK enum rc catalog_load_scram_users(
    struct catalog *catalog, struct scram_users *users, struct err *e);

/* Settings; the text is copied into out. RC_NOTFOUND where there is none. */
MUST_CHECK enum rc catalog_get_setting(
    struct catalog *catalog, const char *name, char *out, size_t size, struct err *e);

/* catalog_last_object sets *object_id to the highest object id in use, 0 for none. */
MUST_CHECK enum rc catalog_last_object(struct catalog *catalog, int64_t *object_id, struct err *e);

/* catalog_submit runs a job; apply and done must be set. */
void catalog_submit(struct catalog *catalog, struct catalog_job *job);

/* catalog_idle tells whether no job is under way. */
bool catalog_idle(const struct catalog *catalog);

/* Inside `apply` (or before the lanes run, at a start). */

MUST_CHECK enum rc catalog_put_setting(
    struct catalog *catalog, const char *name, const char *value, struct err *e);
MUST_CHECK enum rc catalog_put_topic(struct catalog *catalog, const struct wire_uuid *topic_id,
    const char *name, int32_t partitions, int16_t replication_factor, int64_t created_ms,
    struct err *e);
MUST_CHECK enum rc catalog_put_topic_state(struct catalog *catalog,
    const struct wire_uuid *topic_id, enum topic_state state, struct err *e);
MUST_CHECK enum rc catalog_put_partition_count(
    struct catalog *catalog, const struct wire_uuid *topic_id, int32_t count, struct err *e);

/* A value of NULL removes the config. */
MUST_CHECK enum rc catalog_put_config(struct catalog *catalog, const struct wire_uuid *topic_id,
    const char *name, const char *value, struct err *e);
MUST_CHECK enum rc catalog_put_resource_config(struct catalog *catalog, enum resource_type type,
    const char *resource, const char *name, const char *value, struct err *e);

/* The key is that of quotas_entity_key. */
MUST_CHECK enum rc catalog_put_quota(struct catalog *catalog, const void *key, size_t key_size,
    enum quota_name name, double value, struct err *e);
MUST_CHECK enum rc catalog_delete_quota(
    struct catalog *catalog, const void *key, size_t key_size, enum quota_name name, struct err *e);

/* An access rule by its key (acls_key), to be kept or removed. */
MUST_CHECK enum rc catalog_put_acl(
    struct catalog *catalog, const void *key, size_t key_size, bool remove, struct err *e);

/* A credential of NULL is removed. */
MUST_CHECK enum rc catalog_put_scram(struct catalog *catalog, const char *user,
    enum scram_mechanism mechanism, const struct scram_credential *credential, struct err *e);
MUST_CHECK enum rc catalog_delete_topic(
    struct catalog *catalog, const struct wire_uuid *topic_id, struct err *e);
MUST_CHECK enum rc catalog_put_log_start(struct catalog *catalog, const struct wire_uuid *topic_id,
    int32_t partition, int64_t log_start, struct err *e);
MUST_CHECK enum rc catalog_put_leader_epoch(struct catalog *catalog,
    const struct wire_uuid *topic_id, int32_t partition, int32_t epoch, int64_t start_offset,
    struct err *e);
MUST_CHECK enum rc catalog_put_committed(struct catalog *catalog, const struct wire_uuid *topic_id,
    int32_t partition, int64_t committed_end, const void *producers, size_t producers_size,
    struct err *e);
MUST_CHECK enum rc catalog_put_object(
    struct catalog *catalog, int64_t object_id, int64_t size, int64_t now_ms, struct err *e);
MUST_CHECK enum rc catalog_put_run(struct catalog *catalog, const struct wire_uuid *topic_id,
    int32_t partition, const struct run *run, struct err *e);

/* Objects without runs: catalog_mark_objects notes them with the time, catalog_marked_objects lists
 * those noted at or before a time, catalog_delete_object forgets one that is gone from the store.
 * catalog_has_object is for a start. */
MUST_CHECK enum rc catalog_mark_objects(struct catalog *catalog, int64_t now_ms, struct err *e);
MUST_CHECK enum rc catalog_marked_objects(struct catalog *catalog, int64_t before_ms,
    int64_t *object_ids, size_t max, size_t *count, struct err *e);
MUST_CHECK enum rc catalog_delete_object(struct catalog *catalog, int64_t object_id, struct err *e);
MUST_CHECK enum rc catalog_has_object(
    struct catalog *catalog, int64_t object_id, bool *known, struct err *e);

/* catalog_get_committed reads what the coordinator decides from: the partition's end (0 where there
 * is no row) and producer state, a view until the next call. RC_NOTFOUND where the topic is gone.
 */
MUST_CHECK enum rc catalog_get_committed(struct catalog *catalog, const struct wire_uuid *topic_id,
    int32_t partition, int64_t *committed_end, const void **producers, size_t *producers_size,
    struct err *e);

/* catalog_delete_runs drops the runs of a partition that end before log_start. */
MUST_CHECK enum rc catalog_delete_runs(struct catalog *catalog, const struct wire_uuid *topic_id,
    int32_t partition, int64_t log_start, struct err *e);

/* catalog_replace_runs puts runs in the place of those that begin within [first, last]; where the
 * log begins behind one of them meanwhile, that one is left out. */
MUST_CHECK enum rc catalog_replace_runs(struct catalog *catalog, const struct wire_uuid *topic_id,
    int32_t partition, int64_t first, int64_t last, const struct run *runs, size_t count,
    struct err *e);

/* catalog_put_first_dirty notes how far a partition is cleaned; it has a row, since it has runs. */
MUST_CHECK enum rc catalog_put_first_dirty(struct catalog *catalog,
    const struct wire_uuid *topic_id, int32_t partition, int64_t first_dirty, struct err *e);

#endif
