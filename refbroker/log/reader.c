#include "refbroker/log/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/crc32c.h"
#include "lib/wire/kerr.h"

#define FAILURE_KEPT_MS 1000

/* A run in memory, or on its way. */
struct entry {
    struct work_job job;
    struct reader *reader;
    struct list_node in_use_order; /* linked once it is loaded */
    struct list waiters;
    struct run run;
    bool coordinated;
    int32_t leader_epoch;
    struct blob *blob;
    bool loading;
    int16_t error;
    int64_t failed_ms;
    enum rc rc;
    struct err err;
};

struct run_key {
    int64_t object_id;
    int64_t position;
};

struct reader {
    struct broker *broker;
    struct map entries; /* by run_key */
    struct list use_order;
    size_t bytes;         /* in memory */
    size_t loading_bytes; /* on their way */
    size_t bytes_max;     /* of either */
    uint64_t loads;
    struct list room; /* waiters for which nothing could be loaded */
};

void
reader_key(char out[READER_KEY_BYTES], int64_t object_id)
{
    snprintf(out, READER_KEY_BYTES, "%016" PRIx64 ".obj", object_id);
}

bool
reader_key_parse(const char *key, int64_t *object_id)
{
    char again[READER_KEY_BYTES];

    *object_id = (int64_t)strtoull(key, NULL, 16);
    reader_key(again, *object_id);
    return strcmp(key, again) == 0;
}

struct reader *
reader_new(struct broker *broker, size_t bytes_max)
{
    struct reader *reader = xcalloc(1, sizeof *reader);

    reader->broker = broker;
    reader->bytes_max = bytes_max;
    map_init(&reader->entries);
    list_init(&reader->use_order);
    list_init(&reader->room);
    return reader;
}

static void
entry_free(void *value)
{
    struct entry *entry = value;

    blob_unref(entry->blob);
    free(entry);
}

void
reader_free(struct reader *reader)
{
    if (reader == NULL)
        return;
    map_fini(&reader->entries, entry_free);
    free(reader);
}

static struct run_key
key_of(const struct run *run)
{
    return (struct run_key){run->object_id, run->position};
}

static void
entry_drop(struct reader *reader, struct entry *entry)
{
    struct run_key key = key_of(&entry->run);

    map_remove(&reader->entries, &key, sizeof key);
    if (list_is_linked(&entry->in_use_order)) {
        list_remove(&reader->use_order, &entry->in_use_order);
        reader->bytes -= entry->run.size;
    }
    entry_free(entry);
}

/* Gives the batches of a coordinated run the offsets that the coordinator assigned: they follow
 * each other from the run's base offset on. */
static enum rc
offsets_write(const struct entry *entry, struct err *e)
{
    struct batch_view_cursor cursor = {entry->blob->data, entry->run.size};
    int64_t next = entry->run.base_offset;
    struct batch_view batch;
    bool found;
    enum rc rc;

    while ((rc = batch_view_next(&cursor, &batch, &found, e)) == RC_OK && found) {
        struct batch_rewrite change = {
            .fields = BATCH_REWRITE_BASE_OFFSET | BATCH_REWRITE_LEADER_EPOCH,
            .base_offset = next,
            .leader_epoch = entry->leader_epoch,
        };

        if (entry->run.log_append_time >= 0) {
            change.fields |= BATCH_REWRITE_TIMESTAMP;
            change.max_timestamp = entry->run.log_append_time;
            change.log_append_time = true;
        }
        batch_rewrite_header(
            entry->blob->data + (batch.data - entry->blob->data), batch.size, &change);
        next += batch.last_offset_delta + 1;
    }
    return rc;
}

enum rc
reader_read(struct store *store, const struct run *run, uint8_t *data, struct err *e)
{
    char key[READER_KEY_BYTES];
    enum rc rc;

    reader_key(key, run->object_id);
    rc = store_get(store, key, run->position, data, run->size, e);
    if (rc == RC_OK && crc32c_of(data, run->size) != run->crc)
        rc = err_set(
            e, RC_CORRUPT, "bytes %" PRId64 "+%u have a wrong checksum", run->position, run->size);
    return rc;
}

static void
load_run(struct work_job *job)
{
    struct entry *entry = (struct entry *)(void *)job;

    entry->rc =
        reader_read(entry->reader->broker->store, &entry->run, entry->blob->data, &entry->err);
    if (entry->rc == RC_OK && entry->coordinated)
        entry->rc = offsets_write(entry, &entry->err);
}

static void
shrink(struct reader *reader)
{
    while (reader->bytes > reader->bytes_max && reader->use_order.count > 1)
        entry_drop(reader, list_of(list_first(&reader->use_order), struct entry, in_use_order));
}

