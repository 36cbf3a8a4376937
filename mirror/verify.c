#include "mirror/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"

#define ATTRIBUTES_COMPARED                                                                        \
    (BATCH_VIEW_LOG_APPEND_TIME | BATCH_VIEW_TRANSACTIONAL | BATCH_VIEW_CONTROL)
#define HEAD_BYTES 40

/* What a bucket holds: order does not matter for the sum, offsets are part of each hash. */
struct bucket {
    uint64_t sum;
    uint64_t records;
};

struct last_value {
    uint64_t hash;
    int64_t offset;
};

struct side_partition {
    struct bucket *buckets;
    size_t bucket_count;
    struct map last; /* compacted topics: hash of the key -> struct last_value */
};

struct side {
    struct verify *verify;
    const struct selection *selection;
    struct scan *scan;
    struct scan_partition *ranges;
    struct side_partition *partitions;
};

struct verify {
    struct side sides[2];
    const struct selection *from;
    int ended;
    scan_end_fn *end;
    void *arg;
};

static uint64_t
blob_hash(uint64_t seed, const uint8_t *data, int32_t size)
{
    uint8_t length[4];

    codec_bytes_put_int32(length, size);
    seed = XXH3_64bits_withSeed(length, sizeof length, seed);
    return size <= 0 ? seed : XXH3_64bits_withSeed(data, (size_t)size, seed);
}

/* Everything of a record that a consumer can see, its offset included. */
static uint64_t
record_hash(const struct batch_view *batch, const struct batch_records_record *record)
{
    struct batch_records_headers headers = record->headers;
    struct batch_records_header header;
    uint8_t head[HEAD_BYTES];
    uint64_t hash;

    codec_bytes_put_int64(head, record->offset);
    codec_bytes_put_int64(head + 8, record->timestamp);
    codec_bytes_put_int64(head + 16, batch->producer_id);
    codec_bytes_put_int16(head + 24, batch->producer_epoch);
    codec_bytes_put_int16(head + 26, batch->attributes & ATTRIBUTES_COMPARED);
    codec_bytes_put_int32(head + 28, batch->base_sequence);
    codec_bytes_put_int64(head + 32, batch->base_offset);
    hash = XXH3_64bits(head, sizeof head);
    hash = blob_hash(hash, record->key, record->key_size);
    hash = blob_hash(hash, record->value, record->value_size);
    while (batch_records_header_next(&headers, &header)) {
        hash = blob_hash(hash, header.key, header.key_size);
        hash = blob_hash(hash, header.value, header.value_size);
    }
    return hash;
}

static void
last_note(struct side_partition *partition, const struct batch_records_record *record)
{
    XXH128_hash_t key =
        XXH3_128bits(record->key, record->key_size > 0 ? (size_t)record->key_size : 0);
    struct last_value *value = map_get(&partition->last, &key, sizeof key);

    if (value == NULL) {
        value = xcalloc(1, sizeof *value);
        map_put(&partition->last, &key, sizeof key, value);
    }
    value->hash = blob_hash(0, record->value, record->value_size);
    value->offset = record->offset;
}

static void
record_seen(void *arg, uint32_t number, const struct batch_view *batch,
    const struct batch_records_record *record)
{
    struct side *side = arg;
    struct side_partition *partition = &side->partitions[number];
    int64_t from = side->ranges[number].from;
    size_t index;

    if (side->verify->from->topics[side->selection->partitions[number].topic].compacts) {
        if (!batch_view_is_control(batch))
            last_note(partition, record);
        return;
    }
    index = (size_t)((record->offset - from) / VERIFY_BUCKET_OFFSETS);
    if (index >= partition->bucket_count) {
        partition->buckets = xrealloc(partition->buckets, index + 1, sizeof *partition->buckets);
        memset(&partition->buckets[partition->bucket_count], 0,
            (index + 1 - partition->bucket_count) * sizeof *partition->buckets);
        partition->bucket_count = index + 1;
    }
    partition->buckets[index].sum += record_hash(batch, record);
    partition->buckets[index].records++;
}

static void
side_ended(void *arg)
{
    struct verify *verify = ((struct side *)arg)->verify;

    if (++verify->ended == 2)
        verify->end(verify->arg);
}

static void
side_start(struct side *side, struct verify *verify, struct cluster *cluster,
    const struct selection *selection, const struct selection *other)
{
    const struct selection *source = verify->from;

    side->verify = verify;
    side->selection = selection;
    side->ranges = xcalloc(selection->partition_count, sizeof *side->ranges);
    side->partitions = xcalloc(selection->partition_count, sizeof *side->partitions);
    for (uint32_t i = 0; i < selection->partition_count; i++) {
        int64_t a = selection->partitions[i].log_start_offset;
        int64_t b = other->partitions[i].log_start_offset;

        map_init(&side->partitions[i].last);
        side->ranges[i].from = a > b ? a : b;
        side->ranges[i].to = source->partitions[i].end_offset;
    }
    side->scan = scan_start(cluster, selection, side->ranges, record_seen, side_ended, side);
}

