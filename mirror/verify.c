#include "mirror/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec_bytes.h"
#include "mirror/reread.h"

#define HEAD_BYTES 40

/* What a bucket holds: order does not matter for the sum, offsets are part of each hash. */
struct bucket {
    uint64_t sum;
    uint64_t records;
};

struct last_value {
    struct difference_blob key;
    struct difference_blob value;
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
    struct cluster *clusters[2];
    const struct selection *from;
    int ended;
    struct reread *reread;
    struct reread_range *differing;
    size_t differing_count;
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
    codec_bytes_put_int16(head + 26, batch->attributes & DIFFERENCE_COMPARED_BITS);
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
    value->key = difference_blob_of(record->key, record->key_size);
    value->value = difference_blob_of(record->value, record->value_size);
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

static struct bucket
bucket_at(const struct side_partition *partition, size_t i)
{
    return i < partition->bucket_count ? partition->buckets[i] : (struct bucket){0, 0};
}

static bool
buckets_differ(const struct side_partition *a, const struct side_partition *b, size_t i)
{
    struct bucket x = bucket_at(a, i), y = bucket_at(b, i);

    return x.sum != y.sum || x.records != y.records;
}

/* How many buckets differ, and which is the first. */
static size_t
buckets_count(const struct side_partition *a, const struct side_partition *b, size_t *first)
{
    size_t count = a->bucket_count > b->bucket_count ? a->bucket_count : b->bucket_count;
    size_t different = 0;

    for (size_t i = count; i-- > 0;)
        if (buckets_differ(a, b, i)) {
            *first = i;
            different++;
        }
    return different;
}

static void
reread_ended(void *arg)
{
    struct verify *verify = arg;

    verify->end(verify->arg);
}

static bool
is_intact(const struct verify *verify, uint32_t number)
{
    return verify->sides[0].ranges[number].failed.code == RC_OK &&
           verify->sides[1].ranges[number].failed.code == RC_OK;
}

/* Both sides were read: where they differ, the first differing bucket is read again. */
static void
differing_reread(struct verify *verify)
{
    uint32_t partitions = verify->from->partition_count;
    size_t first;

    verify->differing = xcalloc(VERIFY_REREAD_MAX, sizeof *verify->differing);
    for (uint32_t i = 0; i < partitions && verify->differing_count < VERIFY_REREAD_MAX; i++) {
        const struct scan_partition *range = &verify->sides[0].ranges[i];
        int64_t from, to;

        if (!is_intact(verify, i) || buckets_count(&verify->sides[0].partitions[i],
                                         &verify->sides[1].partitions[i], &first) == 0)
            continue;
        from = range->from + (int64_t)first * VERIFY_BUCKET_OFFSETS;
        to = from + VERIFY_BUCKET_OFFSETS < range->to ? from + VERIFY_BUCKET_OFFSETS : range->to;
        verify->differing[verify->differing_count++] =
            (struct reread_range){.number = i, .from = from, .to = to};
    }
    if (verify->differing_count == 0)
        verify->end(verify->arg);
    else
        verify->reread = reread_start(verify->clusters[0], verify->sides[0].selection,
            verify->clusters[1], verify->sides[1].selection, verify->differing,
            verify->differing_count, reread_ended, verify);
}

static void
side_ended(void *arg)
{
    struct verify *verify = ((struct side *)arg)->verify;

    if (++verify->ended == 2)
        differing_reread(verify);
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

    verify->clusters[0] = source;
    verify->clusters[1] = to;
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
    reread_free(verify->reread);
    free(verify->differing);
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

static void
difference_tell(struct verify_partition *out, const struct difference *difference)
{
    struct buf text;

    out->difference = *difference;
    out->different_offset =
        difference->source.offset >= 0 ? difference->source.offset : difference->target.offset;
    buf_init(&text, VERIFY_TEXT_BYTES);
    difference_print(difference, &text);
    snprintf(out->text, sizeof out->text, "%s", buf_text(&text));
    buf_fini(&text);
}

static const struct difference *
difference_of(const struct verify *verify, uint32_t number)
{
    for (size_t i = 0; i < verify->differing_count; i++)
        if (verify->differing[i].number == number && verify->differing[i].difference.found)
            return &verify->differing[i].difference;
    return NULL;
}

static void
buckets_compare(const struct verify *verify, uint32_t number, struct verify_partition *out)
{
    const struct side_partition *a = &verify->sides[0].partitions[number];
    const struct side_partition *b = &verify->sides[1].partitions[number];
    const struct difference *difference = difference_of(verify, number);
    size_t first = 0;

    out->different_buckets = buckets_count(a, b, &first);
    if (out->different_buckets == 0)
        return;
    out->verdict = VERIFY_DIFFERENT;
    if (difference != NULL) {
        difference_tell(out, difference);
        return;
    }
    out->different_offset = out->from + (int64_t)first * VERIFY_BUCKET_OFFSETS;
    snprintf(out->text, sizeof out->text,
        "offsets %" PRId64 " to %" PRId64 " differ: %" PRIu64 " records at the source, %" PRIu64
        " at the target, other content",
        out->different_offset, out->different_offset + VERIFY_BUCKET_OFFSETS - 1,
        bucket_at(a, first).records, bucket_at(b, first).records);
}

/* The record of a key; one that is not there has no offset. */
static struct difference_record
last_record(const struct last_value *value)
{
    if (value == NULL)
        return (struct difference_record){.offset = -1};
    return (struct difference_record){
        .offset = value->offset, .key = value->key, .value = value->value};
}

/* A tombstone may be gone on one side: null and absent are the same. */
static bool
last_differs(const struct last_value *mine, const struct last_value *theirs)
{
    static const struct difference_blob tombstone = {-1, 0};
    struct difference_blob a = mine == NULL ? tombstone : mine->value;
    struct difference_blob b = theirs == NULL ? tombstone : theirs->value;

    return a.size != b.size || a.hash != b.hash;
}

/* Counts the keys of `from` whose last value is another in `to`, or (keys of both are counted once)
 * is not there, and keeps the one with the lowest offset. */
static void
keys_compare(const struct verify *verify, uint32_t number, int from, struct verify_partition *out)
{
    const struct side_partition *mine = &verify->sides[from].partitions[number];
    const struct side_partition *theirs = &verify->sides[1 - from].partitions[number];
    const struct last_value *value, *other;
    const void *key;
    size_t position = 0, size;

    while ((value = map_next(&mine->last, &position, &key, &size)) != NULL) {
        other = map_get(&theirs->last, key, size);
        if (!last_differs(value, other) || (from == 1 && other != NULL))
            continue;
        out->verdict = VERIFY_DIFFERENT;
        out->different_buckets++;
        if (out->different_offset >= 0 && value->offset >= out->different_offset)
            continue;
        out->different_offset = value->offset;
        out->difference = (struct difference){.found = true,
            .of_key = true,
            .source = last_record(from == 0 ? value : other),
            .target = last_record(from == 0 ? other : value)};
    }
}

static void
last_compare(const struct verify *verify, uint32_t number, struct verify_partition *out)
{
    struct difference first;

    keys_compare(verify, number, 0, out);
    keys_compare(verify, number, 1, out);
    first = out->difference;
    if (first.found)
        difference_tell(out, &first);
}

void
verify_result(const struct verify *verify, uint32_t number, struct verify_partition *out)
{
    const struct scan_partition *source = &verify->sides[0].ranges[number];
    const struct scan_partition *target = &verify->sides[1].ranges[number];
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
        last_compare(verify, number, out);
    } else {
        buckets_compare(verify, number, out);
    }
}
