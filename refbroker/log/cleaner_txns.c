#include "refbroker/log/cleaner_txns.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_records.h"

#define MARKER_BYTES_MAX ((size_t)65536)

struct aborted {
    struct aborted_txn txn;
    bool met; /* a batch of it is in the log */
};

struct cleaner_txns {
    struct aborted *aborted; /* by first offset */
    size_t count;
    size_t next;          /* the first that begins behind the place */
    int64_t from;         /* what ended before is none of our batches' */
    struct map aborting;  /* producer id -> struct aborted */
    struct map committed; /* producer ids with a batch of a transaction that was not aborted */
    int64_t *gone;
    size_t gone_count;
};

enum marker { MARKER_ABORT, MARKER_COMMIT, MARKER_OTHER, MARKER_EMPTY };

static int
by_first_offset(const void *a, const void *b)
{
    int64_t first = ((const struct aborted *)a)->txn.first_offset;
    int64_t second = ((const struct aborted *)b)->txn.first_offset;

    return (first > second) - (first < second);
}

struct cleaner_txns *
cleaner_txns_new(const struct aborted_txn *aborted, size_t count)
{
    struct cleaner_txns *txns = xcalloc(1, sizeof *txns);

    txns->aborted = xcalloc(count + 1, sizeof *txns->aborted);
    txns->gone = xcalloc(count + 1, sizeof *txns->gone);
    txns->count = count;
    for (size_t i = 0; i < count; i++)
        txns->aborted[i].txn = aborted[i];
    qsort(txns->aborted, count, sizeof *txns->aborted, by_first_offset);
    map_init(&txns->aborting);
    map_init(&txns->committed);
    return txns;
}

void
cleaner_txns_free(struct cleaner_txns *txns)
{
    if (txns == NULL)
        return;
    map_fini(&txns->aborting, NULL);
    map_fini(&txns->committed, NULL);
    free(txns->aborted);
    free(txns->gone);
    free(txns);
}

void
cleaner_txns_rewind(struct cleaner_txns *txns, int64_t from)
{
    map_fini(&txns->aborting, NULL);
    map_fini(&txns->committed, NULL);
    map_init(&txns->aborting);
    map_init(&txns->committed);
    for (size_t i = 0; i < txns->count; i++)
        txns->aborted[i].met = false;
    txns->next = 0;
    txns->from = from;
    txns->gone_count = 0;
}

static void
advance(struct cleaner_txns *txns, int64_t offset)
{
    for (; txns->next < txns->count; txns->next++) {
        struct aborted *aborted = &txns->aborted[txns->next];

        if (aborted->txn.first_offset > offset)
            return;
        if (aborted->txn.last_offset >= txns->from)
            (void)map_put_int(&txns->aborting, aborted->txn.producer_id, aborted);
    }
}

static enum marker
marker_of(const struct batch_view *batch)
{
    struct batch_records_record record;
    struct batch_records records;
    enum marker marker = MARKER_OTHER;
    struct buf scratch;
    bool found = false;
    struct err e;

    if (batch->record_count == 0)
        return MARKER_EMPTY;
    buf_init(&scratch, MARKER_BYTES_MAX);
    if (batch_records_open(&records, batch, &scratch, MARKER_BYTES_MAX, &e) == RC_OK &&
        batch_records_next(&records, &record, &found, &e) == RC_OK && found &&
        record.key_size >= 4 && record.key[2] == 0 && record.key[3] <= 1)
        marker = record.key[3] == 1 ? MARKER_COMMIT : MARKER_ABORT;
    buf_fini(&scratch);
    return marker;
}

static bool
read_marker(struct cleaner_txns *txns, const struct batch_view *batch)
{
    const struct aborted *aborted;

    switch (marker_of(batch)) {
    case MARKER_ABORT:
        aborted = map_remove_int(&txns->aborting, batch->producer_id);
        if (aborted == NULL)
            return true;
        if (!aborted->met)
            txns->gone[txns->gone_count++] = aborted->txn.last_offset;
        return !aborted->met;
    case MARKER_COMMIT:
        return map_remove_int(&txns->committed, batch->producer_id) == NULL;
    case MARKER_EMPTY:
        return true;
    case MARKER_OTHER:
        break;
    }
    return false;
}

bool
cleaner_txns_read(struct cleaner_txns *txns, const struct batch_view *batch)
{
    struct aborted *aborted;

    advance(txns, batch_view_last_offset(batch));
    if (batch_view_is_control(batch))
        return read_marker(txns, batch);
    if (!batch_view_is_transactional(batch))
        return false;
    aborted = map_get_int(&txns->aborting, batch->producer_id);
    if (aborted != NULL)
        aborted->met = true;
    else
        (void)map_put_int(&txns->committed, batch->producer_id, txns);
    return aborted != NULL;
}

const int64_t *
cleaner_txns_gone(const struct cleaner_txns *txns, size_t *count)
{
    *count = txns->gone_count;
    return txns->gone;
}

void
cleaner_txns_forget_gone(struct cleaner_txns *txns)
{
    txns->gone_count = 0;
}