/* Those who wait now; who asks again inside the call may come to wait again. */
static void
waiters_call(struct broker *broker, struct list *waiters)
{
    for (size_t left = waiters->count; left > 0 && !list_is_empty(waiters); left--) {
        struct reader_waiter *waiter = list_of(list_pop(waiters), struct reader_waiter, node);

        waiter->waits_in = NULL;
        waiter->ready(broker, waiter);
    }
}

static void
load_done(struct work_job *job)
{
    struct entry *entry = (struct entry *)(void *)job;
    struct reader *reader = entry->reader;
    struct broker *broker = reader->broker;

    entry->loading = false;
    reader->loading_bytes -= entry->run.size;
    if (entry->rc == RC_OK) {
        list_push_back(&reader->use_order, &entry->in_use_order);
        reader->bytes += entry->run.size;
    } else {
        bool damaged = entry->rc == RC_CORRUPT || entry->rc == RC_TRUNCATED;

        entry->error = damaged ? KE_CORRUPT_MESSAGE : KE_KAFKA_STORAGE_ERROR;
        entry->failed_ms = env_now_ms(broker->env);
        broker->stats.object_corrupt_total += damaged;
        if (!store_has_told(entry->rc))
            log_error(
                "OBJECT-READ", "object %016" PRIx64 ": %s", entry->run.object_id, entry->err.text);
    }
    waiters_call(broker, &entry->waiters);
    waiters_call(broker, &reader->room);
    shrink(reader);
}

static bool
has_room(const struct reader *reader, const struct run *run)
{
    return reader->loading_bytes == 0 || reader->loading_bytes + run->size <= reader->bytes_max;
}

static void
wait_in(struct reader_waiter *waiter, struct list *waiters)
{
    if (waiter == NULL || waiter->waits_in != NULL)
        return;
    waiter->waits_in = waiters;
    list_push_back(waiters, &waiter->node);
}

static struct entry *
load(struct reader *reader, struct partition *partition, const struct run *run)
{
    struct entry *entry = xcalloc(1, sizeof *entry);
    struct run_key key = key_of(run);

    entry->reader = reader;
    entry->run = *run;
    entry->coordinated = partition->topic->configs.values.coordinated;
    entry->leader_epoch = partition->leader_epoch;
    entry->blob = blob_new(run->size);
    if (entry->blob == NULL) {
        free(entry);
        return NULL;
    }
    entry->loading = true;
    reader->loading_bytes += run->size;
    list_init(&entry->waiters);
    entry->job.run = load_run;
    entry->job.done = load_done;
    map_put(&reader->entries, &key, sizeof key, entry);
    work_submit(reader->broker->options.work,
        LANE_READ + (unsigned)(reader->loads++ % LANE_READ_COUNT), &entry->job);
    return entry;
}

static void
read_ahead(struct reader *reader, struct partition *partition, const struct run *run)
{
    const struct run *next = run_index_find(&partition->runs, run->last_offset + 1);
    struct run_key key;

    if (next == NULL || !has_room(reader, next))
        return;
    key = key_of(next);
    if (map_get(&reader->entries, &key, sizeof key) == NULL)
        (void)load(reader, partition, next);
}

enum reader_state
reader_get(struct reader *reader, struct partition *partition, const struct run *run,
    struct reader_waiter *waiter, struct blob **blob, int16_t *error)
{
    struct run_key key = key_of(run);
    struct entry *entry = map_get(&reader->entries, &key, sizeof key);

    if (entry != NULL && entry->error != 0 &&
        env_now_ms(reader->broker->env) - entry->failed_ms > FAILURE_KEPT_MS) {
        entry_drop(reader, entry);
        entry = NULL;
    }
    if (entry == NULL && !has_room(reader, run)) {
        wait_in(waiter, &reader->room);
        return READER_LOADING;
    }
    if (entry == NULL)
        entry = load(reader, partition, run);
    if (entry == NULL) {
        *error = KE_KAFKA_STORAGE_ERROR;
        return READER_FAILED;
    }
    if (entry->loading) {
        wait_in(waiter, &entry->waiters);
        return READER_LOADING;
    }
    if (entry->error != 0) {
        *error = entry->error;
        return READER_FAILED;
    }
    list_remove(&reader->use_order, &entry->in_use_order);
    list_push_back(&reader->use_order, &entry->in_use_order);
    *blob = entry->blob;
    read_ahead(reader, partition, run);
    return READER_READY;
}

void
reader_leave(struct reader_waiter *waiter)
{
    if (waiter->waits_in != NULL)
        list_remove(waiter->waits_in, &waiter->node);
    waiter->waits_in = NULL;
}
