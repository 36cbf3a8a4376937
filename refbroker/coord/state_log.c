#include "refbroker/coord/state_log.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/crc32c.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/java_hash.h"
#include "refbroker/log/reader.h"
#include "refbroker/log/wal.h"
#include "refbroker/meta/create.h"

#define SCRATCH_BYTES_MAX ((size_t)64 * 1024 * 1024)

static struct topic *
topic_find(const struct broker *broker, const char *topic)
{
    return topics_find(&broker->topics, topic, strlen(topic));
}

bool
state_log_ready(struct broker *broker, const char *topic)
{
    if (topic_find(broker, topic) != NULL)
        return true;
    create_topic_by_use(broker, topic, strlen(topic));
    return false;
}

int32_t
state_log_partition_among(const char *id, int32_t count)
{
    int32_t hash = java_hash_text(id);

    return hash == INT32_MIN ? 0 : (hash < 0 ? -hash : hash) % count;
}

int32_t
state_log_partition_of(const struct broker *broker, const char *topic_name, const char *id)
{
    const struct topic *topic = topic_find(broker, topic_name);

    if (topic != NULL)
        return state_log_partition_among(id, topic->partition_count);
    return state_log_partition_among(
        id, broker->options.internal_topics[internal_topics_find(topic_name)].partitions);
}

/* Builds the batch; NULL where it is too large. */
static struct blob *
batch_build(const struct state_log_record *records, size_t count, int64_t now_ms,
    const struct batch_builder_options *options)
{
    struct batch_builder builder;
    struct blob *blob = NULL;
    struct buf out;
    struct err e;
    enum rc rc = RC_OK;

    batch_builder_init(&builder, STATE_LOG_BATCH_BYTES_MAX);
    buf_init(&out, STATE_LOG_BATCH_BYTES_MAX);
    batch_builder_start(&builder, options);
    for (size_t i = 0; i < count && rc == RC_OK; i++) {
        struct batch_builder_record record = {.offset = (int64_t)i,
            .timestamp = now_ms,
            .key = records[i].key,
            .key_size = records[i].key_size,
            .value = records[i].value_size < 0 ? NULL : records[i].value,
            .value_size = records[i].value_size};

        rc = batch_builder_append(&builder, &record, &e);
    }
    if (rc == RC_OK)
        rc = batch_builder_finish(&builder, &out, &e);
    if (rc == RC_OK)
        blob = blob_new(out.size);
    if (blob != NULL)
        memcpy(blob->data, out.data, out.size);
    buf_fini(&out);
    batch_builder_fini(&builder);
    return blob;
}

int16_t
state_log_put(struct broker *broker, const char *topic_name, int32_t index,
    const struct state_log_record *records, size_t count, int64_t producer_id,
    int16_t producer_epoch, int64_t *base_offset)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct topic *topic = topic_find(broker, topic_name);
    struct append_result result;
    struct blob *blob;

    if (topic == NULL)
        return KE_COORDINATOR_NOT_AVAILABLE;
    if (producer_id >= 0) {
        options.producer_id = producer_id;
        options.producer_epoch = producer_epoch;
        options.transactional = true;
    }
    blob = batch_build(records, count, env_wall_ms(broker->env), &options);
    if (blob == NULL)
        return KE_MESSAGE_TOO_LARGE;
    append_internal(broker, topic->partitions[index], blob, blob->data, blob->size, &result);
    blob_unref(blob);
    *base_offset = result.base_offset;
    return result.error == KE_NONE ? KE_NONE : KE_COORDINATOR_NOT_AVAILABLE;
}

void
state_log_wait(
    struct broker *broker, const char *topic_name, int32_t index, struct append_waiter *waiter)
{
    struct topic *topic = topic_find(broker, topic_name);

