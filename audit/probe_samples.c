/* Fetch: stored batches, read as they are, uncommitted ones included. */
#include <stdlib.h>

#include "audit/probe.h"
#include "audit/probe_read.h"
#include "audit/sample.h"
#include "gen/messages.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define PARTITIONS_PER_REQUEST 32
/* A broker gives one partition of a request its first batch whole, however large it is, and of the
 * others a piece: where less than this is wanted of a partition it is asked for alone. */
#define SMALL_BYTES 65536U
#define WHOLE_BYTES_MIN 4096 /* to ask for of a log that is read whole */

struct part {
    struct sample_plan plan;
    struct sample_reader reader;
    struct audit_sample sample; /* what was read so far */
    int64_t size; /* of the log; -1: not known */
    uint32_t slice;
    uint64_t slice_bytes; /* read of this slice */
    struct probe_read read;
    uint32_t item;
    bool cut; /* something was left out */
};

struct sampling {
    struct audit_inventory *inventory;
    struct part *parts; /* by number of the partition */
    uint32_t *numbers;  /* item to number */
    const struct probe_watcher *watcher;
    uint32_t count; /* of items */
    uint32_t done;
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct audit_inventory *inventory = ((struct sampling *)arg)->inventory;
    const struct audit_partition *partition =
        &inventory->partitions[((struct sampling *)arg)->numbers[item]];

    *out = (struct cluster_target){
        CLUSTER_LEADER, inventory->topics[partition->topic].name, partition->partition};
}

static uint32_t
ask_bytes(const struct part *part)
{
    uint64_t left = part->plan.slices[part->slice].bytes_max - part->slice_bytes;
    int64_t rest = saturate_subtract(part->size, (int64_t)part->slice_bytes);

    if (part->plan.slices[part->slice].bytes_max == UINT64_MAX && part->size >= 0)
        left = (uint64_t)(rest < WHOLE_BYTES_MIN ? WHOLE_BYTES_MIN : rest);
    return probe_read_ask_bytes(&part->read, left);
}

static bool
is_alone(const struct part *part)
{
    return part->plan.slices[part->slice].bytes_max != UINT64_MAX && ask_bytes(part) < SMALL_BYTES;
}

static void
partition_ask(void *arg, uint32_t number, struct km_fetch_request_partition *out)
{
    const struct part *part = &((const struct sampling *)arg)->parts[number];

    out->fetch_offset = part->read.next_offset;
    out->partition_max_bytes = (int32_t)ask_bytes(part);
}

/* As many as an answer has room for, so that none waits behind the others of its request. */
static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct sampling *own = arg;
    uint32_t *numbers = arena_array(batch->arena, batch->count, sizeof *numbers);
    struct inventory_run *runs;
    size_t count = 0, taken = 0;
    uint64_t bytes = 0;

    for (; numbers != NULL && taken < batch->count; taken++) {
        const struct part *part = &own->parts[own->numbers[batch->items[taken]]];

        bytes += is_alone(part) ? PROBE_READ_ANSWER_BYTES : ask_bytes(part);
        if (taken > 0 && bytes > PROBE_READ_ANSWER_BYTES)
            break;
        numbers[taken] = own->numbers[batch->items[taken]];
    }
    runs = numbers == NULL ? NULL
                           : inventory_runs(own->inventory, numbers, taken, batch->arena, &count);
    return runs != NULL && probe_read_ask(own->inventory, runs, count, batch->arena, partition_ask,
                               own, batch->request)
               ? taken
               : 0;
}

/* Goes to the next slice; false where there is none. */
static bool
slice_next(struct part *part)
{
    part->slice++;
    part->slice_bytes = 0;
    if (part->slice >= part->plan.count)
        return false;
    if (part->read.next_offset < part->plan.slices[part->slice].from) {
        part->read.next_offset = part->plan.slices[part->slice].from;
        sample_reader_slice(&part->reader, -1);
    }
    return true;
}

