/* Conditions about a topic's health, size and stored batches. */
#include <inttypes.h>

#include "audit/facts.h"
#include "audit/rules_when.h"
#include "lib/base/env.h"
#include "lib/base/saturate.h"

#define PARTITIONS_MANY 12 /* below, nobody has too many */
#define PARTITIONS_VERY_MANY 1000
#define PARTITION_BYTES_SMALL (INT64_C(1) << 20)
#define IDLE_MS (INT64_C(30) * 24 * 3600 * 1000)
#define CLOCKS_MS (INT64_C(3600) * 1000)
#define BATCH_BYTES_SMALL 4096
#define BATCHES_MIN 100 /* below, the shape of batches says nothing */
#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define DAY_BYTES_SMALL 100e6

bool
rules_when_is_leaderless(struct rules_look *look)
{
    return look->topic->leaderless > 0 &&
           rules_when_seen(look, AUDIT_METADATA, "%" PRIu32 " of %" PRId32 " partitions",
               look->topic->leaderless, look->topic->partition_count);
}

bool
rules_when_is_under_replicated(struct rules_look *look)
{
    return look->topic->lagging > 0 &&
           rules_when_seen(look, AUDIT_METADATA, "%" PRIu32 " of %" PRId32 " partitions",
               look->topic->lagging, look->topic->partition_count);
}

bool
rules_when_has_later_epochs(struct rules_look *look)
{
    const struct audit_partition *latest = NULL;

    for (int32_t i = 0; i < look->topic->partition_count; i++) {
        const struct audit_partition *partition =
            &look->inventory->partitions[look->topic->first + (uint32_t)i];

        if (partition->leader_epoch > 0 &&
            (latest == NULL || partition->leader_epoch > latest->leader_epoch))
            latest = partition;
    }
    if (latest == NULL)
        return false;
    if (latest->epoch_offset < 0)
        return rules_when_seen(look, AUDIT_METADATA, "partition %" PRId32 " is at epoch %" PRId32,
            latest->partition, latest->leader_epoch);
    return rules_when_seen(look, AUDIT_EPOCHS,
        "partition %" PRId32 " is at epoch %" PRId32 ", whose records begin at offset %" PRId64,
        latest->partition, latest->leader_epoch, latest->epoch_offset);
}

bool
rules_when_is_being_reassigned(struct rules_look *look)
{
    return look->topic->moving > 0 &&
           rules_when_seen(look, AUDIT_REASSIGNMENTS, "%" PRIu32 " of %" PRId32 " partitions",
               look->topic->moving, look->topic->partition_count);
}

bool
rules_when_has_many_copies(struct rules_look *look)
{
    return look->topic->replication > 1 &&
           rules_when_seen(
               look, AUDIT_METADATA, "replication factor %" PRIu32, look->topic->replication);
}

bool
rules_when_is_over_partitioned(struct rules_look *look)
{
    const struct audit_topic *topic = look->topic;

    return topic->partition_count > PARTITIONS_MANY && topic->bytes >= 0 && topic->offsets > 0 &&
           topic->bytes / topic->partition_count < PARTITION_BYTES_SMALL &&
           rules_when_seen(look, AUDIT_SIZES,
               "%" PRId32 " partitions hold %" PRId64 " bytes each on average",
               topic->partition_count, topic->bytes / topic->partition_count);
}

bool
rules_when_has_very_many_partitions(struct rules_look *look)
{
    return look->topic->partition_count > PARTITIONS_VERY_MANY &&
           rules_when_seen(
               look, AUDIT_METADATA, "%" PRId32 " partitions", look->topic->partition_count);
}

static bool
has_nobody(const struct audit_topic *topic)
{
    return topic->facts[AUDIT_FACT_GROUPS].value == AUDIT_NO;
}

bool
rules_when_is_empty_and_unused(struct rules_look *look)
{
    return look->topic->offsets == 0 && has_nobody(look->topic) &&
           inventory_gap_of(look->inventory, look->topic, AUDIT_OFFSETS) == NULL &&
           rules_when_seen(look, AUDIT_OFFSETS, "its logs end where they begin");
}

