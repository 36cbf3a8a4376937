#include "tests/unit/refbroker/log/wal_rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"

#define BATCH_BYTES_MIN 16
#define CACHE_BYTES ((size_t)1 << 30)

static char reason[256];

/* The bytes of a batch follow from its id. What is large enough for a batch of format 2 has the
 * checksum of one, by which the WAL goes. */
static void
batch_bytes(size_t id, uint8_t *out, size_t size)
{
    uint64_t x = id * 0x9e3779b97f4a7c15u + 1;

    memcpy(out, &id, sizeof id);
    for (size_t i = sizeof id; i < size; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out[i] = (uint8_t)x;
    }
    if (size < BATCH_VIEW_HEADER_BYTES)
        return;
    out[BATCH_VIEW_MAGIC_AT] = 2;
    codec_bytes_put_int32(out + BATCH_VIEW_CRC_AT,
        (int32_t)crc32c_of(out + BATCH_VIEW_ATTRIBUTES_AT, size - BATCH_VIEW_ATTRIBUTES_AT));
}

static void
process_begin(struct wal_rig *rig)
{
    cache_init(&rig->cache, CACHE_BYTES);
    rig->work = work_new(1, false, NULL, NULL);
    for (int i = 0; i < WAL_RIG_PARTITIONS; i++)
        rig->partitions[i] = partition_new(&rig->cache, &rig->topic, i);
}

static void
process_end(struct wal_rig *rig)
{
    work_free(rig->work);
    wal_close(rig->wal);
    rig->work = NULL;
    rig->wal = NULL;
    for (int i = 0; i < WAL_RIG_PARTITIONS; i++)
        partition_drop(rig->partitions[i]);
}

struct wal_rig *
wal_rig_new(uint64_t seed)
{
    struct wal_rig *rig = xcalloc(1, sizeof *rig);

    rig->disk = disk_cut_new(seed);
    env_init_seeded(&rig->env, seed + 1000000007, 0);
    memset(&rig->topic.topic_id, 0x5a, sizeof rig->topic.topic_id);
    return rig;
}

void
wal_rig_free(struct wal_rig *rig)
{
    if (rig->wal != NULL)
        wal_rig_crash(rig, false);
    disk_free(rig->disk);
    free(rig->batches);
    free(rig);
    blob_trim();
}

static void
wrong_note(struct wal_rig *rig, const char *what, size_t id)
{
    if (rig->wrong != NULL)
        return;
    snprintf(reason, sizeof reason, "batch %zu %s", id, what);
    rig->wrong = reason;
}

/* --- while it runs --------------------------------------------------------------------------- */

static void
batch_done(void *arg, struct partition *partition, int64_t base_offset, int64_t last_offset,
    uint64_t sequence, enum wal_outcome outcome)
{
    struct wal_rig *rig = arg;
    size_t id = (size_t)base_offset; /* one offset space for all partitions */

    (void)last_offset;
    if (disk_cut_is_stopped(rig->disk))
        return; /* the process is dead: it tells nobody anything */
    if (outcome == WAL_LOST) {
        rig->lost_count++;
        partition->stopped = true;
        return;
    }
    if (partition->stopped)
        wrong_note(rig, "is durable behind a lost one", id);
    if (sequence < rig->sequence_max)
        wrong_note(rig, "has a sequence below an earlier one", id);
    rig->sequence_max = sequence;
    rig->batches[id].state = WAL_RIG_DURABLE;
    rig->batches[id].sequence = sequence;
    rig->durable_count++;
    partition->high_watermark = last_offset + 1;
}

void
wal_rig_append(struct wal_rig *rig, int index, size_t size)
{
    struct partition *partition = rig->partitions[index];
    size_t id = rig->batch_count++;
    struct blob *blob;

    if (size == 0)
        size = BATCH_BYTES_MIN + env_random_below(&rig->env, 3000);
    if (rig->batch_count > rig->batch_capacity) {
        rig->batch_capacity = rig->batch_capacity == 0 ? 64 : rig->batch_capacity * 2;
        rig->batches = xrealloc(rig->batches, rig->batch_capacity, sizeof *rig->batches);
    }
    rig->batches[id] = (struct wal_rig_batch){.size = size, .partition = index};
    blob = blob_new(size);
    REQUIRE(blob != NULL);
    batch_bytes(id, blob->data, size);
    wal_append(rig->wal, cache_add(partition, blob, blob->data, (uint32_t)size, (int64_t)id,
                             (int64_t)id, (int64_t)id));
    partition->log_end_offset = (int64_t)id + 1;
    blob_unref(blob);
}

