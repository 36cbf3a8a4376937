/*
 * ListOffsets (KafkaApis.handleListOffsetRequest, UnifiedLog.fetchOffsetByTimestamp).
 *
 * Timestamps are found exactly, record by record. Special values: -1 the end (the last stable
 * offset for read_committed), -2 the start, -3 the first record with the largest timestamp, -4 the
 * start of what is local, -5 the end of what is tiered, -6 the earliest offset not yet tiered.
 * Everything lies in objects or the WAL here and nothing is tiered, so -4 is the start and -5 is
 * nothing (-1), as on a Kafka without tiered storage.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/log/read.h"
#include "refbroker/meta/topics.h"

enum special {
    LATEST = -1,
    EARLIEST = -2,
    MAX_TIMESTAMP = -3,
    EARLIEST_LOCAL = -4,
    LATEST_TIERED = -5,
    EARLIEST_PENDING_UPLOAD = -6,
};

typedef struct km_list_offsets_response_partition_response partition_out;

struct park {
    struct reader_waiter load;
    struct request *request;
    bool *answered; /* of each partition, in the request's order */
};

static int64_t
bound_of(const struct km_list_offsets_request *in, const struct partition *partition)
{
    return in->isolation_level == 1 ? partition_last_stable_offset(partition)
                                    : partition->high_watermark;
}

/* The leader epoch under which an offset was written. */
static int32_t
epoch_of(const struct partition *partition, int64_t offset)
{
    int32_t epoch = partition->epoch_count == 0 ? partition->leader_epoch : 0;

    for (uint32_t i = 0; i < partition->epoch_count; i++)
        if (partition->epochs[i].start_offset <= offset)
            epoch = partition->epochs[i].epoch;
    return epoch;
}

static enum reader_state
by_time(struct broker *broker, struct park *park, const struct km_list_offsets_request *in,
    struct partition *partition, int64_t timestamp, partition_out *out)
{
    int64_t bound = bound_of(in, partition);
    int64_t offset = -1, found = -1;
    int16_t error = 0;
    enum reader_state state;

    if (timestamp == MAX_TIMESTAMP)
        state =
            read_find_max_timestamp(broker, partition, bound, &park->load, &offset, &found, &error);
    else
        state = read_find_timestamp(broker, partition, timestamp, partition->log_start_offset,
            bound, &park->load, &offset, &found, &error);
    if (state == READER_FAILED)
        out->error_code = error;
    if (state != READER_READY || offset < 0)
        return state;
    out->offset = offset;
    out->timestamp = found;
    out->leader_epoch = epoch_of(partition, offset);
    return state;
}

/* Coordinated topics know timestamps by batch, as Inkless does: a time gives the batch's first
 * offset, the largest time its last one, both with the batch's largest timestamp. */
static enum reader_state
by_batch(struct broker *broker, struct park *park, struct partition *partition, int64_t timestamp,
    partition_out *out)
{
    int64_t base_offset, last_offset;
    int16_t error = 0;
    enum reader_state state =
        read_find_batch(broker, partition, timestamp, timestamp == MAX_TIMESTAMP, &park->load,
            &base_offset, &last_offset, &out->timestamp, &error);

    if (state == READER_FAILED)
        out->error_code = error;
    else if (state == READER_READY)
        out->offset = timestamp == MAX_TIMESTAMP ? last_offset : base_offset;
    return state;
}

static enum reader_state
partition_answer(struct broker *broker, struct park *park, const struct km_list_offsets_request *in,
    struct partition *partition, int64_t timestamp, partition_out *out)
{
    switch (timestamp) {
    case LATEST:
        out->offset = bound_of(in, partition);
        out->leader_epoch = partition->leader_epoch;
        return READER_READY;
    case EARLIEST:
    case EARLIEST_LOCAL:
        out->offset = partition->log_start_offset;
        out->leader_epoch = epoch_of(partition, out->offset);
        return READER_READY;
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
        /* Nothing is in a second tier, or on its way there. */
        return READER_READY;
    default:
        if (timestamp < EARLIEST_PENDING_UPLOAD) {
            out->error_code = KE_UNSUPPORTED_VERSION;
            return READER_READY;
        }
        if (partition->topic->configs.values.coordinated)
            return by_batch(broker, park, partition, timestamp, out);
        return by_time(broker, park, in, partition, timestamp, out);
    }
}

/* Special values came with versions: a client that uses one before its time gets 35. */
static bool
version_allows(int16_t version, int64_t timestamp)
{
    static const int16_t since[] = {0, 0, 0, 7, 8, 9, 11};

    return timestamp >= 0 || timestamp < EARLIEST_PENDING_UPLOAD || version >= since[-timestamp];
}

static int16_t
epoch_check(const struct partition *partition, int32_t epoch)
{
    if (epoch >= 0 && epoch < partition->leader_epoch)
        return KE_FENCED_LEADER_EPOCH;
    return epoch > partition->leader_epoch ? KE_UNKNOWN_LEADER_EPOCH : KE_NONE;
}