bool
rules_when_is_idle(struct rules_look *look)
{
    int64_t last_ms = look->topic->last_ms;
    int64_t now_ms = look->inventory->asked_ms[AUDIT_LARGEST_TIMES];

    return last_ms >= 0 && now_ms - last_ms > IDLE_MS && has_nobody(look->topic) &&
           rules_when_seen(look, AUDIT_LARGEST_TIMES, "the newest record is %" PRId64 " days old",
               (now_ms - last_ms) / 86400000);
}

/* The newest time that anything told of. */
static int64_t
newest_ms(const struct audit_topic *topic)
{
    return topic->last_ms > topic->sample.newest_ms ? topic->last_ms : topic->sample.newest_ms;
}

bool
rules_when_has_future_times(struct rules_look *look)
{
    int64_t now_ms = look->inventory->asked_ms[AUDIT_METADATA];
    int64_t ahead_ms = saturate_subtract(newest_ms(look->topic), now_ms);

    return now_ms > 0 && ahead_ms > CLOCKS_MS &&
           rules_when_seen(
               look, AUDIT_SAMPLES, "the newest is %" PRId64 " hours ahead", ahead_ms / CLOCKS_MS);
}

bool
rules_when_has_times_out_of_order(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;

    return s->backwards > 0 &&
           rules_when_seen(look, AUDIT_SAMPLES, "in %" PRIu64 " of %" PRIu64 " sampled batches",
               s->backwards, s->batches);
}

bool
rules_when_has_old_format(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;

    return s->old_format > 0 &&
           rules_when_seen(look, AUDIT_SAMPLES, "%" PRIu64 " of %" PRIu64 " sampled batches",
               s->old_format, s->batches);
}

bool
rules_when_has_small_batches(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;

    return s->batches >= BATCHES_MIN && s->bytes / s->batches < BATCH_BYTES_SMALL &&
           rules_when_seen(look, AUDIT_SAMPLES,
               "%" PRIu64 " sampled batches have %" PRIu64 " bytes on average", s->batches,
               s->bytes / s->batches);
}

bool
rules_when_has_lonely_records(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;

    return s->counted >= BATCHES_MIN && s->records * 2 < s->counted * 3 &&
           rules_when_seen(look, AUDIT_SAMPLES,
               "%" PRIu64 " sampled batches have %.1f records on average", s->counted,
               (double)s->records / (double)s->counted);
}

bool
rules_when_is_uncompressed(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;

    return s->batches >= BATCHES_MIN && s->uncompressed_bytes * 10 > s->bytes * 9 &&
           rules_when_seen(look, AUDIT_SAMPLES, "%" PRIu64 " of %" PRIu64 " sampled bytes",
               s->uncompressed_bytes, s->bytes);
}

/* How much is written a day, and who told: the brokers' counters, two looks, or a log that
 * retention has cut already, so that it holds what retention.ms takes to write. -1: not known. */
static double
bytes_a_day(const struct audit_topic *topic, enum audit_probe *told_by)
{
    int64_t retention_ms = inventory_number(topic, AUDIT_CONFIG_RETENTION_MS, -1);

    if (topic->traffic.window_ms > 0 && topic->traffic.bytes_in >= 0) {
        *told_by = AUDIT_METRICS;
        return (double)topic->traffic.bytes_in;
    }
    if (topic->rate.window_ms > 0 && topic->offsets > 0 && topic->bytes >= 0) {
        *told_by = AUDIT_OFFSETS;
        return (double)topic->rate.records / (double)topic->rate.window_ms * (double)DAY_MS *
               (double)topic->bytes / (double)topic->offsets;
    }
    *told_by = AUDIT_SIZES;
    if (topic->began_later && topic->bytes >= 0 && retention_ms > 0 &&
        !inventory_is_compacted(topic))
        return (double)topic->bytes / (double)retention_ms * (double)DAY_MS;
    return -1;
}

bool
rules_when_is_too_small_to_pay(struct rules_look *look)
{
    enum audit_probe told_by;
    double bytes = bytes_a_day(look->topic, &told_by);

    return bytes >= 0 && bytes < DAY_BYTES_SMALL && look->topic->offsets > 0 &&
           rules_when_seen(look, told_by, "some %.0f bytes a day", bytes);
}
