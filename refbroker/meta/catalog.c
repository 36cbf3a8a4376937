#include "refbroker/meta/catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/refbroker_sql.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/db/db.h"
#include "refbroker/meta/catalog_rows.h"

#define CATALOG_FILE "metadata.sqlite"

struct catalog {
    struct db *db;
    struct work *work;
    unsigned lane;
    struct err broken; /* set by a failed commit */
#define SQL(name, text) struct db_statement *name;
#include "refbroker/meta/catalog_sql.def"
#undef SQL
};

static enum rc
prepare_all(struct catalog *c, struct err *e)
{
    enum rc rc = RC_OK;

#define SQL(name, text)                                                                            \
    if (rc == RC_OK)                                                                               \
        rc = db_prepare(c->db, text, &c->name, e);
#include "refbroker/meta/catalog_sql.def"
#undef SQL
    return rc;
}

enum rc
catalog_open(
    struct disk *disk, struct work *work, unsigned lane, struct catalog **out, struct err *e)
{
    struct catalog *c = xcalloc(1, sizeof *c);
    enum rc rc = db_open_sqlite(disk, CATALOG_FILE, &c->db, e);

    c->work = work;
    c->lane = lane;
    if (rc == RC_OK)
        rc = db_migrate(c->db, refbroker_sql, refbroker_sql_count, e);
    if (rc == RC_OK)
        rc = prepare_all(c, e);
    if (rc != RC_OK) {
        catalog_close(c);
        return rc;
    }
    *out = c;
    return RC_OK;
}

void
catalog_close(struct catalog *c)
{
    if (c == NULL)
        return;
    db_close(c->db);
    free(c);
}

static void
job_run(struct work_job *work_job)
{
    struct catalog_job *job = (struct catalog_job *)(void *)work_job;
    struct catalog *c = job->catalog;

    if (c->broken.code != RC_OK) {
        job->err = c->broken;
        job->rc = c->broken.code;
        return;
    }
    job->rc = db_begin(c->db, &job->err);
    if (job->rc != RC_OK)
        return;
    job->rc = job->apply(c, job, &job->err);
    if (job->rc != RC_OK) {
        db_rollback(c->db);
        return;
    }
    job->rc = db_commit(c->db, &job->err);
    if (job->rc == RC_IO) {
        log_error(
            "DB-SYNC-FAILED", "%s; metadata changes stop until the next start", job->err.text);
        c->broken = job->err;
    }
}

static void
job_done(struct work_job *work_job)
{
    struct catalog_job *job = (struct catalog_job *)(void *)work_job;

    job->done(job);
}

void
catalog_submit(struct catalog *c, struct catalog_job *job)
{
    job->catalog = c;
    job->job.run = job_run;
    job->job.done = job_done;
    work_submit(c->work, c->lane, &job->job);
}

bool
catalog_idle(const struct catalog *c)
{
    return work_pending(c->work, c->lane) == 0;
}

enum rc
catalog_get_setting(struct catalog *c, const char *name, char *out, size_t size, struct err *e)
{
    bool row;
    enum rc rc;

    db_bind_text(c->setting_get, 1, name, strlen(name));
    rc = db_step(c->setting_get, &row, e);
    if (rc != RC_OK)
        return rc;
    if (row)
        snprintf(out, size, "%s", db_column_text(c->setting_get, 0));
    db_reset(c->setting_get);
    return row ? RC_OK : err_set(e, RC_NOTFOUND, "no setting %s", name);
}

enum rc
catalog_last_object(struct catalog *c, int64_t *object_id, struct err *e)
{
    bool row;
    enum rc rc = db_step(c->object_last, &row, e);

    if (rc != RC_OK)
        return rc;
    *object_id = row ? db_column_int(c->object_last, 0) : 0;
    db_reset(c->object_last);
    return RC_OK;
}

/* --- loading --------------------------------------------------------------------------------- */

static enum rc
load_rows(
    struct db_statement *statement, struct topics *topics, catalog_row_fn *load, struct err *e)
{
    bool row;
    enum rc rc;

    while ((rc = db_step(statement, &row, e)) == RC_OK && row)
        if ((rc = load(statement, topics, e)) != RC_OK)
            break;
    db_reset(statement);
    return rc;
}

