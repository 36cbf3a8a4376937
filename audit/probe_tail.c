#include "audit/probe_tail.h"

#include <stdlib.h>

#include "audit/probe_read.h"
#include "gen/messages.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define PARTITIONS_PER_REQUEST 16

struct part {
    int64_t from; /* the limits left out what lies before, if is_cut */
    int64_t to;
    struct probe_read read;
    uint32_t bytes; /* read */
    bool is_cut;
};

struct reading {
    const struct probe_tail *tail;
    struct audit_inventory *inventory;
    const struct audit_topic *topic;
    struct part *parts;
    struct part *part; /* the one whose batches are being taken */
    uint32_t share;    /* bytes of a partition */
    uint64_t bytes;    /* of answers */
};

/* --- requests ----------------------------------------------------------------------------------
 */

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct reading *own = arg;

    *out = (struct cluster_target){CLUSTER_LEADER, own->tail->topic, (int32_t)item};
}

static uint32_t
ask_bytes(const struct reading *own, uint32_t item)
{
    const struct part *part = &own->parts[item];

    return probe_read_ask_bytes(&part->read, own->share - part->bytes);
}

static void
partition_ask(void *arg, uint32_t number, struct km_fetch_request_partition *out)
{
    const struct reading *own = arg;
    uint32_t item = number - own->topic->first;

    out->fetch_offset = own->parts[item].read.next_offset;
    out->partition_max_bytes = (int32_t)ask_bytes(own, item);
}

/* As many as an answer has room for. */
static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct reading *own = arg;
    uint32_t *numbers = arena_array(batch->arena, batch->count, sizeof *numbers);
    struct inventory_run run = {(uint32_t)(own->topic - own->inventory->topics), numbers, 0};
    uint64_t bytes = 0;

    for (; numbers != NULL && run.count < batch->count; run.count++) {
        bytes += ask_bytes(own, batch->items[run.count]);
        if (run.count > 0 && bytes > PROBE_READ_ANSWER_BYTES)
            break;
        numbers[run.count] = own->topic->first + batch->items[run.count];
    }
    return run.count > 0 && probe_read_ask(own->inventory, &run, 1, batch->arena, partition_ask,
                                own, batch->request)
               ? run.count
               : 0;
}

/* --- answers -----------------------------------------------------------------------------------
 */

static enum rc
batch_take(void *arg, const struct batch_view *batch, bool *enough, struct err *e)
{
    struct reading *own = arg;

    (void)enough;
    own->part->bytes += (uint32_t)batch->size;
    if (!batch_view_is_intact(batch))
        return err_set(e, RC_CORRUPT, "a batch with a wrong CRC");
    return own->tail->take(own->tail->arg, batch, e);
}

static void
gap_note(const struct reading *own, enum rc rc, int16_t code, const struct err *e)
{
    inventory_gap(own->inventory, INVENTORY_NO_NUMBER, own->tail->probe, NULL, rc, code, e);
}

static void
partition_parse(void *arg, struct cluster_fan_batch *batch, uint32_t number,
    const struct km_fetch_response_partition_data *data)
{
    struct reading *own = arg;
    uint32_t item = number - own->topic->first, bytes_max = own->share;
    struct part *part;
    struct err e;
    enum rc rc;

    /* One of another topic is behind all items. */
    if (!cluster_fan_is_asked(batch->fan, item))
        return;
    part = &own->parts[item];
    if (probe_read_has_moved(&part->read, data)) {
        part->from = part->read.next_offset;
        part->is_cut = false;
        cluster_fan_again(batch->fan, item);
        return;
    }
    if (data->error_code != KE_NONE) {
        cluster_fan_settle(batch->fan, item, data->error_code);
        return;
    }
    own->part = part;
    rc = probe_read_batches(&part->read, &data->records, batch_take, own, &e);
    if (rc != RC_OK)
        gap_note(own, rc, 0, &e);
    part->is_cut =
        rc == RC_OK &&
        (part->is_cut || (part->bytes >= bytes_max && part->read.next_offset < part->to));
    if (rc != RC_OK || part->read.next_offset >= part->to || part->bytes >= bytes_max ||
        probe_read_is_at_end(&part->read, data))
        cluster_fan_settle(batch->fan, item, KE_NONE);
    else
        cluster_fan_again(batch->fan, item);
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct reading *own = arg;

    own->bytes += batch->reply->frame->size;
    probe_read_answers(own->inventory, batch, partition_parse, own);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct reading *own = arg;
    const struct part *part = &own->parts[item];
    struct err limit;

    if (rc == RC_OK && part->is_cut) {
        rc = err_set(&limit, RC_LIMIT,
            "of partition %u of %s only the offsets from %lld to %lld were read", item,
            own->tail->topic, (long long)part->from, (long long)part->read.next_offset - 1);
        e = &limit;
    }
    if (rc != RC_OK)
        gap_note(own, rc, code, e);
}