/* Takes the batches as far as the slice goes. */
static enum rc
batch_take(void *arg, const struct batch_view *batch, bool *enough, struct err *e)
{
    struct part *part = arg;
    const struct sample_slice *slice = &part->plan.slices[part->slice];

    /* The batch in which a slice begins belongs to the slice before. */
    if (part->slice > 0 && batch->base_offset < slice->from)
        return RC_OK;
    *enough = part->read.next_offset >= slice->to || part->slice_bytes >= slice->bytes_max;
    if (*enough)
        return RC_OK;
    part->slice_bytes += batch->size;
    return sample_reader_take(&part->reader, batch, e);
}

static void
partition_go_on(struct sampling *own, struct cluster_fan_batch *batch, uint32_t number,
    const struct km_fetch_response_partition_data *data)
{
    struct part *part = &own->parts[number];
    const struct sample_slice *slice = &part->plan.slices[part->slice];
    bool complete = part->read.next_offset >= slice->to || probe_read_is_at_end(&part->read, data);

    if (!complete && part->slice_bytes < slice->bytes_max) {
        cluster_fan_again(batch->fan, part->item);
        return;
    }
    part->cut |= !complete;
    if (slice_next(part))
        cluster_fan_again(batch->fan, part->item);
    else
        cluster_fan_settle(batch->fan, part->item, KE_NONE);
}

static void
partition_parse(void *arg, struct cluster_fan_batch *batch, uint32_t number,
    const struct km_fetch_response_partition_data *data)
{
    struct sampling *own = arg;
    struct part *part = &own->parts[number];
    struct err e;
    enum rc rc;

    /* One that is not sampled has no item. */
    if (part->plan.count == 0 || !cluster_fan_is_asked(batch->fan, part->item))
        return;
    /* The log was cut meanwhile, by retention or by Streams. */
    if (probe_read_has_moved(&part->read, data)) {
        sample_reader_slice(&part->reader, -1);
        partition_go_on(own, batch, number, data);
        return;
    }
    if (data->error_code != KE_NONE) {
        cluster_fan_settle(batch->fan, part->item, data->error_code);
        return;
    }
    rc = probe_read_batches(&part->read, &data->records, batch_take, part, &e);
    if (rc != RC_OK) {
        inventory_gap(own->inventory, own->inventory->partitions[number].topic, AUDIT_SAMPLES, NULL,
            rc, 0, &e);
        cluster_fan_settle(batch->fan, part->item, KE_NONE);
        return;
    }
    partition_go_on(own, batch, number, data);
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct sampling *own = arg;

    own->inventory->sampled_bytes += batch->reply->frame->size;
    probe_read_answers(own->inventory, batch, partition_parse, own);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct sampling *own = arg;
    uint32_t number = own->numbers[item], place = own->inventory->partitions[number].topic;
    struct audit_topic *topic = &own->inventory->topics[place];
    struct part *part = &own->parts[number];

    /* What the budget left out is no failure. */
    part->cut |= rc == RC_LIMIT;
    if (rc != RC_OK && rc != RC_LIMIT) {
        inventory_gap(own->inventory, place, AUDIT_SAMPLES, NULL, rc, code, e);
    } else if (rc == RC_OK || part->slice > 0 || part->slice_bytes > 0) {
        topic->sample.partitions++;
        own->inventory->partitions[number].is_sampled = true;
    }
    topic->sample.cut -= !part->cut;
    sample_add(&topic->sample, &part->sample);
    sample_reader_fini(&part->reader);
    if (own->watcher != NULL)
        own->watcher->tick(own->watcher->arg, ++own->done, own->count);
}

/* Partitions that hold something that was not read before, in the order in which the budget is
 * spent on them. */
static struct sample_candidate *
candidates_list(const struct audit_inventory *inventory, uint32_t *count)
{
    struct sample_candidate *all = xcalloc((size_t)inventory->partition_count + 1, sizeof *all);

    *count = 0;
    for (uint32_t i = 0; i < inventory->partition_count; i++) {
        const struct audit_partition *p = &inventory->partitions[i];
        const struct audit_topic *topic = &inventory->topics[p->topic];

        if (!topic->is_internal && !p->is_sampled && p->log_start_offset >= 0 &&
            p->end_offset > p->log_start_offset)
            all[(*count)++] = (struct sample_candidate){i, p->topic,
                inventory_shows_transactions(topic), 0};
    }
    sample_order(all, *count);
    return all;
}

