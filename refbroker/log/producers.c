#include "refbroker/log/producers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/list.h"
#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"

#define SAVED_VERSION 1
#define SAVED_BATCH_BYTES 28
#define SAVED_PRODUCER_BYTES 31
#define SAVED_ABORTED_BYTES 32

struct known_batch {
    int64_t base_offset;
    int64_t last_offset;
    int64_t max_timestamp;
    int32_t base_sequence;
    int32_t last_sequence;
};

struct producer {
    struct list_node in_open; /* linked while its transaction is open */
    int64_t producer_id;
    int64_t last_timestamp;
    int64_t txn_first_offset;
    int32_t coordinator_epoch;
    int16_t producer_epoch;
    uint8_t batch_count;
    struct known_batch batches[PRODUCERS_BATCHES]; /* oldest first */
};

/* A transaction whose marker may not be durable yet. */
struct ending_txn {
    int64_t first_offset;
    int64_t marker_offset;
};

struct producers {
    struct map by_id;
    size_t producers_max;
    struct list open;          /* in order of txn_first_offset */
    struct ending_txn *ending; /* in order of marker_offset */
    size_t ending_count;
    size_t ending_capacity;
    struct aborted_txn *aborted; /* in order of last_offset */
    size_t aborted_count;
    size_t aborted_capacity;
};

struct producers *
producers_new(size_t producers_max)
{
    struct producers *producers = xcalloc(1, sizeof *producers);

    map_init(&producers->by_id);
    list_init(&producers->open);
    producers->producers_max = producers_max;
    return producers;
}

void
producers_free(struct producers *producers)
{
    if (producers == NULL)
        return;
    map_fini(&producers->by_id, free);
    free(producers->aborted);
    free(producers->ending);
    free(producers);
}

static bool
sequence_follows(int32_t last, int32_t next)
{
    return (int64_t)next == (int64_t)last + 1 || (next == 0 && last == INT32_MAX);
}

static const struct known_batch *
batch_find(const struct producer *producer, const struct producer_batch *batch)
{
    for (uint8_t i = 0; i < producer->batch_count; i++)
        if (producer->batches[i].base_sequence == batch->base_sequence &&
            producer->batches[i].last_sequence == batch->last_sequence)
            return &producer->batches[i];
    return NULL;
}

static int32_t
last_sequence(const struct producer *producer)
{
    return producer->batch_count == 0 ? PRODUCERS_NO_SEQUENCE
                                      : producer->batches[producer->batch_count - 1].last_sequence;
}

static int64_t
last_offset(const struct producer *producer)
{
    return producer->batch_count == 0 ? -1
                                      : producer->batches[producer->batch_count - 1].last_offset;
}

enum producer_verdict
producers_check(const struct producers *producers, const struct producer_batch *batch,
    struct producer_first *first)
{
    const struct producer *producer = map_get_int(&producers->by_id, batch->producer_id);
    const struct known_batch *known;

    if (producer == NULL || producer->producer_epoch == PRODUCERS_NO_EPOCH)
        return PRODUCER_APPEND;
    if (batch->producer_epoch < producer->producer_epoch)
        return PRODUCER_FENCED;
    if (batch->producer_epoch > producer->producer_epoch) {
        if (batch->base_sequence != 0)
            return PRODUCER_OUT_OF_ORDER;
    } else {
        known = batch_find(producer, batch);
        if (known != NULL) {
            *first = (struct producer_first){
                known->base_offset, known->last_offset, known->max_timestamp};
            return PRODUCER_DUPLICATE;
        }
        if (!sequence_follows(last_sequence(producer), batch->base_sequence))
            return PRODUCER_OUT_OF_ORDER;
    }
    if (!batch->is_transactional && producer->txn_first_offset >= 0)
        return PRODUCER_BAD_TXN;
    return PRODUCER_APPEND;
}

/* Makes room for one more producer by forgetting the one that was silent longest. */
static void
evict_one(struct producers *producers)
{
    const struct producer *oldest = NULL, *producer;
    size_t position = 0;

    while ((producer = map_next(&producers->by_id, &position, NULL, NULL)) != NULL)
        if (producer->txn_first_offset < 0 &&
            (oldest == NULL || producer->last_timestamp < oldest->last_timestamp))
            oldest = producer;
    if (oldest != NULL)
        free(map_remove_int(&producers->by_id, oldest->producer_id));
}

