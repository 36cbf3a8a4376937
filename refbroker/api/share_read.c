#include "refbroker/api/share_read.h"

#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/batch_view.h"

#define BATCHES_STEP 16
/* The value of a producer id in a set of them. */
#define PRESENT ((void *)1)

/* The aborted transactions that begin in or before what was read, in the order of their starts. */
struct aborted {
    struct aborted_txn *txns;
    size_t count;
    size_t next;     /* not met yet */
    struct map open; /* producer ids of those that were met and have not ended */
};

static int
by_first_offset(const void *a_, const void *b_)
{
    const struct aborted_txn *a = a_, *b = b_;

    return (a->first_offset > b->first_offset) - (a->first_offset < b->first_offset);
}

static bool
aborted_list(struct arena *arena, const struct partition *partition, int64_t from, int64_t to,
    struct aborted *out)
{
    struct aborted_txn txn;
    size_t position = 0, count = 0;

    *out = (struct aborted){0};
    if (partition->producers == NULL)
        return true;
    while (producers_aborted(partition->producers, from, to, &position, &txn))
        count++;
    out->txns = arena_array(arena, count + 1, sizeof *out->txns);
    if (out->txns == NULL)
        return false;
    position = 0;
    while (producers_aborted(partition->producers, from, to, &position, &txn))
        out->txns[out->count++] = txn;
    qsort(out->txns, out->count, sizeof *out->txns, by_first_offset);
    return true;
}

/* Whether a batch belongs to an aborted transaction; its marker ends that. */
static bool
is_aborted(struct aborted *aborted, const struct batch_view *batch)
{
    if (!batch_view_has_producer(batch))
        return false;
    while (aborted->next < aborted->count &&
           aborted->txns[aborted->next].first_offset <= batch_view_last_offset(batch))
        map_put_int(&aborted->open, aborted->txns[aborted->next++].producer_id, PRESENT);
    if (batch_view_is_control(batch)) {
        (void)map_remove_int(&aborted->open, batch->producer_id);
        return false;
    }
    return batch_view_is_transactional(batch) &&
           map_get_int(&aborted->open, batch->producer_id) != NULL;
}

static bool
room_make(struct arena *arena, struct share_read *read, size_t *capacity)
{
    struct share_range *batches;
    int32_t *sizes;

    if (read->count < *capacity)
        return true;
    *capacity = *capacity == 0 ? BATCHES_STEP : *capacity * 2;
    batches = arena_array(arena, *capacity, sizeof *batches);
    sizes = arena_array(arena, *capacity, sizeof *sizes);
    if (batches == NULL || sizes == NULL)
        return false;
    for (size_t i = 0; i < read->count; i++) {
        batches[i] = read->batches[i];
        sizes[i] = read->sizes[i];
    }
    read->batches = batches;
    read->sizes = sizes;
    return true;
}

static bool
batches_list(struct arena *arena, const struct read_result *result, struct share_read *out)
{
    struct batch_view batch;
    size_t capacity = 0;
    struct err e;

    for (int32_t i = 0; i < result->fragment_count; i++) {
        struct batch_view_cursor cursor = {result->fragments[i].data, result->fragments[i].size};
        bool found;

        while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found) {
            if (!room_make(arena, out, &capacity))
                return false;
            out->batches[out->count] =
                (struct share_range){batch.base_offset, batch_view_last_offset(&batch)};
            out->sizes[out->count++] = (int32_t)batch.size;
        }
    }
    return true;
}

static void
aborted_pick(const struct read_result *result, struct aborted *aborted, struct share_read *out)
{
    struct batch_view batch;
    struct err e;

    map_init(&aborted->open);
    for (int32_t i = 0; i < result->fragment_count; i++) {
        struct batch_view_cursor cursor = {result->fragments[i].data, result->fragments[i].size};
        bool found;

        while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found)
            if (is_aborted(aborted, &batch))
                out->aborted[out->aborted_count++] =
                    (struct share_range){batch.base_offset, batch_view_last_offset(&batch)};
    }
    map_fini(&aborted->open, NULL);
}

bool
share_read_batches(struct arena *arena, const struct partition *partition,
    const struct read_result *result, int64_t from, bool read_committed, struct share_read *out)
{
    struct aborted aborted;

    *out = (struct share_read){0};
    if (!batches_list(arena, result, out))
        return false;
    if (!read_committed || out->count == 0)
        return true;
    if (!aborted_list(arena, partition, from, result->end_offset, &aborted))
        return false;
    out->aborted = arena_array(arena, out->count, sizeof *out->aborted);
    if (out->aborted == NULL)
        return false;
    aborted_pick(result, &aborted, out);
    return true;
}

bool
share_read_slice(struct arena *arena, const struct share_read *read,
    const struct read_result *result, int64_t first, int64_t last, struct wire_records *out)
{
    struct wire_fragment *fragments =
        arena_array(arena, (size_t)result->fragment_count + 1, sizeof *fragments);
    size_t skip = 0, take = 0;

    if (fragments == NULL)
        return false;
    for (size_t i = 0; i < read->count; i++) {
        if (read->batches[i].last < first)
            skip += (size_t)read->sizes[i];
        else if (read->batches[i].first <= last)
            take += (size_t)read->sizes[i];
    }
    *out = (struct wire_records){.fragments = fragments, .size = (int32_t)take};
    for (int32_t i = 0; i < result->fragment_count && take > 0; i++) {
        struct wire_fragment part = result->fragments[i];
        size_t left = skip < part.size ? part.size - skip : 0;

        part.data += part.size - left;
        part.size = left < take ? left : take;
        skip -= result->fragments[i].size - left;
        take -= part.size;
        if (part.size > 0)
            fragments[out->fragment_count++] = part;
    }
    return true;
}