struct verify *
verify_start(struct cluster *source, struct selection *from, struct cluster *to,
    struct selection *target, scan_end_fn *end, void *arg)
{
    struct verify *verify = xcalloc(1, sizeof *verify);

    verify->from = from;
    verify->end = end;
    verify->arg = arg;
    side_start(&verify->sides[0], verify, source, from, target);
    side_start(&verify->sides[1], verify, to, target, from);
    return verify;
}

void
verify_free(struct verify *verify)
{
    if (verify == NULL)
        return;
    for (int s = 0; s < 2; s++) {
        struct side *side = &verify->sides[s];

        for (uint32_t i = 0; side->partitions != NULL && i < side->selection->partition_count;
             i++) {
            free(side->partitions[i].buckets);
            map_fini(&side->partitions[i].last, free);
        }
        scan_free(side->scan);
        free(side->partitions);
        free(side->ranges);
    }
    free(verify);
}

uint64_t
verify_bytes(const struct verify *verify)
{
    uint64_t bytes = 0;

    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < verify->sides[s].selection->partition_count; i++)
            bytes += verify->sides[s].ranges[i].bytes;
    return bytes;
}

static struct bucket
bucket_at(const struct side_partition *partition, size_t i)
{
    return i < partition->bucket_count ? partition->buckets[i] : (struct bucket){0, 0};
}

static void
buckets_compare(
    const struct side_partition *a, const struct side_partition *b, struct verify_partition *out)
{
    size_t count = a->bucket_count > b->bucket_count ? a->bucket_count : b->bucket_count;

    for (size_t i = 0; i < count; i++) {
        struct bucket x = bucket_at(a, i), y = bucket_at(b, i);

        if (x.sum == y.sum && x.records == y.records)
            continue;
        out->verdict = VERIFY_DIFFERENT;
        out->different_offset = out->from + (int64_t)i * VERIFY_BUCKET_OFFSETS;
        snprintf(out->text, sizeof out->text,
            "offsets %" PRId64 " to %" PRId64 " differ: %" PRIu64 " records at the source, %" PRIu64
            " at the target, other content",
            out->different_offset, out->different_offset + VERIFY_BUCKET_OFFSETS - 1, x.records,
            y.records);
        return;
    }
}

/* Keys that one side has and the other lacks, or with another last value. A tombstone may be gone
 * on one side: null and absent are the same. */
static bool
keys_differ(const struct side_partition *a, const struct side_partition *b, int64_t *offset)
{
    uint64_t tombstone = blob_hash(0, NULL, -1);
    const struct last_value *mine, *theirs;
    const void *key;
    size_t position = 0, size;

    while ((mine = map_next(&a->last, &position, &key, &size)) != NULL) {
        theirs = map_get(&b->last, key, size);
        if ((theirs == NULL ? tombstone : theirs->hash) == mine->hash)
            continue;
        *offset = mine->offset;
        return true;
    }
    return false;
}

static void
last_compare(
    const struct side_partition *a, const struct side_partition *b, struct verify_partition *out)
{
    if (!keys_differ(a, b, &out->different_offset) && !keys_differ(b, a, &out->different_offset))
        return;
    out->verdict = VERIFY_DIFFERENT;
    snprintf(out->text, sizeof out->text,
        "the last value of a key differs (record at offset %" PRId64 ")", out->different_offset);
}

void
verify_result(const struct verify *verify, uint32_t number, struct verify_partition *out)
{
    const struct scan_partition *source = &verify->sides[0].ranges[number];
    const struct scan_partition *target = &verify->sides[1].ranges[number];
    const struct side_partition *a = &verify->sides[0].partitions[number];
    const struct side_partition *b = &verify->sides[1].partitions[number];
    const struct err *failed = source->failed.code != RC_OK ? &source->failed : &target->failed;

    *out = (struct verify_partition){.verdict = VERIFY_EQUAL,
        .from = source->from,
        .to = source->to,
        .source_records = source->records,
        .target_records = target->records,
        .different_offset = -1};
    if (failed->code == RC_CORRUPT) {
        out->verdict = VERIFY_DIFFERENT;
        snprintf(out->text, sizeof out->text, "%s: %.200s",
            failed == &source->failed ? "source" : "target", failed->text);
    } else if (failed->code != RC_OK) {
        out->verdict = VERIFY_FAILED;
        snprintf(out->text, sizeof out->text, "%s: %.200s",
            failed == &source->failed ? "source" : "target", failed->text);
    } else if (verify->from->topics[verify->from->partitions[number].topic].compacts) {
        last_compare(a, b, out);
    } else {
        buckets_compare(a, b, out);
    }
}