    if (topic == NULL) {
        waiter->done(broker, waiter, KE_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    waiter->end_offset = topic->partitions[index]->log_end_offset;
    append_wait(broker, topic->partitions[index], waiter);
}

void
state_log_append(struct broker *broker, const char *topic_name, int32_t index,
    const struct state_log_record *records, size_t count, int64_t producer_id,
    int16_t producer_epoch, struct append_waiter *waiter)
{
    int64_t base_offset;
    int16_t error = state_log_put(
        broker, topic_name, index, records, count, producer_id, producer_epoch, &base_offset);

    if (error != KE_NONE)
        waiter->done(broker, waiter, error);
    else
        state_log_wait(broker, topic_name, index, waiter);
}

/* --- reading back ---------------------------------------------------------------------------- */

struct reading {
    struct broker *broker;
    state_log_fn *fn;
    void *arg;
    int32_t partition;
    int64_t log_start_offset; /* of the partition; a run may begin below */
    struct buf scratch;
    size_t unknown;
    struct err *e;
};

static enum rc
batches_read(struct reading *r, const uint8_t *data, size_t size)
{
    struct batch_view_cursor cursor = {data, size};
    struct batch_records_record record;
    struct batch_records records;
    struct batch_view batch;
    struct state_log_entry entry = {.batch = &batch, .record = &record};
    bool found;
    enum rc rc;

    entry.partition = r->partition;
    while ((rc = batch_view_next(&cursor, &batch, &found, r->e)) == RC_OK && found) {
        rc = batch_records_open(&records, &batch, &r->scratch, SCRATCH_BYTES_MAX, r->e);
        while (rc == RC_OK && (rc = batch_records_next(&records, &record, &found, r->e)) == RC_OK &&
               found)
            if (record.offset >= r->log_start_offset)
                r->unknown += !r->fn(r->arg, &entry);
        if (rc != RC_OK)
            break;
    }
    return rc;
}

static enum rc
run_read(struct reading *r, const struct run *run)
{
    char key[READER_KEY_BYTES];
    struct blob *blob = blob_new(run->size);
    enum rc rc;

    if (blob == NULL)
        return err_set(r->e, RC_LIMIT, "no memory for a run of %u bytes", run->size);
    reader_key(key, run->object_id);
    /* Without its state the broker would tell clients wrong things: it waits for the store. */
    do {
        rc = store_get(r->broker->store, key, run->position, blob->data, run->size, r->e);
    } while (rc == RC_TIMEOUT);
    if (rc == RC_OK && crc32c_of(blob->data, run->size) != run->crc)
        rc = err_set(r->e, RC_CORRUPT, "object %s is damaged", key);
    if (rc == RC_OK)
        rc = batches_read(r, blob->data, run->size);
    blob_unref(blob);
    return rc;
}

static enum rc
partition_read(struct reading *r, const struct partition *partition)
{
    int64_t cached_from = cache_start(partition);
    const struct cached_batch *cached;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < partition->runs.count && rc == RC_OK; i++)
        if (partition->runs.runs[i].base_offset < cached_from)
            rc = run_read(r, &partition->runs.runs[i]);
    for (cached = cache_find(partition, cached_from); cached != NULL && rc == RC_OK;
         cached = cache_next(cached)) {
        if (!wal_is_loaded(r->broker->wal, cached->blob))
            rc = wal_load_wait(r->broker->wal, r->e);
        if (rc == RC_OK)
            rc = batches_read(r, cached->data, cached->size);
    }
    return rc;
}

enum rc
state_log_read(
    struct broker *broker, const char *topic_name, state_log_fn *fn, void *arg, struct err *e)
{
    struct topic *topic = topic_find(broker, topic_name);
    struct reading r = {.broker = broker, .fn = fn, .arg = arg, .e = e};
    enum rc rc = RC_OK;

    buf_init(&r.scratch, SCRATCH_BYTES_MAX);
    for (int32_t i = 0; topic != NULL && i < topic->partition_count && rc == RC_OK; i++) {
        r.partition = i;
        r.log_start_offset = topic->partitions[i]->log_start_offset;
        rc = partition_read(&r, topic->partitions[i]);
        if (rc != RC_OK)
            err_note(e, "%s-%d", topic_name, i);
    }
    if (r.unknown > 0)
        log_warn("STATE-LOAD", "%zu records of %s were passed over", r.unknown, topic_name);
    buf_fini(&r.scratch);
    return rc;
}