enum rc
catalog_load(struct catalog *c, struct topics *topics, struct err *e)
{
    enum rc rc = load_rows(c->topic_all, topics, catalog_rows_topic, e);

    if (rc == RC_OK)
        rc = load_rows(c->config_all, topics, catalog_rows_config, e);
    if (rc == RC_OK)
        rc = load_rows(c->partition_all, topics, catalog_rows_partition, e);
    if (rc == RC_OK)
        rc = load_rows(c->epoch_all, topics, catalog_rows_epoch, e);
    if (rc == RC_OK)
        rc = load_rows(c->run_all, topics, catalog_rows_run, e);
    return rc == RC_OK || e == NULL ? rc : err_note(e, "metadata");
}

enum rc
catalog_load_resource_configs(struct catalog *c, struct resource_configs *configs, struct err *e)
{
    struct db_statement *all = c->resource_config_all;
    bool row;
    enum rc rc;

    while ((rc = db_step(all, &row, e)) == RC_OK && row)
        resource_configs_set(configs, (enum resource_type)db_column_int(all, 0),
            db_column_text(all, 1), db_column_text(all, 2), db_column_text(all, 3));
    db_reset(all);
    return rc;
}

enum rc
catalog_load_quotas(struct catalog *c, struct quotas *quotas, struct err *e)
{
    bool row;
    enum rc rc;

    while ((rc = db_step(c->quota_all, &row, e)) == RC_OK && row)
        if ((rc = catalog_rows_quota(c->quota_all, quotas, e)) != RC_OK)
            break;
    db_reset(c->quota_all);
    return rc == RC_OK || e == NULL ? rc : err_note(e, "metadata");
}

enum rc
catalog_load_acls(struct catalog *c, struct acls *acls, struct err *e)
{
    const void *key;
    size_t size;
    bool row;
    enum rc rc;

    while ((rc = db_step(c->acl_all, &row, e)) == RC_OK && row) {
        key = db_column_bytes(c->acl_all, 0, &size);
        if ((rc = acls_add(acls, key, size, e)) != RC_OK)
            break;
    }
    db_reset(c->acl_all);
    return rc == RC_OK || e == NULL ? rc : err_note(e, "metadata");
}

enum rc
catalog_load_scram_users(struct catalog *c, struct scram_users *users, struct err *e)
{
    bool row;
    enum rc rc;

    while ((rc = db_step(c->scram_all, &row, e)) == RC_OK && row)
        if ((rc = catalog_rows_scram(c->scram_all, users, e)) != RC_OK)
            break;
    db_reset(c->scram_all);
    return rc == RC_OK || e == NULL ? rc : err_note(e, "metadata");
}

/* --- changing -------------------------------------------------------------------------------- */

static void
bind_uuid(struct db_statement *statement, const struct wire_uuid *uuid)
{
    db_bind_blob(statement, 1, uuid, sizeof *uuid);
}

static void
bind_partition(struct db_statement *statement, const struct wire_uuid *topic_id, int32_t partition)
{
    bind_uuid(statement, topic_id);
    db_bind_int(statement, 2, partition);
}

enum rc
catalog_put_setting(struct catalog *c, const char *name, const char *value, struct err *e)
{
    db_bind_text(c->setting_put, 1, name, strlen(name));
    db_bind_text(c->setting_put, 2, value, strlen(value));
    return db_run(c->setting_put, e);
}

enum rc
catalog_put_topic(struct catalog *c, const struct wire_uuid *topic_id, const char *name,
    int32_t partitions, int16_t replication_factor, int64_t created_ms, struct err *e)
{
    bind_uuid(c->topic_put, topic_id);
    db_bind_text(c->topic_put, 2, name, strlen(name));
    db_bind_int(c->topic_put, 3, partitions);
    db_bind_int(c->topic_put, 4, replication_factor);
    db_bind_int(c->topic_put, 5, created_ms);
    return db_run(c->topic_put, e);
}

enum rc
catalog_put_topic_state(
    struct catalog *c, const struct wire_uuid *topic_id, enum topic_state state, struct err *e)
{
    bind_uuid(c->topic_state, topic_id);
    db_bind_int(c->topic_state, 2, (int64_t)state);
    return db_run(c->topic_state, e);
}

enum rc
catalog_put_partition_count(
    struct catalog *c, const struct wire_uuid *topic_id, int32_t count, struct err *e)
{
    bind_uuid(c->topic_grow, topic_id);
    db_bind_int(c->topic_grow, 2, count);
    return db_run(c->topic_grow, e);
}

