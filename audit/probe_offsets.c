/* ListOffsets: where the logs begin and end; and which partitions a probe of leaders asks for. */
#include <stdlib.h>
#include <string.h>

#include "audit/probe.h"
#include "audit/probe_choice.h"
#include "gen/messages.h"
#include "lib/base/saturate.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define TIMESTAMP_END (-1)
#define TIMESTAMP_START (-2)
#define TIMESTAMP_LARGEST (-3) /* the record with the largest timestamp (KIP-734) */
#define TIMESTAMP_LOCAL (-4)   /* the first that is on the leader's disks (KIP-405) */
#define READ_COMMITTED 1
#define PARTITIONS_PER_REQUEST 2000
/* Answers come several at a time: while they are read there are as many to be made. */
#define BATCHES_PER_BROKER 8

/* With two questions the items of the second follow all of the first: a broker that is asked both
 * over one connection has answered the first when it looks at the second. */
#define QUESTIONS_MAX 2

struct asking {
    const struct probe *probe;
    enum audit_probe which;
    uint32_t questions;
    int64_t timestamps[QUESTIONS_MAX];
    int8_t isolation;
    int64_t *ends;             /* of a second look, by partition; NULL: it is the first */
    const struct probe_choice *only; /* NULL: all partitions */
};

static const struct wire_range versions = {1, INT16_MAX};
static const struct wire_range stable_versions = {2, INT16_MAX};
static const struct wire_range largest_versions = {7, INT16_MAX};
static const struct wire_range local_versions = {8, INT16_MAX};

static uint32_t
partition_count(const struct asking *asking)
{
    return asking->only == NULL ? asking->probe->inventory->partition_count : asking->only->count;
}

static uint32_t
question_of(const struct asking *asking, uint32_t item)
{
    return item / partition_count(asking);
}

static uint32_t
partition_of(const struct asking *asking, uint32_t item)
{
    uint32_t place = item % partition_count(asking);

    return asking->only == NULL ? place : asking->only->partitions[place];
}

/* INVENTORY_NO_NUMBER: nobody asks about it. */
static uint32_t
item_of(const struct asking *asking, uint32_t question, uint32_t partition)
{
    uint32_t place = asking->only == NULL || partition == INVENTORY_NO_NUMBER
                         ? partition
                         : asking->only->places[partition];

    return place == INVENTORY_NO_NUMBER ? place : place + question * partition_count(asking);
}

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    const struct asking *asking = arg;
    const struct audit_inventory *inventory = asking->probe->inventory;
    const struct audit_partition *partition = &inventory->partitions[partition_of(asking, item)];

    *out = (struct cluster_target){
        CLUSTER_LEADER, inventory->topics[partition->topic].name, partition->partition};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *asking = arg;
    const struct audit_inventory *inventory = asking->probe->inventory;
    struct km_list_offsets_request *request = batch->request;
    uint32_t *partitions = arena_array(batch->arena, batch->count, sizeof *partitions);
    uint32_t question = question_of(asking, batch->items[0]);
    struct inventory_run *runs;
    size_t taken = 0, count = 0;

    if (partitions == NULL)
        return 0;
    for (; taken < batch->count && question_of(asking, batch->items[taken]) == question; taken++)
        partitions[taken] = partition_of(asking, batch->items[taken]);
    runs = inventory_runs(inventory, partitions, taken, batch->arena, &count);
    request->replica_id = -1;
    request->isolation_level = asking->isolation;
    request->topics.items =
        codec_array(batch->arena, &km_list_offsets_request_topic_desc, (int32_t)count);
    for (size_t i = 0; !arena_is_full(batch->arena) && i < count; i++) {
        struct km_list_offsets_request_topic *topic = &request->topics.items[i];

        topic->name = codec_string(inventory->topics[runs[i].topic].name);
        topic->partitions.items = codec_array(
            batch->arena, &km_list_offsets_request_partition_desc, (int32_t)runs[i].count);
        for (size_t k = 0; topic->partitions.items != NULL && k < runs[i].count; k++) {
            topic->partitions.items[k].partition_index =
                inventory->partitions[runs[i].numbers[k]].partition;
            topic->partitions.items[k].timestamp = asking->timestamps[question];
        }
        topic->partitions.count = (int32_t)runs[i].count;
    }
    request->topics.count = (int32_t)count;
    return arena_is_full(batch->arena) ? 0 : taken;
}

