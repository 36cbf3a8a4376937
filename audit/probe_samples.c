/* Fetch: stored batches, read as they are, uncommitted ones included. */
#include <stdlib.h>

#include "audit/probe.h"
#include "audit/probe_read.h"
#include "audit/sample.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define PARTITIONS_PER_REQUEST 32

struct part {
    struct sample_plan plan;
    struct sample_reader reader;
    bool begun;
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

static void
partition_ask(const struct sampling *own, uint32_t number, struct km_fetch_request_partition *out)
{
    const struct part *part = &own->parts[number];
    const struct sample_slice *slice = &part->plan.slices[part->slice];
    uint64_t bytes = PROBE_READ_PARTITION_BYTES;

    if (slice->bytes_max - part->slice_bytes < bytes)
        bytes = slice->bytes_max - part->slice_bytes;
    out->partition = own->inventory->partitions[number].partition;
    out->fetch_offset = part->read.next_offset;
    out->partition_max_bytes = (int32_t)bytes;
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct sampling *own = arg;
    struct km_fetch_request *request = batch->request;
    uint32_t *numbers = arena_array(batch->arena, batch->count, sizeof *numbers);
    struct inventory_run *runs;
    size_t count = 0;

    for (size_t i = 0; numbers != NULL && i < batch->count; i++)
        numbers[i] = own->numbers[batch->items[i]];
    runs = numbers == NULL
               ? NULL
               : inventory_runs(own->inventory, numbers, batch->count, batch->arena, &count);
    probe_read_request(request);
    request->topics.items = codec_array(batch->arena, &km_fetch_request_topic_desc, (int32_t)count);
    for (size_t i = 0; !arena_is_full(batch->arena) && i < count; i++) {
        struct km_fetch_request_topic *topic = &request->topics.items[i];

        topic->topic = codec_string(own->inventory->topics[runs[i].topic].name);
        topic->partitions.items =
            codec_array(batch->arena, &km_fetch_request_partition_desc, (int32_t)runs[i].count);
        for (size_t k = 0; topic->partitions.items != NULL && k < runs[i].count; k++)
            partition_ask(own, runs[i].numbers[k], &topic->partitions.items[k]);
        topic->partitions.count = (int32_t)runs[i].count;
    }
    request->topics.count = (int32_t)count;
    return arena_is_full(batch->arena) ? 0 : batch->count;
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
partition_parse(struct sampling *own, struct cluster_fan_batch *batch, uint32_t number,
    const struct km_fetch_response_partition_data *data)
{
    struct part *part = &own->parts[number];
    struct err e;
    enum rc rc;

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
    const struct km_fetch_response *response = batch->response;

    for (int32_t i = 0; i < response->responses.count; i++) {
        const struct km_fetch_response_fetchable_topic_response *topic =
            &response->responses.items[i];
        uint32_t place = inventory_topic(own->inventory, topic->topic);

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            uint32_t number = inventory_partition(
                own->inventory, place, topic->partitions.items[k].partition_index);

            /* One that is not sampled has no item. */
            if (number != INVENTORY_NO_NUMBER && own->parts[number].plan.count > 0 &&
                cluster_fan_is_asked(batch->fan, own->parts[number].item))
                partition_parse(own, batch, number, &topic->partitions.items[k]);
        }
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct sampling *own = arg;
    uint32_t number = own->numbers[item], place = own->inventory->partitions[number].topic;
    struct audit_topic *topic = &own->inventory->topics[place];
    struct part *part = &own->parts[number];

    if (rc != RC_OK)
        inventory_gap(own->inventory, place, AUDIT_SAMPLES, NULL, rc, code, e);
    else
        topic->sample.partitions++;
    topic->sample.cut += part->cut;
    sample_reader_fini(&part->reader);
}

/* Plans all partitions and returns how many there are to read. */
static uint32_t
plan_all(struct sampling *own, uint64_t bytes_max)
{
    struct audit_inventory *inventory = own->inventory;
    int64_t *sizes = xcalloc((size_t)inventory->partition_count + 1, sizeof *sizes);
    uint32_t count = 0;
    uint64_t *shares = xcalloc((size_t)inventory->partition_count + 1, sizeof *shares);

    for (uint32_t i = 0; i < inventory->partition_count; i++) {
        const struct audit_partition *p = &inventory->partitions[i];

        sizes[i] = p->end_offset <= p->log_start_offset || inventory->topics[p->topic].is_internal
                       ? 0
                       : p->bytes;
    }
    sample_share(sizes, shares, inventory->partition_count, bytes_max);
    for (uint32_t i = 0; i < inventory->partition_count; i++) {
        const struct audit_partition *p = &inventory->partitions[i];
        struct audit_topic *topic = &inventory->topics[p->topic];
        struct part *part = &own->parts[i];

        /* Sizes may lag behind what was written since: 0 bytes are no proof of an empty log. */
        if (!topic->is_internal)
            sample_plan_make(&part->plan, p->log_start_offset, p->end_offset,
                sizes[i] == 0 ? -1 : sizes[i], shares[i] == 0 && bytes_max > 0 ? 1 : shares[i]);
        sample_reader_init(&part->reader, &topic->sample, inventory_is_compacted(topic));
        part->read.next_offset = p->log_start_offset;
        sample_reader_slice(&part->reader, p->log_start_offset);
        part->item = count;
        if (part->plan.count > 0)
            own->numbers[count++] = i;
        else if (p->end_offset > p->log_start_offset)
            topic->sample.cut++;
    }
    free(sizes);
    free(shares);
    return count;
}

/* Without a budget: of each log there is something that was not read, unless it is empty. */
static void
nothing_read(struct audit_inventory *inventory)
{
    for (uint32_t i = 0; i < inventory->partition_count; i++) {
        const struct audit_partition *p = &inventory->partitions[i];

        if (p->end_offset > p->log_start_offset)
            inventory->topics[p->topic].sample.cut++;
    }
    for (uint32_t i = 0; i < inventory->topic_count; i++)
        inventory->topics[i].sample.offsets_stored = (uint64_t)inventory->topics[i].offsets;
}

void
probe_samples(const struct probe *probe, uint64_t bytes_max)
{
    struct audit_inventory *inventory = probe->inventory;
    struct sampling own = {.inventory = inventory};
    struct cluster_fan_spec spec = {.api = frame_api(KM_FETCH),
        .wanted = &probe_read_versions,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own,
        .batch_items_max = PARTITIONS_PER_REQUEST};

    if (bytes_max == 0) {
        nothing_read(inventory);
        probe_fan(probe, AUDIT_SAMPLES, &spec);
        return;
    }
    own.parts = xcalloc((size_t)inventory->partition_count + 1, sizeof *own.parts);
    own.numbers = xcalloc((size_t)inventory->partition_count + 1, sizeof *own.numbers);
    spec.item_count = plan_all(&own, bytes_max);
    probe_fan(probe, AUDIT_SAMPLES, &spec);
    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        inventory->topics[i].sample.offsets_stored = (uint64_t)inventory->topics[i].offsets;
        inventory->sampled_bytes += inventory->topics[i].sample.bytes;
    }
    free(own.parts);
    free(own.numbers);
}