enum rc
catalog_put_config(struct catalog *c, const struct wire_uuid *topic_id, const char *name,
    const char *value, struct err *e)
{
    struct db_statement *statement = value == NULL ? c->config_delete : c->config_put;

    bind_uuid(statement, topic_id);
    db_bind_text(statement, 2, name, strlen(name));
    if (value != NULL)
        db_bind_text(statement, 3, value, strlen(value));
    return db_run(statement, e);
}

enum rc
catalog_put_resource_config(struct catalog *c, enum resource_type type, const char *resource,
    const char *name, const char *value, struct err *e)
{
    struct db_statement *statement =
        value == NULL ? c->resource_config_delete : c->resource_config_put;

    db_bind_int(statement, 1, type);
    db_bind_text(statement, 2, resource, strlen(resource));
    db_bind_text(statement, 3, name, strlen(name));
    if (value != NULL)
        db_bind_text(statement, 4, value, strlen(value));
    return db_run(statement, e);
}

enum rc
catalog_put_quota(struct catalog *c, const void *key, size_t key_size, enum quota_name name,
    double value, struct err *e)
{
    const char *text = quotas_name_text(name);
    int64_t bits;

    memcpy(&bits, &value, sizeof bits);
    db_bind_blob(c->quota_put, 1, key, key_size);
    db_bind_text(c->quota_put, 2, text, strlen(text));
    db_bind_int(c->quota_put, 3, bits);
    return db_run(c->quota_put, e);
}

enum rc
catalog_delete_quota(
    struct catalog *c, const void *key, size_t key_size, enum quota_name name, struct err *e)
{
    const char *text = quotas_name_text(name);

    db_bind_blob(c->quota_delete, 1, key, key_size);
    db_bind_text(c->quota_delete, 2, text, strlen(text));
    return db_run(c->quota_delete, e);
}

enum rc
catalog_put_acl(struct catalog *c, const void *key, size_t key_size, bool remove, struct err *e)
{
    struct db_statement *statement = remove ? c->acl_delete : c->acl_put;

    db_bind_blob(statement, 1, key, key_size);
    return db_run(statement, e);
}

enum rc
catalog_put_scram(struct catalog *c, const char *user, enum scram_mechanism mechanism,
    const struct scram_credential *credential, struct err *e)
{
    struct db_statement *statement = credential == NULL ? c->scram_delete : c->scram_put;

    db_bind_text(statement, 1, user, strlen(user));
    db_bind_int(statement, 2, mechanism);
    if (credential != NULL) {
        size_t key_size = digest_size(credential->kind);

        db_bind_int(statement, 3, credential->iterations);
        db_bind_blob(statement, 4, credential->salt, credential->salt_size);
        db_bind_blob(statement, 5, credential->stored_key, key_size);
        db_bind_blob(statement, 6, credential->server_key, key_size);
    }
    return db_run(statement, e);
}

enum rc
catalog_delete_topic(struct catalog *c, const struct wire_uuid *topic_id, struct err *e)
{
    bind_uuid(c->topic_delete, topic_id);
    return db_run(c->topic_delete, e);
}

enum rc
catalog_put_log_start(struct catalog *c, const struct wire_uuid *topic_id, int32_t partition,
    int64_t log_start, struct err *e)
{
    bind_partition(c->partition_log_start, topic_id, partition);
    db_bind_int(c->partition_log_start, 3, log_start);
    return db_run(c->partition_log_start, e);
}

enum rc
catalog_put_leader_epoch(struct catalog *c, const struct wire_uuid *topic_id, int32_t partition,
    int32_t epoch, int64_t start_offset, struct err *e)
{
    enum rc rc;

    bind_partition(c->partition_epoch, topic_id, partition);
    db_bind_int(c->partition_epoch, 3, epoch);
    rc = db_run(c->partition_epoch, e);
    if (rc != RC_OK)
        return rc;
    bind_partition(c->epoch_put, topic_id, partition);
    db_bind_int(c->epoch_put, 3, epoch);
    db_bind_int(c->epoch_put, 4, start_offset);
    return db_run(c->epoch_put, e);
}

enum rc
catalog_put_committed(struct catalog *c, const struct wire_uuid *topic_id, int32_t partition,
    int64_t committed_end, const void *producers, size_t producers_size, struct err *e)
{
    bind_partition(c->partition_committed, topic_id, partition);
    db_bind_int(c->partition_committed, 3, committed_end);
    db_bind_blob(c->partition_committed, 4, producers, producers_size);
    return db_run(c->partition_committed, e);
}

