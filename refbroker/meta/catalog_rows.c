#include "refbroker/meta/catalog_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/limits.h"

/* The file may have been damaged or edited: nothing that it says may make the process end later, so
 * every number is looked at before it is believed. */
static enum rc
number_of_row(
    struct db_statement *row, int column, int64_t low, int64_t high, int64_t *number, struct err *e)
{
    *number = db_column_int(row, column);
    return *number >= low && *number <= high
               ? RC_OK
               : err_set(e, RC_CORRUPT, "column %d holds %" PRId64, column, *number);
}

static enum rc
topic_id_of_row(struct db_statement *row, struct wire_uuid *topic_id, struct err *e)
{
    size_t size;
    const void *bytes = db_column_bytes(row, 0, &size);

    if (size != sizeof *topic_id)
        return err_set(e, RC_CORRUPT, "a topic id of %zu bytes", size);
    memcpy(topic_id, bytes, size);
    return RC_OK;
}

static enum rc
topic_of_row(struct db_statement *row, struct topics *topics, struct topic **topic, struct err *e)
{
    struct wire_uuid topic_id;
    enum rc rc = topic_id_of_row(row, &topic_id, e);

    if (rc != RC_OK)
        return rc;
    *topic = topics_find_id(topics, &topic_id);
    return *topic != NULL ? RC_OK : err_set(e, RC_CORRUPT, "a row of a topic that is not there");
}

enum rc
catalog_rows_topic(struct db_statement *row, struct topics *topics, struct err *e)
{
    int64_t partitions, state, replication_factor;
    struct wire_uuid topic_id;
    struct topic *topic;
    const char *name, *why;
    size_t size;
    enum rc rc = topic_id_of_row(row, &topic_id, e);

    if (rc == RC_OK)
        rc = number_of_row(
            row, 2, 1, LIMIT_PARTITIONS_MAX - topics->partition_count, &partitions, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 3, TOPIC_ACTIVE, TOPIC_PROMOTED, &state, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 4, 1, INT16_MAX, &replication_factor, e);
    if (rc != RC_OK)
        return rc;
    (void)db_column_bytes(row, 1, &size);
    name = db_column_text(row, 1);
    why = topics_name_check(name, size);
    if (why != NULL || topics_find_id(topics, &topic_id) != NULL)
        return err_set(e, RC_CORRUPT, "the topic's name: %s", why == NULL ? "a second id" : why);
    topic = topics_add(topics, &topic_id, name, (int32_t)partitions);
    topic->state = (enum topic_state)state;
    topic->replication_factor = (int16_t)replication_factor;
    topic->created_ms = db_column_int(row, 5);
    return RC_OK;
}

enum rc
catalog_rows_config(struct db_statement *row, struct topics *topics, struct err *e)
{
    struct topic *topic;
    enum rc rc = topic_of_row(row, topics, &topic, e);

    if (rc == RC_OK)
        topic_configs_set(&topic->configs, db_column_text(row, 1), db_column_text(row, 2));
    return rc;
}

static enum rc
partition_of_row(
    struct db_statement *row, struct topics *topics, struct partition **partition, struct err *e)
{
    struct topic *topic;
    int64_t index;
    enum rc rc = topic_of_row(row, topics, &topic, e);

    if (rc == RC_OK)
        rc = number_of_row(row, 1, 0, topic->partition_count - 1, &index, e);
    if (rc == RC_OK)
        *partition = topics_partition(topic, (int32_t)index);
    return rc;
}

enum rc
catalog_rows_partition(struct db_statement *row, struct topics *topics, struct err *e)
{
    struct partition *partition;
    int64_t log_start, committed_end, leader_epoch, first_dirty;
    const void *producers;
    size_t size;
    enum rc rc = partition_of_row(row, topics, &partition, e);

    if (rc == RC_OK)
        rc = number_of_row(row, 2, 0, INT64_MAX, &log_start, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 3, 0, INT64_MAX, &committed_end, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 4, 0, INT32_MAX, &leader_epoch, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 6, 0, INT64_MAX, &first_dirty, e);
    if (rc != RC_OK)
        return rc;
    partition->log_start_offset = log_start;
    partition->committed_end = committed_end;
    partition->leader_epoch = (int32_t)leader_epoch;
    partition->first_dirty_offset = first_dirty;
    partition->log_end_offset = committed_end > log_start ? committed_end : log_start;
    partition->high_watermark = partition->log_end_offset;
    producers = db_column_bytes(row, 5, &size);
    if (size == 0)
        return RC_OK;
    partition->committed_producers = xmemdup(producers, size);
    partition->committed_producers_size = size;
    return producers_load(partition_producers(partition), producers, size, e);
}