/* A log that was cut meanwhile may begin above its end of before. */
static void
tiered_take(
    struct audit_topic *topic, const struct audit_partition *partition, int64_t local_start)
{
    int64_t end = local_start < partition->end_offset ? local_start : partition->end_offset;

    if (partition->log_start_offset >= 0 && end > partition->log_start_offset)
        topic->tiered =
            saturate_add(topic->tiered, saturate_subtract(end, partition->log_start_offset));
}

static void
answer_take(const struct asking *asking, int64_t timestamp, uint32_t number,
    const struct km_list_offsets_response_partition_response *answer)
{
    struct audit_partition *partition = &asking->probe->inventory->partitions[number];
    struct audit_topic *topic = &asking->probe->inventory->topics[partition->topic];

    if (asking->ends != NULL)
        asking->ends[number] = answer->error_code == KE_NONE ? answer->offset : -1;
    else if (timestamp == TIMESTAMP_START)
        partition->log_start_offset = answer->offset;
    else if (timestamp == TIMESTAMP_LOCAL)
        tiered_take(topic, partition, answer->offset);
    else if (timestamp == TIMESTAMP_LARGEST)
        topic->last_ms = answer->timestamp > topic->last_ms ? answer->timestamp : topic->last_ms;
    else if (asking->isolation == READ_COMMITTED)
        /* The end was asked for before: what was appended since does not make it look unstable. */
        topic->unstable += answer->error_code == KE_NONE && answer->offset < partition->end_offset;
    else
        partition->end_offset = answer->offset;
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *asking = arg;
    struct audit_inventory *inventory = asking->probe->inventory;
    const struct km_list_offsets_response *response = batch->response;
    uint32_t question = question_of(asking, batch->items[0]);

    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct km_list_offsets_response_topic_response *topic = &response->topics.items[i];
        uint32_t place = inventory_topic(inventory, topic->name);

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_list_offsets_response_partition_response *answer =
                &topic->partitions.items[k];
            uint32_t number = inventory_partition(inventory, place, answer->partition_index);
            uint32_t item = item_of(asking, question, number);

            if (!cluster_fan_is_asked(batch->fan, item))
                continue;
            answer_take(asking, asking->timestamps[question], number, answer);
            cluster_fan_settle(batch->fan, item, answer->error_code);
        }
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    const struct asking *asking = arg;
    uint32_t number = partition_of(asking, item);
    struct audit_inventory *inventory = asking->probe->inventory;
    struct audit_partition *partition = &inventory->partitions[number];

    if (rc == RC_OK)
        return;
    /* Without a second look the first is as good as before. */
    if (asking->ends != NULL) {
        asking->ends[number] = -1;
        return;
    }
    if (asking->which == AUDIT_OFFSETS)
        partition->log_start_offset = partition->end_offset = -1;
    inventory_gap(inventory, partition->topic, asking->which, NULL, rc, code, e);
}

static struct cluster_fan_spec
spec_of(struct asking *asking)
{
    return (struct cluster_fan_spec){.api = frame_api(KM_LIST_OFFSETS),
        .wanted = &versions,
        .item_count = asking->questions * partition_count(asking),
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = asking,
        .batch_items_max = PARTITIONS_PER_REQUEST,
        .batches_per_broker = BATCHES_PER_BROKER};
}

static bool
is_tiered(const struct audit_topic *topic)
{
    const char *value = topic->configs[AUDIT_CONFIG_REMOTE_STORAGE_ENABLE].value;

    return value != NULL && strcmp(value, "true") == 0;
}

static bool
is_tiered_with_records(const struct audit_inventory *inventory, uint32_t number)
{
    return is_tiered(&inventory->topics[inventory->partitions[number].topic]) &&
           probe_choice_has_records(inventory, number);
}

