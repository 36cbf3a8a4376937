#include "refbroker/api/share_look.h"

#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/share_leader.h"
#include "refbroker/api/share_read.h"
#include "refbroker/meta/topics.h"

/* What one look at all partitions gave. */
struct found {
    int32_t bytes_left;
    int64_t bytes;
    size_t acquirable; /* partitions */
    size_t failed;
    bool error; /* of the log */
    bool loading;
};

static void
out_begin(struct share_slot *slot)
{
    codec_init(&km_share_fetch_response_partition_data_desc, &slot->out);
    slot->out.partition_index = slot->partition;
    slot->out.records = (struct wire_records){0};
    slot->told = true;
}

static void
error_tell(const struct broker *broker, struct share_slot *slot, int16_t error)
{
    struct share_leader leader;

    out_begin(slot);
    slot->out.error_code = error;
    if (share_leader_find(broker, &slot->topic_id, slot->partition, error, &leader)) {
        slot->out.current_leader.leader_id = leader.id;
        slot->out.current_leader.leader_epoch = leader.epoch;
    }
}

static void
slot_refuse(const struct broker *broker, struct share_slot *slot, int16_t error)
{
    error_tell(broker, slot, error);
    slot->failed = true;
}

/* The partition of the log, which may have gone meanwhile. */
static bool
log_find(struct broker *broker, struct share_slot *slot)
{
    struct topic *topic = topics_find_id(&broker->topics, &slot->topic_id);

    slot->log = topic == NULL ? NULL : topics_partition(topic, slot->partition);
    if (slot->log == NULL)
        slot_refuse(
            broker, slot, topic == NULL ? KE_UNKNOWN_TOPIC_ID : KE_UNKNOWN_TOPIC_OR_PARTITION);
    else if (topic->configs.values.coordinated)
        slot_refuse(broker, slot, KE_NOT_LEADER_OR_FOLLOWER);
    return !slot->failed;
}

void
share_look_check(struct broker *broker, struct share_look *look)
{
    for (size_t i = 0; i < look->count; i++)
        (void)log_find(broker, &look->slots[i]);
}

/* Finds out whether, and from where on, records can be acquired. */
static void
slot_open(struct broker *broker, const struct share_look *look, struct share_slot *slot,
    struct found *found)
{
    struct share_partition *records;
    struct share_live *live;
    int16_t error;
    struct err e;

    slot->live = NULL;
    slot->read = (struct read_result){0};
    slot->told = slot->failed;
    if (slot->failed || !log_find(broker, slot)) {
        found->failed++;
        return;
    }
    err_clear(&e);
    switch (share_partitions_use(
        broker->share_partitions, look->member->group_id, slot->log, &live, &error, &e)) {
    case SHARE_USE_LOADING:
        found->loading = true;
        return;
    case SHARE_USE_FAILED:
        slot_refuse(broker, slot, error);
        found->failed++;
        return;
    case SHARE_USE_READY:
        break;
    }
    records = share_live_records(live);
    if (!share_partition_can_acquire(records))
        return;
    slot->live = live;
    slot->fetch_offset = share_partition_next_fetch_offset(records);
    found->acquirable++;
}

static void
slot_read(struct broker *broker, const struct share_look *look, struct share_slot *slot,
    int32_t bytes_max, struct found *found)
{
    struct partition *log = slot->log;
    struct read_ask ask = {.offset = slot->fetch_offset,
        .bound = look->read_committed ? partition_last_stable_offset(log) : log->high_watermark,
        .bytes_max = bytes_max < found->bytes_left ? bytes_max : found->bytes_left,
        .one_at_least = found->bytes == 0};
    int16_t error = KE_NONE;

    out_begin(slot);
    if (ask.offset < log->log_start_offset || ask.offset > log->high_watermark) {
        share_live_trim(slot->live, log->log_start_offset);
        slot->live = NULL;
        found->error = true;
        return;
    }
    switch (read_batches(broker, look->request, log, &ask, look->load, &slot->read, &error)) {
    case READER_LOADING:
        found->loading = true;
        slot->live = NULL;
        return;
    case READER_FAILED:
        error_tell(broker, slot, error);
        slot->live = NULL;
        found->error = true;
        return;
    case READER_READY:
        break;
    }
    found->bytes += slot->read.size;
    found->bytes_left -= slot->read.size < found->bytes_left ? slot->read.size : found->bytes_left;
}

