/* DescribeProducers: the idempotent and transactional producers that partitions remember. */
#include <stdlib.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define PARTITIONS_PER_REQUEST 500

struct probe_producers {
    struct probe probe;
    struct cluster_fan *fan; /* NULL: nothing to ask */
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct audit_inventory *inventory = ((const struct probe *)arg)->inventory;
    const struct audit_partition *partition = &inventory->partitions[item];

    *out = (struct cluster_target){
        CLUSTER_LEADER, inventory->topics[partition->topic].name, partition->partition};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    const struct audit_inventory *inventory = ((const struct probe *)arg)->inventory;
    struct km_describe_producers_request *request = batch->request;
    size_t count = 0;
    struct inventory_run *runs =
        inventory_runs(inventory, batch->items, batch->count, batch->arena, &count);

    request->topics.items = codec_array(
        batch->arena, &km_describe_producers_request_topic_request_desc, (int32_t)count);
    for (size_t i = 0; !arena_is_full(batch->arena) && i < count; i++) {
        struct km_describe_producers_request_topic_request *topic = &request->topics.items[i];
        int32_t *indexes = arena_array(batch->arena, runs[i].count, sizeof *indexes);

        for (size_t k = 0; indexes != NULL && k < runs[i].count; k++)
            indexes[k] = inventory->partitions[runs[i].numbers[k]].partition;
        topic->name = codec_string(inventory->topics[runs[i].topic].name);
        topic->partition_indexes.items = indexes;
        topic->partition_indexes.count = (int32_t)runs[i].count;
    }
    request->topics.count = (int32_t)count;
    return arena_is_full(batch->arena) ? 0 : batch->count;
}

static void
partition_take(
    struct audit_topic *topic, const struct km_describe_producers_response_partition_response *p)
{
    for (int32_t i = 0; i < p->active_producers.count; i++) {
        const struct km_describe_producers_response_producer_state *producer =
            &p->active_producers.items[i];
        bool open = producer->current_txn_start_offset >= 0;

        topic->producers++;
        if (producer->last_sequence > topic->last_sequence)
            topic->last_sequence = producer->last_sequence;
        topic->open_transactions += open;
        /* A coordinator's epoch is kept from the marker that ended a transaction. */
        topic->transactional_producers += open || producer->coordinator_epoch >= 0;
    }
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct audit_inventory *inventory = ((const struct probe *)arg)->inventory;
    const struct km_describe_producers_response *response = batch->response;

    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct km_describe_producers_response_topic_response *topic =
            &response->topics.items[i];
        uint32_t place = inventory_topic(inventory, topic->name);

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_describe_producers_response_partition_response *partition =
                &topic->partitions.items[k];
            uint32_t number = inventory_partition(inventory, place, partition->partition_index);

            if (!cluster_fan_is_asked(batch->fan, number))
                continue;
            if (partition->error_code == KE_NONE)
                partition_take(&inventory->topics[inventory->partitions[number].topic], partition);
            cluster_fan_settle(batch->fan, number, partition->error_code);
        }
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct audit_inventory *inventory = ((const struct probe *)arg)->inventory;

    if (rc != RC_OK)
        inventory_gap(
            inventory, inventory->partitions[item].topic, AUDIT_PRODUCERS, NULL, rc, code, e);
}

struct probe_producers *
probe_producers_begin(const struct probe *probe)
{
    struct probe_producers *own = xcalloc(1, sizeof *own);
    struct cluster_fan_spec spec = {.api = frame_api(KM_DESCRIBE_PRODUCERS),
        .item_count = probe->inventory->partition_count,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own->probe,
        .batch_items_max = PARTITIONS_PER_REQUEST};

    own->probe = *probe;
    own->fan = probe_fan_start(probe, AUDIT_PRODUCERS, &spec);
    return own;
}

void
probe_producers_end(struct probe_producers *producers)
{
    if (producers->fan != NULL)
        cluster_fan_finish(producers->probe.cluster, producers->fan, NULL);
    free(producers);
}