enum rc
catalog_rows_epoch(struct db_statement *row, struct topics *topics, struct err *e)
{
    struct partition *partition;
    int64_t epoch, start_offset;
    enum rc rc = partition_of_row(row, topics, &partition, e);

    if (rc == RC_OK)
        rc = number_of_row(row, 2, 0, INT32_MAX, &epoch, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 3, 0, INT64_MAX, &start_offset, e);
    if (rc == RC_OK)
        partition_epoch_start(partition, (int32_t)epoch, start_offset);
    return rc;
}

enum rc
catalog_rows_run(struct db_statement *row, struct topics *topics, struct err *e)
{
    struct partition *partition;
    const struct run *before;
    struct run run;
    int64_t size, crc, first;
    enum rc rc = partition_of_row(row, topics, &partition, e);

    if (rc != RC_OK)
        return rc;
    before = partition->runs.count == 0 ? NULL : &partition->runs.runs[partition->runs.count - 1];
    first = before == NULL ? 0 : before->last_offset + 1;
    run.max_timestamp = db_column_int(row, 4);
    run.log_append_time = db_column_int(row, 5);
    run.object_id = db_column_int(row, 6);
    rc = number_of_row(row, 2, first, INT64_MAX, &run.base_offset, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 3, run.base_offset, INT64_MAX - 1, &run.last_offset, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 7, 0, INT64_MAX, &run.position, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 8, 1, UINT32_MAX, &size, e);
    if (rc == RC_OK)
        rc = number_of_row(row, 9, 0, UINT32_MAX, &crc, e);
    if (rc != RC_OK)
        return rc;
    run.size = (uint32_t)size;
    run.crc = (uint32_t)crc;
    run_index_add(&partition->runs, &run);
    return RC_OK;
}

enum rc
catalog_rows_quota(struct db_statement *row, struct quotas *quotas, struct err *e)
{
    const char *text = db_column_text(row, 1);
    enum quota_name name = quotas_name_find((struct wire_string){text, (int32_t)strlen(text)});
    int64_t bits = db_column_int(row, 2);
    size_t size;
    const void *key = db_column_bytes(row, 0, &size);
    double value;

    memcpy(&value, &bits, sizeof value);
    if (name == QUOTA_COUNT || !(value > 0))
        return err_set(e, RC_CORRUPT, "a quota %s of %g", text, value);
    return quotas_set(quotas, key, size, name, value, e);
}

enum rc
catalog_rows_scram(struct db_statement *row, struct scram_users *users, struct err *e)
{
    struct scram_credential credential = {.iterations = 0};
    const void *bytes[3];
    int64_t mechanism, iterations;
    size_t sizes[3], key_size;
    enum rc rc = number_of_row(row, 1, SCRAM_SHA_256, SCRAM_SHA_512, &mechanism, e);

    if (rc == RC_OK)
        rc = number_of_row(row, 2, 1, INT32_MAX, &iterations, e);
    if (rc != RC_OK)
        return rc;
    credential.kind = scram_users_kind((enum scram_mechanism)mechanism);
    key_size = digest_size(credential.kind);
    for (int i = 0; i < 3; i++)
        bytes[i] = db_column_bytes(row, 3 + i, &sizes[i]);
    if (sizes[0] > sizeof credential.salt || sizes[1] != key_size || sizes[2] != key_size)
        return err_set(e, RC_CORRUPT, "a SCRAM credential of %zu, %zu and %zu bytes", sizes[0],
            sizes[1], sizes[2]);
    credential.iterations = (uint32_t)iterations;
    credential.salt_size = sizes[0];
    if (sizes[0] > 0)
        memcpy(credential.salt, bytes[0], sizes[0]);
    memcpy(credential.stored_key, bytes[1], key_size);
    memcpy(credential.server_key, bytes[2], key_size);
    scram_users_set(users, db_column_text(row, 0), (enum scram_mechanism)mechanism, &credential);
    return RC_OK;
}