/* --- all of it ---------------------------------------------------------------------------------
 */

/* Where each partition is read from, and to. */
static void
parts_plan(struct reading *own)
{
    for (int32_t i = 0; i < own->topic->partition_count; i++) {
        const struct audit_partition *p =
            &own->inventory->partitions[own->topic->first + (uint32_t)i];
        int64_t begin = p->log_start_offset > 0 ? p->log_start_offset : 0;
        int64_t from = saturate_subtract(p->end_offset, own->tail->offsets_max);

        own->parts[i].is_cut = from > begin;
        own->parts[i].from = from > begin ? from : begin;
        own->parts[i].read.next_offset = own->parts[i].from;
        own->parts[i].to = p->end_offset;
    }
}

/* What each partition gets of the budget; 0 and a gap where that is too little. */
static uint32_t
share_of(const struct reading *own, uint32_t count)
{
    uint64_t share = own->tail->bytes_max / count;
    struct err e;

    if (share < PROBE_TAIL_PARTITION_BYTES) {
        gap_note(own,
            err_set(&e, RC_LIMIT, "of %s nothing was read: the bytes to sample are too few for it",
                own->tail->topic),
            0, &e);
        return 0;
    }
    return share < own->tail->partition_bytes_max ? (uint32_t)share
                                                  : own->tail->partition_bytes_max;
}

uint64_t
probe_tail(const struct probe *probe, const struct probe_tail *tail)
{
    struct audit_inventory *inventory = probe->inventory;
    uint32_t place = inventory_topic(inventory, codec_string(tail->topic));
    struct reading own = {.tail = tail, .inventory = inventory};
    struct cluster_fan_spec spec = {.api = frame_api(KM_FETCH),
        .wanted = &probe_read_versions,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own,
        .batch_items_max = PARTITIONS_PER_REQUEST};

    if (place != INVENTORY_NO_NUMBER && inventory->topics[place].partition_count > 0) {
        own.topic = &inventory->topics[place];
        own.share = share_of(&own, (uint32_t)own.topic->partition_count);
        spec.item_count = own.share == 0 ? 0 : (uint32_t)own.topic->partition_count;
    }
    own.parts = xcalloc((size_t)spec.item_count + 1, sizeof *own.parts);
    if (spec.item_count > 0)
        parts_plan(&own);
    probe_fan(probe, tail->probe, &spec);
    free(own.parts);
    inventory->sampled_bytes += own.bytes;
    return own.bytes;
}

enum rc
probe_tail_records(const struct batch_view *batch, struct buf *scratch, probe_tail_record_fn *take,
    void *arg, struct err *e)
{
    struct batch_records_record record;
    struct batch_records records;
    bool found = false;
    enum rc rc = batch_records_open(&records, batch, scratch, PROBE_TAIL_UNCOMPRESSED_MAX, e);

    while (rc == RC_OK && (rc = batch_records_next(&records, &record, &found, e)) == RC_OK && found)
        rc = take(arg, &record, e);
    return rc;
}