static struct producer *
producer_make(struct producers *producers, int64_t producer_id)
{
    struct producer *producer = map_get_int(&producers->by_id, producer_id);

    if (producer != NULL)
        return producer;
    if (map_count(&producers->by_id) >= producers->producers_max)
        evict_one(producers);
    producer = xcalloc(1, sizeof *producer);
    producer->producer_id = producer_id;
    producer->producer_epoch = PRODUCERS_NO_EPOCH;
    producer->txn_first_offset = -1;
    producer->coordinator_epoch = -1;
    map_put_int(&producers->by_id, producer_id, producer);
    return producer;
}

void
producers_note(struct producers *producers, const struct producer_batch *batch)
{
    struct producer *producer = producer_make(producers, batch->producer_id);

    if (batch->producer_epoch != producer->producer_epoch) {
        producer->producer_epoch = batch->producer_epoch;
        producer->batch_count = 0;
    }
    if (producer->batch_count == PRODUCERS_BATCHES) {
        memmove(&producer->batches[0], &producer->batches[1],
            sizeof producer->batches[0] * (PRODUCERS_BATCHES - 1));
        producer->batch_count--;
    }
    producer->batches[producer->batch_count++] = (struct known_batch){batch->base_offset,
        batch->last_offset, batch->max_timestamp, batch->base_sequence, batch->last_sequence};
    producer->last_timestamp = batch->max_timestamp;
    if (batch->is_transactional && producer->txn_first_offset < 0) {
        producer->txn_first_offset = batch->base_offset;
        list_push_back(&producers->open, &producer->in_open);
    }
}

static void
aborted_add(struct producers *producers, const struct aborted_txn *txn)
{
    if (producers->aborted_count == producers->aborted_capacity) {
        producers->aborted_capacity =
            producers->aborted_capacity == 0 ? 8 : producers->aborted_capacity * 2;
        producers->aborted =
            xrealloc(producers->aborted, producers->aborted_capacity, sizeof *producers->aborted);
    }
    producers->aborted[producers->aborted_count++] = *txn;
}

static void
ending_add(struct producers *producers, int64_t first_offset, int64_t marker_offset)
{
    if (producers->ending_count == producers->ending_capacity) {
        producers->ending_capacity =
            producers->ending_capacity == 0 ? 8 : producers->ending_capacity * 2;
        producers->ending =
            xrealloc(producers->ending, producers->ending_capacity, sizeof *producers->ending);
    }
    producers->ending[producers->ending_count++] = (struct ending_txn){first_offset, marker_offset};
}

static int64_t
first_open(const struct producers *producers)
{
    struct list_node *first = list_first(&producers->open);

    return first == NULL ? INT64_MAX : list_of(first, struct producer, in_open)->txn_first_offset;
}

void
producers_note_marker(struct producers *producers, int64_t producer_id, int16_t producer_epoch,
    int32_t coordinator_epoch, int64_t offset, int64_t timestamp, bool commit)
{
    struct producer *producer = producer_make(producers, producer_id);
    int64_t first = producer->txn_first_offset;
    int64_t open;

    if (producer_epoch != producer->producer_epoch) {
        producer->producer_epoch = producer_epoch;
        producer->batch_count = 0;
    }
    producer->coordinator_epoch = coordinator_epoch;
    producer->last_timestamp = timestamp;
    if (first < 0)
        return;
    producer->txn_first_offset = -1;
    list_remove(&producers->open, &producer->in_open);
    ending_add(producers, first, offset);
    if (commit)
        return;
    open = first_open(producers);
    aborted_add(producers,
        &(struct aborted_txn){producer_id, first, offset, open < offset ? open : offset + 1});
}

enum producer_marker_verdict
producers_check_marker(const struct producers *producers, int64_t producer_id,
    int16_t producer_epoch, int32_t coordinator_epoch, int16_t version)
{
    const struct producer *producer = map_get_int(&producers->by_id, producer_id);
    bool is_again;

    if (producer == NULL)
        return PRODUCER_MARKER_APPEND;
    is_again = producer->txn_first_offset < 0 || producer_epoch == INT16_MAX;
    if (producer_epoch < producer->producer_epoch ||
        (version >= 2 && producer_epoch == producer->producer_epoch && !is_again))
        return PRODUCER_MARKER_FENCED;
    return coordinator_epoch < producer->coordinator_epoch ? PRODUCER_MARKER_COORDINATOR_FENCED
                                                           : PRODUCER_MARKER_APPEND;
}

bool
producers_is_open(const struct producers *producers, int64_t producer_id, int16_t producer_epoch)
{
    const struct producer *producer = map_get_int(&producers->by_id, producer_id);

    return producer != NULL && producer->txn_first_offset >= 0 &&
           producer->producer_epoch == producer_epoch;
}