static void
part_begin(struct sampling *own, uint32_t number, uint32_t item, int64_t size, uint64_t share)
{
    const struct audit_partition *p = &own->inventory->partitions[number];
    const struct audit_topic *topic = &own->inventory->topics[p->topic];
    struct part *part = &own->parts[number];

    sample_plan_make(&part->plan, p->log_start_offset, p->end_offset, size, share);
    part->sample.newest_ms = -1;
    sample_reader_init(&part->reader, &part->sample, inventory_is_compacted(topic));
    part->read.next_offset = p->log_start_offset;
    sample_reader_slice(&part->reader, p->log_start_offset);
    part->size = size;
    part->item = item;
    own->numbers[item] = number;
}

/* Plans what is read and returns of how many partitions that is. */
static uint32_t
plan_all(struct sampling *own, uint64_t bytes_max)
{
    struct audit_inventory *inventory = own->inventory;
    uint32_t count, readable;
    struct sample_candidate *all = candidates_list(inventory, &count);
    int64_t *sizes = xcalloc((size_t)count + 1, sizeof *sizes);
    uint64_t *shares = xcalloc((size_t)count + 1, sizeof *shares);
    /* Less than a slice of a partition is no use: others are left out then. */
    uint64_t affordable = bytes_max / SAMPLE_SLICE_BYTES + 1;

    readable = affordable < count ? (uint32_t)affordable : count;
    for (uint32_t i = 0; i < readable; i++) {
        const struct audit_partition *p = &inventory->partitions[all[i].partition];

        /* Sizes may lag behind what was written since: 0 bytes are no proof of an empty log. */
        sizes[i] = p->bytes == 0 ? -1 : p->bytes;
    }
    sample_share(sizes, shares, readable, bytes_max);
    for (uint32_t i = 0; i < readable; i++)
        part_begin(own, all[i].partition, i, sizes[i], shares[i] == 0 ? 1 : shares[i]);
    /* Of each there is something unread, until it is done with. */
    for (uint32_t i = 0; i < count; i++)
        inventory->topics[all[i].topic].sample.cut++;
    free(sizes);
    free(shares);
    free(all);
    return readable;
}

/* Without a budget: of each log there is something that was not read, unless it is empty. */
static void
nothing_read(struct audit_inventory *inventory)
{
    for (uint32_t i = 0; i < inventory->partition_count; i++) {
        const struct audit_partition *p = &inventory->partitions[i];

        if (!p->is_sampled && p->end_offset > p->log_start_offset)
            inventory->topics[p->topic].sample.cut++;
    }
}

void
probe_samples(
    const struct probe *probe, uint64_t bytes_max, const struct probe_watcher *watcher)
{
    struct audit_inventory *inventory = probe->inventory;
    struct sampling own = {.inventory = inventory, .watcher = watcher};
    struct cluster_fan_spec spec = {.api = frame_api(KM_FETCH),
        .wanted = &probe_read_versions,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own,
        .batch_items_max = PARTITIONS_PER_REQUEST};

    for (uint32_t i = 0; i < inventory->topic_count; i++)
        inventory->topics[i].sample.offsets_stored = (uint64_t)inventory->topics[i].offsets;
    if (bytes_max == 0) {
        nothing_read(inventory);
        probe_fan(probe, AUDIT_SAMPLES, &spec);
        return;
    }
    spec.bytes_max = bytes_max;
    own.parts = xcalloc((size_t)inventory->partition_count + 1, sizeof *own.parts);
    own.numbers = xcalloc((size_t)inventory->partition_count + 1, sizeof *own.numbers);
    own.count = spec.item_count = plan_all(&own, bytes_max);
    probe_fan(probe, AUDIT_SAMPLES, &spec);
    free(own.parts);
    free(own.numbers);
}
