#include "mirror/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "mirror/fetching.h"

#define FETCH_WAIT_MS 100
#define FETCH_BYTES_MAX (48 * 1024 * 1024)
#define PARTITION_BYTES (4 * 1024 * 1024)
#define UNCOMPRESSED_BYTES_MAX ((size_t)512 * 1024 * 1024)
#define RETRIES 20

struct scan {
    const struct selection *selection;
    struct scan_partition *partitions;
    uint32_t *numbers; /* of the partitions that are read, by item of the fan */
    uint32_t *items;   /* and the other way round */
    struct cluster_fan *fan;
    struct buf scratch;
    scan_record_fn *record;
    scan_end_fn *end;
    void *arg;
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    struct scan *scan = arg;
    uint32_t number = scan->numbers[item];

    *out = (struct cluster_target){CLUSTER_LEADER, selection_name(scan->selection, number),
        scan->selection->partitions[number].partition};
}

static int64_t
next_offset(const void *arg, uint32_t number)
{
    return ((const struct scan *)arg)->partitions[number].next_offset;
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct scan *scan = arg;
    struct fetching_limits limits = {FETCH_WAIT_MS, FETCH_BYTES_MAX, PARTITION_BYTES};
    struct cluster_fan_batch numbered = *batch;
    uint32_t *numbers = arena_array(batch->arena, batch->count, sizeof *numbers);

    for (size_t i = 0; numbers != NULL && i < batch->count; i++)
        numbers[i] = scan->numbers[batch->items[i]];
    numbered.items = numbers;
    return numbers == NULL ? 0
                           : fetching_build(&numbered, scan->selection, &limits, next_offset, scan);
}

static enum rc
batch_show(struct scan *scan, uint32_t number, const struct batch_view *batch, struct err *e)
{
    struct scan_partition *p = &scan->partitions[number];
    struct batch_records_record record;
    struct batch_records records;
    bool found = false;
    enum rc rc;

    if (!batch_view_is_intact(batch))
        return err_set(e, RC_CORRUPT, "the CRC of the batch at offset %" PRId64 " is wrong",
            batch->base_offset);
    rc = batch_records_open(&records, batch, &scan->scratch, UNCOMPRESSED_BYTES_MAX, e);
    while (
        rc == RC_OK && (rc = batch_records_next(&records, &record, &found, e)) == RC_OK && found) {
        if (record.offset < p->next_offset || record.offset >= p->to)
            continue;
        p->records++;
        scan->record(scan->arg, number, batch, &record);
    }
    p->bytes += batch->size;
    return rc;
}

/* Shows the whole batches of one partition's reply. */
static enum rc
records_show(struct scan *scan, uint32_t number, const struct wire_records *bytes, struct err *e)
{
    struct batch_view_cursor cursor = {bytes->data, bytes->size < 0 ? 0 : (size_t)bytes->size};
    struct scan_partition *p = &scan->partitions[number];
    struct batch_view batch;
    bool found;
    enum rc rc;

    while ((rc = batch_view_next(&cursor, &batch, &found, e)) == RC_OK && found &&
           p->next_offset < p->to) {
        rc = batch_show(scan, number, &batch, e);
        if (rc != RC_OK)
            break;
        p->next_offset = batch_view_next_offset(&batch);
    }
    return rc;
}

static void
partition_parse(struct scan *scan, struct cluster_fan_batch *batch, uint32_t number,
    const struct km_fetch_response_partition_data *data)
{
    struct scan_partition *p = &scan->partitions[number];

    if (data->error_code != KE_NONE) {
        cluster_fan_settle(batch->fan, scan->items[number], data->error_code);
        return;
    }
    if (records_show(scan, number, &data->records, &p->failed) != RC_OK) {
        err_note(&p->failed, "%s-%d", selection_name(scan->selection, number),
            scan->selection->partitions[number].partition);
        cluster_fan_settle(batch->fan, scan->items[number], KE_NONE);
        return;
    }
    /* At the high watermark nothing more can come below `to`: what is left of the range holds no
     * records. */
    if (p->next_offset >= p->to ||
        (data->records.size <= 0 && p->next_offset >= data->high_watermark))
        cluster_fan_settle(batch->fan, scan->items[number], KE_NONE);
    else
        cluster_fan_again(batch->fan, scan->items[number]);
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct scan *scan = arg;
    const struct km_fetch_response *response = batch->response;

    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct km_fetch_response_fetchable_topic_response *topic =
            &response->responses.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            uint32_t number = selection_find(
                scan->selection, topic->topic, topic->partitions.items[k].partition_index);

            if (number != UINT32_MAX && cluster_fan_is_asked(batch->fan, scan->items[number]))
                partition_parse(scan, batch, number, &topic->partitions.items[k]);
        }
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct scan *scan = arg;
    uint32_t number = scan->numbers[item];
    struct err *failed = &scan->partitions[number].failed;

    if (rc == RC_OK || failed->code != RC_OK)
        return;
    if (rc == RC_REMOTE)
        err_set(failed, rc, "%s-%d: %d %s", selection_name(scan->selection, number),
            scan->selection->partitions[number].partition, code, kerr_name(code));
    else
        *failed = *e;
}

static void
end(void *arg)
{
    struct scan *scan = arg;

    scan->end(scan->arg);
}

/* Numbers the partitions that there is something to read of. */
static uint32_t
items_number(struct scan *scan)
{
    const struct selection *selection = scan->selection;
    uint32_t count = 0;

    scan->numbers = xcalloc((size_t)selection->partition_count + 1, sizeof *scan->numbers);
    scan->items = xcalloc((size_t)selection->partition_count + 1, sizeof *scan->items);
    for (uint32_t i = 0; i < selection->partition_count; i++) {
        struct scan_partition *p = &scan->partitions[i];

        p->next_offset = p->from;
        scan->items[i] = UINT32_MAX;
        if (p->from >= p->to || p->from >= selection->partitions[i].end_offset)
            continue;
        scan->items[i] = count;
        scan->numbers[count++] = i;
    }
    return count;
}

struct scan *
scan_start(struct cluster *cluster, const struct selection *selection,
    struct scan_partition *partitions, scan_record_fn *record, scan_end_fn *end_fn, void *arg)
{
    struct scan *scan = xcalloc(1, sizeof *scan);
    struct cluster_fan_spec spec = {.api = frame_api(KM_FETCH),
        .wanted = &fetching_versions,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .end = end,
        .arg = scan,
        .retries = RETRIES};

    scan->selection = selection;
    scan->partitions = partitions;
    scan->record = record;
    scan->end = end_fn;
    scan->arg = arg;
    buf_init(&scan->scratch, UNCOMPRESSED_BYTES_MAX);
    spec.item_count = items_number(scan);
    scan->fan = cluster_fan_start(cluster, &spec);
    return scan;
}

void
scan_free(struct scan *scan)
{
    if (scan == NULL)
        return;
    cluster_fan_free(scan->fan);
    buf_fini(&scan->scratch);
    free(scan->numbers);
    free(scan->items);
    free(scan);
}