enum rc
catalog_get_committed(struct catalog *c, const struct wire_uuid *topic_id, int32_t partition,
    int64_t *committed_end, const void **producers, size_t *producers_size, struct err *e)
{
    bool row;
    enum rc rc;

    db_reset(c->partition_get);
    bind_partition(c->partition_get, topic_id, partition);
    rc = db_step(c->partition_get, &row, e);
    if (rc != RC_OK)
        return rc;
    if (!row)
        return err_set(e, RC_NOTFOUND, "the topic is gone");
    *committed_end = db_column_int(c->partition_get, 0);
    *producers = db_column_bytes(c->partition_get, 1, producers_size);
    return RC_OK;
}

enum rc
catalog_put_object(
    struct catalog *c, int64_t object_id, int64_t size, int64_t now_ms, struct err *e)
{
    db_bind_int(c->object_put, 1, object_id);
    db_bind_int(c->object_put, 2, size);
    db_bind_int(c->object_put, 3, now_ms);
    return db_run(c->object_put, e);
}

enum rc
catalog_put_run(struct catalog *c, const struct wire_uuid *topic_id, int32_t partition,
    const struct run *run, struct err *e)
{
    bind_partition(c->run_put, topic_id, partition);
    db_bind_int(c->run_put, 3, run->base_offset);
    db_bind_int(c->run_put, 4, run->last_offset);
    db_bind_int(c->run_put, 5, run->max_timestamp);
    db_bind_int(c->run_put, 6, run->log_append_time);
    db_bind_int(c->run_put, 7, run->object_id);
    db_bind_int(c->run_put, 8, run->position);
    db_bind_int(c->run_put, 9, run->size);
    db_bind_int(c->run_put, 10, run->crc);
    return db_run(c->run_put, e);
}

enum rc
catalog_delete_runs(struct catalog *c, const struct wire_uuid *topic_id, int32_t partition,
    int64_t log_start, struct err *e)
{
    bind_partition(c->run_delete, topic_id, partition);
    db_bind_int(c->run_delete, 3, log_start);
    return db_run(c->run_delete, e);
}

enum rc
catalog_replace_runs(struct catalog *c, const struct wire_uuid *topic_id, int32_t partition,
    int64_t first, int64_t last, const struct run *runs, size_t count, struct err *e)
{
    enum rc rc;

    bind_partition(c->run_delete_within, topic_id, partition);
    db_bind_int(c->run_delete_within, 3, first);
    db_bind_int(c->run_delete_within, 4, last);
    rc = db_run(c->run_delete_within, e);
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = catalog_put_run(c, topic_id, partition, &runs[i], e);
    if (rc != RC_OK)
        return rc;
    bind_partition(c->run_delete_trimmed, topic_id, partition);
    return db_run(c->run_delete_trimmed, e);
}

enum rc
catalog_put_first_dirty(struct catalog *c, const struct wire_uuid *topic_id, int32_t partition,
    int64_t first_dirty, struct err *e)
{
    bind_partition(c->partition_first_dirty, topic_id, partition);
    db_bind_int(c->partition_first_dirty, 3, first_dirty);
    return db_run(c->partition_first_dirty, e);
}

enum rc
catalog_mark_objects(struct catalog *c, int64_t now_ms, struct err *e)
{
    db_bind_int(c->object_mark, 1, now_ms);
    return db_run(c->object_mark, e);
}

enum rc
catalog_marked_objects(struct catalog *c, int64_t before_ms, int64_t *object_ids, size_t max,
    size_t *count, struct err *e)
{
    bool row;
    enum rc rc;

    *count = 0;
    db_bind_int(c->object_marked, 1, before_ms);
    db_bind_int(c->object_marked, 2, (int64_t)max);
    while ((rc = db_step(c->object_marked, &row, e)) == RC_OK && row)
        object_ids[(*count)++] = db_column_int(c->object_marked, 0);
    db_reset(c->object_marked);
    return rc;
}

enum rc
catalog_delete_object(struct catalog *c, int64_t object_id, struct err *e)
{
    db_bind_int(c->object_delete, 1, object_id);
    return db_run(c->object_delete, e);
}

enum rc
catalog_has_object(struct catalog *c, int64_t object_id, bool *known, struct err *e)
{
    enum rc rc;

    db_bind_int(c->object_has, 1, object_id);
    rc = db_step(c->object_has, known, e);
    db_reset(c->object_has);
    return rc;
}