bool
producers_knows(const struct producers *producers, int64_t producer_id)
{
    return map_get_int(&producers->by_id, producer_id) != NULL;
}

int64_t
producers_first_unstable(const struct producers *producers, int64_t high_watermark)
{
    int64_t first = first_open(producers);

    for (size_t i = producers->ending_count;
         i > 0 && producers->ending[i - 1].marker_offset >= high_watermark; i--)
        if (producers->ending[i - 1].first_offset < first)
            first = producers->ending[i - 1].first_offset;
    return first;
}

void
producers_settle(struct producers *producers, int64_t high_watermark)
{
    size_t settled = 0;

    while (settled < producers->ending_count &&
           producers->ending[settled].marker_offset < high_watermark)
        settled++;
    producers->ending_count -= settled;
    if (settled > 0)
        memmove(producers->ending, producers->ending + settled,
            producers->ending_count * sizeof *producers->ending);
}

bool
producers_aborted(const struct producers *producers, int64_t from, int64_t to, size_t *position,
    struct aborted_txn *out)
{
    while (*position < producers->aborted_count) {
        const struct aborted_txn *txn = &producers->aborted[(*position)++];

        if (txn->last_offset >= from && txn->first_offset < to) {
            *out = *txn;
            return true;
        }
    }
    return false;
}

bool
producers_next(const struct producers *producers, size_t *position, struct producer_info *out)
{
    const struct producer *producer = map_next(&producers->by_id, position, NULL, NULL);

    if (producer == NULL)
        return false;
    *out = (struct producer_info){producer->producer_id, producer->last_timestamp,
        producer->txn_first_offset, last_offset(producer), last_sequence(producer),
        producer->coordinator_epoch, producer->producer_epoch};
    return true;
}

size_t
producers_count(const struct producers *producers)
{
    return map_count(&producers->by_id);
}

void
producers_expire(struct producers *producers, int64_t before_ms)
{
    const struct producer *producer;
    size_t position = 0;

    while ((producer = map_next(&producers->by_id, &position, NULL, NULL)) != NULL)
        if (producer->txn_first_offset < 0 && producer->last_timestamp < before_ms)
            free(map_remove_int(&producers->by_id, producer->producer_id));
}

void
producers_trim(struct producers *producers, int64_t log_start_offset)
{
    size_t kept = 0;

    for (size_t i = 0; i < producers->aborted_count; i++)
        if (producers->aborted[i].last_offset >= log_start_offset)
            producers->aborted[kept++] = producers->aborted[i];
    producers->aborted_count = kept;
}

static int
by_offset(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

    return (first > second) - (first < second);
}

void
producers_forget_aborted(struct producers *producers, const int64_t *last_offsets, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < producers->aborted_count && count > 0; i++)
        if (bsearch(&producers->aborted[i].last_offset, last_offsets, count, sizeof *last_offsets,
                by_offset) == NULL)
            producers->aborted[kept++] = producers->aborted[i];
    if (count > 0)
        producers->aborted_count = kept;
}

static void
save_int16(struct buf *out, int16_t value)
{
    uint8_t bytes[2];

    codec_bytes_put_int16(bytes, value);
    buf_append(out, bytes, sizeof bytes);
}

static void
save_int32(struct buf *out, int32_t value)
{
    uint8_t bytes[4];

    codec_bytes_put_int32(bytes, value);
    buf_append(out, bytes, sizeof bytes);
}

static void
save_int64(struct buf *out, int64_t value)
{
    uint8_t bytes[8];

    codec_bytes_put_int64(bytes, value);
    buf_append(out, bytes, sizeof bytes);
}

static void
save_producer(struct buf *out, const struct producer *producer)
{
    save_int64(out, producer->producer_id);
    save_int64(out, producer->last_timestamp);
    save_int64(out, producer->txn_first_offset);
    save_int32(out, producer->coordinator_epoch);
    save_int16(out, producer->producer_epoch);
    buf_append_byte(out, producer->batch_count);
    for (uint8_t i = 0; i < producer->batch_count; i++) {
        const struct known_batch *batch = &producer->batches[i];

        save_int64(out, batch->base_offset);
        save_int32(out, (int32_t)(batch->last_offset - batch->base_offset));
        save_int64(out, batch->max_timestamp);
        save_int32(out, batch->base_sequence);
        save_int32(out, batch->last_sequence);
    }
}

