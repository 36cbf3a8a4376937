/* OffsetForLeaderEpoch: where the records of each partition's leader epoch begin (KIP-101). */
#include <stdlib.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define PARTITIONS_PER_REQUEST 2000

/* Partitions that have had another leader, and which one of them each is. */
struct changed {
    struct audit_inventory *inventory;
    uint32_t count;
    uint32_t *partitions;
    uint32_t *places; /* by partition; INVENTORY_NO_NUMBER: its leader is the first */
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct changed *own = arg;
    const struct audit_partition *partition = &own->inventory->partitions[own->partitions[item]];

    *out = (struct cluster_target){
        CLUSTER_LEADER, own->inventory->topics[partition->topic].name, partition->partition};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    const struct changed *own = arg;
    const struct audit_inventory *inventory = own->inventory;
    struct km_offset_for_leader_epoch_request *request = batch->request;
    uint32_t *numbers = arena_array(batch->arena, batch->count, sizeof *numbers);
    struct inventory_run *runs;
    size_t count = 0;

    if (numbers == NULL)
        return 0;
    for (size_t i = 0; i < batch->count; i++)
        numbers[i] = own->partitions[batch->items[i]];
    runs = inventory_runs(inventory, numbers, batch->count, batch->arena, &count);
    request->replica_id = -1;
    request->topics.items = codec_array(batch->arena,
        &km_offset_for_leader_epoch_request_offset_for_leader_topic_desc, (int32_t)count);
    for (size_t i = 0; !arena_is_full(batch->arena) && i < count; i++) {
        struct km_offset_for_leader_epoch_request_offset_for_leader_topic *topic =
            &request->topics.items[i];

        topic->topic = codec_string(inventory->topics[runs[i].topic].name);
        topic->partitions.items = codec_array(batch->arena,
            &km_offset_for_leader_epoch_request_offset_for_leader_partition_desc,
            (int32_t)runs[i].count);
        for (size_t k = 0; topic->partitions.items != NULL && k < runs[i].count; k++) {
            const struct audit_partition *partition = &inventory->partitions[runs[i].numbers[k]];

            topic->partitions.items[k].partition = partition->partition;
            topic->partitions.items[k].leader_epoch = partition->leader_epoch - 1;
        }
        topic->partitions.count = (int32_t)runs[i].count;
    }
    request->topics.count = (int32_t)count;
    return arena_is_full(batch->arena) ? 0 : batch->count;
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct changed *own = arg;
    const struct km_offset_for_leader_epoch_response *response = batch->response;

    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct km_offset_for_leader_epoch_response_offset_for_leader_topic_result *topic =
            &response->topics.items[i];
        uint32_t place = inventory_topic(own->inventory, topic->topic);

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_offset_for_leader_epoch_response_epoch_end_offset *answer =
                &topic->partitions.items[k];
            uint32_t number = inventory_partition(own->inventory, place, answer->partition);

            if (number == INVENTORY_NO_NUMBER ||
                !cluster_fan_is_asked(batch->fan, own->places[number]))
                continue;
            /* -1: the leader has written nothing yet, or its log knows no epochs. */
            if (answer->error_code == KE_NONE && answer->end_offset >= 0)
                own->inventory->partitions[number].epoch_offset = answer->end_offset;
            cluster_fan_settle(batch->fan, own->places[number], answer->error_code);
        }
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct changed *own = arg;

    if (rc != RC_OK)
        inventory_gap(own->inventory, own->inventory->partitions[own->partitions[item]].topic,
            AUDIT_EPOCHS, NULL, rc, code, e);
}

void
probe_epochs(const struct probe *probe)
{
    struct audit_inventory *inventory = probe->inventory;
    struct changed own = {.inventory = inventory,
        .partitions = xcalloc((size_t)inventory->partition_count + 1, sizeof *own.partitions),
        .places = xcalloc((size_t)inventory->partition_count + 1, sizeof *own.places)};
    struct cluster_fan_spec spec = {.api = frame_api(KM_OFFSET_FOR_LEADER_EPOCH),
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own,
        .batch_items_max = PARTITIONS_PER_REQUEST};

    for (uint32_t i = 0; i < inventory->partition_count; i++) {
        own.places[i] = INVENTORY_NO_NUMBER;
        if (inventory->partitions[i].leader_epoch <= 0)
            continue;
        own.places[i] = own.count;
        own.partitions[own.count++] = i;
    }
    spec.item_count = own.count;
    probe_fan(probe, AUDIT_EPOCHS, &spec);
    free(own.partitions);
    free(own.places);
}