void
wal_rig_settle(struct wal_rig *rig)
{
    do
        wal_flush(rig->wal);
    while (work_step(rig->work, 0) || work_reap(rig->work) > 0);
}

void
wal_rig_write_groups(struct wal_rig *rig, int count, size_t batch_bytes)
{
    for (int i = 0; i < count; i++) {
        wal_rig_append(rig, i % WAL_RIG_PARTITIONS, batch_bytes);
        wal_rig_settle(rig);
    }
    wal_rig_stop(rig);
}

void
wal_rig_trim(struct wal_rig *rig, uint64_t sequence)
{
    if (sequence > rig->sequence_max)
        sequence = rig->sequence_max;
    if (disk_cut_is_stopped(rig->disk))
        return;
    if (rig->trimmed < sequence)
        rig->trimmed = sequence;
    wal_trim(rig->wal, sequence);
}

static void
move(struct wal_rig *rig)
{
    int partition = (int)env_random_below(&rig->env, WAL_RIG_PARTITIONS);
    uint64_t what = env_random_below(&rig->env, 16);

    if (what < 7) {
        if (!rig->partitions[partition]->stopped)
            wal_rig_append(rig, partition, 0);
    } else if (what < 9) {
        wal_flush(rig->wal);
    } else if (what < 12) {
        (void)work_step(rig->work, 0);
    } else if (what < 14) {
        (void)work_reap(rig->work);
    } else if (what == 14) {
        env_advance(&rig->env, 1000000);
    } else if (rig->sequence_max > rig->trimmed) {
        wal_rig_trim(
            rig, rig->trimmed + env_random_below(&rig->env, rig->sequence_max - rig->trimmed + 1));
    }
}

void
wal_rig_play(struct wal_rig *rig, size_t moves)
{
    while (moves-- > 0 && !disk_cut_is_stopped(rig->disk))
        move(rig);
}

void
wal_rig_crash(struct wal_rig *rig, bool power)
{
    /* What is still queued must not reach the disk. */
    if (!disk_cut_is_stopped(rig->disk))
        disk_cut_stop_at(rig->disk, 1);
    process_end(rig);
    if (power)
        disk_cut_power(rig->disk);
    else
        disk_cut_kill(rig->disk);
}

void
wal_rig_stop(struct wal_rig *rig)
{
    wal_rig_settle(rig);
    process_end(rig);
    disk_cut_kill(rig->disk);
}

/* --- the start ------------------------------------------------------------------------------- */

static void
bytes_compare(struct wal_rig *rig, size_t id, const uint8_t *data, size_t size)
{
    uint8_t *expected = xmalloc(rig->batches[id].size);

    batch_bytes(id, expected, rig->batches[id].size);
    if (memcmp(data, expected, size) != 0)
        wrong_note(rig, "has other bytes", id);
    free(expected);
}

static enum rc
batch_found(void *arg, const struct wal_found_batch *found, struct err *e)
{
    struct wal_rig *rig = arg;
    struct wal_rig_batch *batch;
    size_t id;

    if (found->size < sizeof id) {
        wrong_note(rig, "is found too short", 0);
        return RC_OK;
    }
    if (found->head_size > found->size ||
        (found->head_size < found->size && found->head_size < WAL_INDEX_HEAD_BYTES))
        wrong_note(rig, "has a head of another size", 0);
    memcpy(&id, found->head, sizeof id);
    if (id >= rig->batch_count || rig->batches[id].size != found->size) {
        wrong_note(rig, "is found and was never appended", id);
        return RC_OK;
    }
    batch = &rig->batches[id];
    /* Some heads are not enough for whoever finds them. */
    if (found->head_size < found->size && id % 16 == 15)
        return err_set(e, RC_TRUNCATED, "batch %zu is wanted whole", id);
    bytes_compare(rig, id, found->head, found->head_size);
    if (found->head_size < found->size) {
        batch->blob = blob_ref(found->blob);
        batch->data = found->data;
        rig->heads_count++;
    }
    if (found->partition != batch->partition ||
        memcmp(found->topic_id, &rig->topic.topic_id, 16) != 0)
        wrong_note(rig, "is found in another partition", id);
    if (id < rig->found_next)
        wrong_note(rig, "is found out of order", id);
    if (batch->state == WAL_RIG_GONE)
        wrong_note(rig, "was gone and is back", id);
    if (batch->sequence != 0 && batch->sequence != found->sequence)
        wrong_note(rig, "has another sequence", id);
    rig->found_next = id + 1;
    rig->found_count++;
    batch->sequence = found->sequence;
    batch->found = true;
    return RC_OK;
}

