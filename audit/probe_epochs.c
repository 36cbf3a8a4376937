/* OffsetForLeaderEpoch: where the records of each partition's leader epoch begin (KIP-101). */
#include "audit/probe.h"
#include "audit/probe_choice.h"
#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define PARTITIONS_PER_REQUEST 2000

struct asking {
    struct audit_inventory *inventory;
    struct probe_choice changed; /* partitions that have had another leader */
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    probe_choice_target(&((const struct asking *)arg)->changed, item, out);
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    const struct asking *own = arg;
    const struct audit_inventory *inventory = own->inventory;
    struct km_offset_for_leader_epoch_request *request = batch->request;
    size_t count;
    struct inventory_run *runs = probe_choice_runs(&own->changed, batch, batch->count, &count);

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
    const struct asking *own = arg;
    const struct km_offset_for_leader_epoch_response *response = batch->response;

    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct km_offset_for_leader_epoch_response_offset_for_leader_topic_result *topic =
            &response->topics.items[i];
        uint32_t place = inventory_topic(own->inventory, topic->topic);

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_offset_for_leader_epoch_response_epoch_end_offset *answer =
                &topic->partitions.items[k];
            uint32_t item = probe_choice_item(&own->changed, place, answer->partition);

            if (!cluster_fan_is_asked(batch->fan, item))
                continue;
            /* -1: the leader has written nothing yet, or its log knows no epochs. */
            if (answer->error_code == KE_NONE && answer->end_offset >= 0)
                own->inventory->partitions[own->changed.partitions[item]].epoch_offset =
                    answer->end_offset;
            cluster_fan_settle(batch->fan, item, answer->error_code);
        }
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct asking *own = arg;

    if (rc != RC_OK)
        inventory_gap(own->inventory,
            own->inventory->partitions[own->changed.partitions[item]].topic, AUDIT_EPOCHS, NULL, rc,
            code, e);
}

static bool
has_changed(const struct audit_inventory *inventory, uint32_t number)
{
    return inventory->partitions[number].leader_epoch > 0;
}

void
probe_epochs(const struct probe *probe)
{
    struct asking own = {.inventory = probe->inventory};
    struct cluster_fan_spec spec = {.api = frame_api(KM_OFFSET_FOR_LEADER_EPOCH),
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &own,
        .batch_items_max = PARTITIONS_PER_REQUEST};

    probe_choice_make(&own.changed, probe->inventory, has_changed);
    spec.item_count = own.changed.count;
    probe_fan(probe, AUDIT_EPOCHS, &spec);
    probe_choice_fini(&own.changed);
}