/* Answers one partition; READER_LOADING where it has to be asked again. */
static enum reader_state
slot_answer(struct broker *broker, struct park *park, struct topic *topic,
    const struct km_list_offsets_request_partition *want, partition_out *out)
{
    const struct km_list_offsets_request *in = park->request->in;
    struct partition *partition =
        topic == NULL ? NULL : topics_partition(topic, want->partition_index);
    enum reader_state state = READER_READY;

    codec_init(&km_list_offsets_response_partition_response_desc, out);
    out->partition_index = want->partition_index;
    if (!version_allows(park->request->header.api_version, want->timestamp))
        out->error_code = KE_UNSUPPORTED_VERSION;
    else if (partition == NULL)
        out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
    else
        out->error_code = epoch_check(partition, want->current_leader_epoch);
    if (out->error_code == KE_NONE)
        state = partition_answer(broker, park, in, partition, want->timestamp, out);
    /* Older replies have no field for it. */
    if (park->request->header.api_version < 4)
        out->leader_epoch = -1;
    return state;
}

/* Answers what has no answer yet. What was answered once stays: runs of all partitions need not be
 * in memory at the same time. */
static enum reader_state
answer(struct broker *broker, struct park *park)
{
    const struct km_list_offsets_request *in = park->request->in;
    struct km_list_offsets_response *out = park->request->out;
    enum reader_state state = READER_READY;
    size_t slot = 0;

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_list_offsets_request_topic *ask = &in->topics.items[i];
        struct topic *topic = topics_find(&broker->topics, ask->name.data, (size_t)ask->name.size);

        for (int32_t k = 0; k < ask->partitions.count; k++, slot++) {
            if (park->answered[slot])
                continue;
            if (slot_answer(broker, park, topic, &ask->partitions.items[k],
                    &out->topics.items[i].partitions.items[k]) == READER_LOADING)
                state = READER_LOADING;
            else
                park->answered[slot] = true;
        }
    }
    return state;
}

/* Partitions that a topic names twice are refused. */
static void
doubled_refuse(const struct km_list_offsets_request_topic *ask,
    struct km_list_offsets_response_topic_response *out, bool *answered)
{
    struct doubled doubled;

    doubled_init(&doubled);
    for (int32_t k = 0; k < ask->partitions.count; k++)
        doubled_note(&doubled, &ask->partitions.items[k].partition_index, sizeof(int32_t));
    for (int32_t k = 0; k < ask->partitions.count; k++) {
        int32_t index = ask->partitions.items[k].partition_index;

        answered[k] = doubled_is(&doubled, &index, sizeof index);
        out->partitions.items[k].partition_index = index;
        if (answered[k])
            out->partitions.items[k].error_code = KE_INVALID_REQUEST;
    }
    doubled_fini(&doubled);
}

static bool
response_make(struct park *park, const struct km_list_offsets_request *in,
    struct km_list_offsets_response *out)
{
    struct arena *arena = &park->request->arena;
    size_t slot = 0;

    for (int32_t i = 0; i < in->topics.count; i++)
        slot += (size_t)in->topics.items[i].partitions.count;
    park->answered = arena_array(arena, slot, sizeof *park->answered);
    out->topics.items =
        codec_array(arena, &km_list_offsets_response_topic_response_desc, in->topics.count);
    if (arena_is_full(arena))
        return false;
    out->topics.count = in->topics.count;
    slot = 0;
    for (int32_t i = 0; i < in->topics.count; i++) {
        int32_t count = in->topics.items[i].partitions.count;

        out->topics.items[i].name = in->topics.items[i].name;
        out->topics.items[i].partitions.items =
            codec_array(arena, &km_list_offsets_response_partition_response_desc, count);
        if (out->topics.items[i].partitions.items == NULL)
            return false;
        out->topics.items[i].partitions.count = count;
        doubled_refuse(&in->topics.items[i], &out->topics.items[i], &park->answered[slot]);
        slot += (size_t)count;
    }
    return true;
}

static void
loaded(struct broker *broker, struct reader_waiter *waiter)
{
    struct park *park = list_of(waiter, struct park, load);

    if (answer(broker, park) == READER_READY) {
        reader_leave(&park->load);
        broker_finish(broker, park->request);
    }
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    reader_leave(&((struct park *)request->park)->load);
}

enum h_result
h_list_offsets(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_list_offsets_request *in = in_;
    struct km_list_offsets_response *out = out_;
    struct park *park = arena_alloc(&request->arena, sizeof *park);

    if (park == NULL)
        return H_CLOSE;
    park->request = request;
    if (!response_make(park, in, out))
        return H_CLOSE;
    park->load.ready = loaded;
    request->park = park;
    if (answer(broker, park) == READER_READY) {
        reader_leave(&park->load);
        return H_DONE;
    }
    request->on_drop = dropped;
    return H_PARK;
}