/* What was found by its head is there by now. */
static void
heads_compare(struct wal_rig *rig)
{
    for (size_t id = 0; id < rig->batch_count; id++) {
        struct wal_rig_batch *batch = &rig->batches[id];

        if (batch->blob == NULL)
            continue;
        if (wal_is_loaded(rig->wal, batch->blob))
            bytes_compare(rig, id, batch->data, batch->size);
        else
            wrong_note(rig, "is not read", id);
    }
}

static void
blobs_release(struct wal_rig *rig)
{
    for (size_t id = 0; id < rig->batch_count; id++) {
        blob_unref(rig->batches[id].blob);
        rig->batches[id].blob = NULL;
    }
}

static void
judge(struct wal_rig *rig)
{
    bool broken[WAL_RIG_PARTITIONS] = {false};

    for (size_t id = 0; id < rig->batch_count; id++) {
        struct wal_rig_batch *batch = &rig->batches[id];
        bool trimmed = batch->sequence != 0 && batch->sequence <= rig->trimmed;

        if (batch->state == WAL_RIG_GONE || (trimmed && !batch->found))
            continue;
        if (batch->found && broken[batch->partition])
            wrong_note(rig, "is found behind a missing one", id);
        if (batch->found) {
            batch->state = WAL_RIG_DURABLE; /* it may be read from now on */
            continue;
        }
        if (batch->state == WAL_RIG_DURABLE)
            wrong_note(rig, "was acknowledged and is lost", id);
        batch->state = WAL_RIG_GONE;
        broken[batch->partition] = true;
    }
}

enum rc
wal_rig_open(struct wal_rig *rig, const char **wrong, struct err *e)
{
    struct wal_options options = {.disk = rig->disk,
        .env = &rig->env,
        .file_bytes = WAL_RIG_FILE_BYTES,
        .index_bytes_max = rig->index_bytes_max,
        .done = batch_done,
        .arg = rig};
    enum rc rc;

    process_begin(rig);
    options.work = rig->work;
    rig->wrong = NULL;
    rig->found_next = rig->found_count = 0;
    rig->starts++;
    for (size_t id = 0; id < rig->batch_count; id++)
        rig->batches[id].found = false;
    rc = wal_open(&options, batch_found, rig, &rig->wal, e);
    if (rc == RC_OK && !rig->leaves_loads && (rc = wal_load_wait(rig->wal, e)) == RC_OK)
        heads_compare(rig);
    blobs_release(rig);
    if (rc != RC_OK) {
        process_end(rig);
        return rc;
    }
    judge(rig);
    *wrong = rig->wrong;
    return RC_OK;
}

const char *
wal_rig_start(struct wal_rig *rig)
{
    const char *wrong = rig->wrong;
    struct err e = {0};

    if (wrong != NULL)
        return wrong;
    if (wal_rig_open(rig, &wrong, &e) == RC_OK)
        return wrong;
    snprintf(reason, sizeof reason, "the start is refused: %.200s", e.text);
    return reason;
}

/* --- tests with one rig ------------------------------------------------------------------------
 */

int
wal_rig_setup(void **state)
{
    struct wal_rig *rig = wal_rig_new(1);

    *state = rig;
    return wal_rig_start(rig) == NULL ? 0 : -1;
}

int
wal_rig_teardown(void **state)
{
    wal_rig_free(*state);
    return 0;
}