void
producers_save(const struct producers *producers, struct buf *out)
{
    const struct producer *producer;
    size_t position = 0;

    save_int16(out, SAVED_VERSION);
    save_int32(out, (int32_t)map_count(&producers->by_id));
    while ((producer = map_next(&producers->by_id, &position, NULL, NULL)) != NULL)
        save_producer(out, producer);
    save_int32(out, (int32_t)producers->aborted_count);
    for (size_t i = 0; i < producers->aborted_count; i++) {
        save_int64(out, producers->aborted[i].producer_id);
        save_int64(out, producers->aborted[i].first_offset);
        save_int64(out, producers->aborted[i].last_offset);
        save_int64(out, producers->aborted[i].last_stable_offset);
    }
}

struct loader {
    const uint8_t *at;
    const uint8_t *end;
};

/* The next `size` bytes, or NULL where they are not there. */
static const uint8_t *
take(struct loader *loader, size_t size)
{
    const uint8_t *p = loader->at;

    if ((size_t)(loader->end - loader->at) < size)
        return NULL;
    loader->at += size;
    return p;
}

static bool
load_producer(struct producers *producers, struct loader *loader)
{
    const uint8_t *p = take(loader, SAVED_PRODUCER_BYTES);
    struct producer *producer;

    if (p == NULL || p[30] > PRODUCERS_BATCHES ||
        map_get_int(&producers->by_id, codec_bytes_int64(p)) != NULL)
        return false;
    producer = producer_make(producers, codec_bytes_int64(p));
    producer->last_timestamp = codec_bytes_int64(p + 8);
    producer->txn_first_offset = codec_bytes_int64(p + 16);
    producer->coordinator_epoch = codec_bytes_int32(p + 24);
    producer->producer_epoch = codec_bytes_int16(p + 28);
    producer->batch_count = p[30];
    for (uint8_t i = 0; i < producer->batch_count; i++) {
        p = take(loader, SAVED_BATCH_BYTES);
        if (p == NULL)
            return false;
        producer->batches[i] = (struct known_batch){codec_bytes_int64(p),
            codec_bytes_int64(p) + codec_bytes_int32(p + 8), codec_bytes_int64(p + 12),
            codec_bytes_int32(p + 20), codec_bytes_int32(p + 24)};
    }
    return true;
}

static bool
load_all(struct producers *producers, struct loader *loader)
{
    const uint8_t *p = take(loader, 6);
    int32_t count = p == NULL ? -1 : codec_bytes_int32(p + 2);

    if (p == NULL || codec_bytes_int16(p) != SAVED_VERSION || count < 0)
        return false;
    for (; count > 0; count--)
        if (!load_producer(producers, loader))
            return false;
    p = take(loader, 4);
    if (p == NULL || codec_bytes_int32(p) < 0)
        return false;
    for (count = codec_bytes_int32(p); count > 0; count--) {
        p = take(loader, SAVED_ABORTED_BYTES);
        if (p == NULL)
            return false;
        aborted_add(producers, &(struct aborted_txn){codec_bytes_int64(p), codec_bytes_int64(p + 8),
                                   codec_bytes_int64(p + 16), codec_bytes_int64(p + 24)});
    }
    return loader->at == loader->end;
}

static int
by_first_offset(const void *a, const void *b)
{
    const struct producer *left = *(const struct producer *const *)a;
    const struct producer *right = *(const struct producer *const *)b;

    return (left->txn_first_offset > right->txn_first_offset) -
           (left->txn_first_offset < right->txn_first_offset);
}

/* The list of open transactions, of what was loaded. */
static void
open_collect(struct producers *producers)
{
    struct producer **open = xcalloc(map_count(&producers->by_id) + 1, sizeof(struct producer *));
    struct producer *producer;
    size_t position = 0, count = 0;

    while ((producer = map_next(&producers->by_id, &position, NULL, NULL)) != NULL)
        if (producer->txn_first_offset >= 0)
            open[count++] = producer;
    qsort(open, count, sizeof(struct producer *), by_first_offset);
    for (size_t i = 0; i < count; i++)
        list_push_back(&producers->open, &open[i]->in_open);
    free(open);
}

static void
empty(struct producers *producers)
{
    map_fini(&producers->by_id, free);
    list_init(&producers->open);
    producers->aborted_count = 0;
    producers->ending_count = 0;
}

enum rc
producers_load(struct producers *producers, const void *data, size_t size, struct err *e)
{
    struct loader loader = {data, (const uint8_t *)data + size};

    empty(producers);
    if (load_all(producers, &loader)) {
        open_collect(producers);
        return RC_OK;
    }
    empty(producers);
    return err_set(e, RC_CORRUPT, "the saved producer state of %zu bytes is not readable", size);
}