/* A log without records has no open transaction and no largest timestamp. */
static void
filled_ask(const struct probe *probe)
{
    struct probe_choice filled;
    struct asking stable = {.probe = probe,
        .which = AUDIT_STABLE_OFFSETS,
        .questions = 1,
        .timestamps = {TIMESTAMP_END},
        .isolation = READ_COMMITTED,
        .only = &filled};
    struct asking largest = {.probe = probe,
        .which = AUDIT_LARGEST_TIMES,
        .questions = 1,
        .timestamps = {TIMESTAMP_LARGEST},
        .only = &filled};
    struct cluster_fan_spec spec_of_stable, spec_of_largest;
    struct cluster_fan *fan;

    probe_choice_make(&filled, probe->inventory, probe_choice_has_records);
    spec_of_stable = spec_of(&stable);
    spec_of_largest = spec_of(&largest);
    spec_of_stable.wanted = &stable_versions;
    spec_of_largest.wanted = &largest_versions;
    fan = probe_fan_start(probe, AUDIT_LARGEST_TIMES, &spec_of_largest);
    probe_fan(probe, AUDIT_STABLE_OFFSETS, &spec_of_stable);
    if (fan != NULL)
        cluster_fan_finish(probe->cluster, fan, NULL);
    probe_choice_fini(&filled);
}

void
probe_offsets(const struct probe *probe)
{
    struct audit_inventory *inventory = probe->inventory;
    /* The start first: a log that grows or is cut meanwhile must not end before it begins. */
    struct asking asking = {.probe = probe,
        .which = AUDIT_OFFSETS,
        .questions = 2,
        .timestamps = {TIMESTAMP_START, TIMESTAMP_END}};
    struct cluster_fan_spec spec = spec_of(&asking);

    probe_fan(probe, AUDIT_OFFSETS, &spec);
    filled_ask(probe);
    for (uint32_t i = 0; i < inventory->partition_count; i++) {
        struct audit_partition *partition = &inventory->partitions[i];
        struct audit_topic *topic = &inventory->topics[partition->topic];

        if (partition->end_offset < partition->log_start_offset)
            partition->end_offset = partition->log_start_offset;
        if (partition->log_start_offset < 0)
            continue;
        topic->offsets = saturate_add(
            topic->offsets, saturate_subtract(partition->end_offset, partition->log_start_offset));
        topic->began_later |= partition->log_start_offset > 0;
    }
}

void
probe_tiered(const struct probe *probe)
{
    struct probe_choice tiered;
    struct asking asking = {.probe = probe,
        .which = AUDIT_LOCAL_STARTS,
        .questions = 1,
        .timestamps = {TIMESTAMP_LOCAL},
        .only = &tiered};
    struct cluster_fan_spec spec;

    probe_choice_make(&tiered, probe->inventory, is_tiered_with_records);
    spec = spec_of(&asking);
    spec.wanted = &local_versions;
    probe_fan(probe, AUDIT_LOCAL_STARTS, &spec);
    probe_choice_fini(&tiered);
}

void
probe_growth(const struct probe *probe)
{
    struct audit_inventory *inventory = probe->inventory;
    int64_t *ends = xcalloc((size_t)inventory->partition_count + 1, sizeof *ends);
    int64_t first_ms = inventory->asked_ms[AUDIT_OFFSETS];
    struct asking asking = {.probe = probe,
        .which = AUDIT_OFFSETS,
        .questions = 1,
        .timestamps = {TIMESTAMP_END},
        .ends = ends};
    struct cluster_fan_spec spec = spec_of(&asking);
    int64_t window_ms;

    probe_fan(probe, AUDIT_OFFSETS, &spec);
    window_ms = inventory->asked_ms[AUDIT_OFFSETS] - first_ms;
    for (uint32_t t = 0; t < inventory->topic_count; t++) {
        struct audit_topic *topic = &inventory->topics[t];
        int64_t records = 0;

        for (int32_t p = 0; p < topic->partition_count; p++) {
            int64_t before = inventory->partitions[topic->first + (uint32_t)p].end_offset;
            int64_t after = ends[topic->first + (uint32_t)p];

            if (before >= 0 && after > before)
                records = saturate_add(records, saturate_subtract(after, before));
        }
        inventory_rate_add(&topic->rate, records, window_ms);
    }
    inventory->asked_ms[AUDIT_OFFSETS] = first_ms;
    free(ends);
}