/* What each of `count` partitions may give: an even part, and the rest to the first. */
static int32_t
part_of(int32_t bytes, size_t count, size_t number)
{
    int32_t each = bytes / (int32_t)count, rest = bytes % (int32_t)count;

    if (each == 0)
        return (int32_t)number < rest ? 1 : 0;
    return number == 0 ? each + rest : each;
}

bool
share_look_all(struct broker *broker, struct share_look *look, bool over)
{
    const struct km_share_fetch_request *in = look->request->in;
    int32_t min_bytes = in->min_bytes < look->bytes_max ? in->min_bytes : look->bytes_max;
    struct found found = {.bytes_left = look->bytes_max};
    size_t number = 0;

    for (size_t i = 0; i < look->count; i++)
        slot_open(broker, look, &look->slots[i], &found);
    for (size_t i = 0; i < look->count && found.acquirable > 0; i++)
        if (look->slots[i].live != NULL)
            slot_read(broker, look, &look->slots[i],
                part_of(look->bytes_max, found.acquirable, number++), &found);
    /* What is on its way from an object is waited for where there is nothing else. */
    if (found.loading && found.bytes == 0 && !found.error && found.failed < look->count)
        return false;
    return over || found.error || found.failed == look->count ||
           (found.acquirable > 0 && found.bytes >= min_bytes);
}

int64_t
share_look_bytes(const struct share_look *look)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < look->count; i++)
        bytes += look->slots[i].read.size;
    return bytes;
}

static bool
acquired_tell(struct arena *arena, struct share_slot *slot, const struct share_read *read,
    const struct share_acquired_list *acquired)
{
    struct km_share_fetch_response_partition_data *out = &slot->out;

    if (acquired->count == 0)
        return true;
    out->acquired_records.items = codec_array(
        arena, &km_share_fetch_response_acquired_records_desc, (int32_t)acquired->count);
    if (out->acquired_records.items == NULL)
        return false;
    for (size_t i = 0; i < acquired->count; i++)
        out->acquired_records.items[out->acquired_records.count++] =
            (struct km_share_fetch_response_acquired_records){acquired->items[i].first_offset,
                acquired->items[i].last_offset, acquired->items[i].delivery_count};
    return share_read_slice(arena, read, &slot->read, acquired->items[0].first_offset,
        acquired->items[acquired->count - 1].last_offset, &out->records);
}

static bool
slot_acquire(
    struct broker *broker, struct share_look *look, struct share_slot *slot, int32_t *records_left)
{
    const struct km_share_fetch_request *in = look->request->in;
    struct arena *arena = &look->request->arena;
    struct share_acquired_list acquired = {0};
    struct share_acquire ask = {.member_id = look->member->member_id,
        .mode = in->share_acquire_mode == SHARE_RECORD_LIMIT ? SHARE_RECORD_LIMIT
                                                             : SHARE_BATCH_OPTIMIZED,
        .batch_size = in->batch_size,
        .max_records = *records_left,
        .fetch_offset = slot->fetch_offset,
        .now_ms = env_now_ms(broker->env)};
    struct share_read read;
    bool fits;

    if (!share_read_batches(
            arena, slot->log, &slot->read, slot->fetch_offset, look->read_committed, &read))
        return false;
    ask.batches = read.batches;
    ask.batch_count = read.count;
    ask.aborted = read.aborted;
    ask.aborted_count = read.aborted_count;
    share_live_acquire(slot->live, &ask, &acquired);
    fits = acquired_tell(arena, slot, &read, &acquired);
    *records_left -=
        acquired.record_count < *records_left ? (int32_t)acquired.record_count : *records_left;
    share_acquired_list_fini(&acquired);
    return fits;
}

bool
share_look_acquire(struct broker *broker, struct share_look *look)
{
    const struct km_share_fetch_request *in = look->request->in;
    int32_t records_left = in->max_records;

    for (size_t i = 0; i < look->count; i++)
        if (look->slots[i].live != NULL && look->slots[i].read.size > 0 && records_left > 0 &&
            !slot_acquire(broker, look, &look->slots[i], &records_left))
            return false;
    return true;
}
