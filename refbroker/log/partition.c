#include "refbroker/log/partition.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "refbroker/limits.h"
#include "refbroker/log/cache.h"
#include "refbroker/meta/topics.h"

struct partition *
partition_new(struct cache *cache, struct topic *topic, int32_t index)
{
    struct partition *partition = xcalloc(1, sizeof *partition);

    partition->cache = cache;
    partition->topic = topic;
    partition->topic_id = topic->topic_id;
    partition->index = index;
    partition->holds = 1;
    run_index_init(&partition->runs);
    list_init(&partition->append_waiters);
    list_init(&partition->fetch_waiters);
    return partition;
}

void
partition_hold(struct partition *partition)
{
    partition->holds++;
}

void
partition_release(struct partition *partition)
{
    REQUIRE(partition->holds > 0);
    if (--partition->holds > 0)
        return;
    run_index_fini(&partition->runs);
    producers_free(partition->producers);
    free(partition->epochs);
    free(partition->committed_producers);
    free(partition);
}

void
partition_drop(struct partition *partition)
{
    REQUIRE(list_is_empty(&partition->append_waiters) && list_is_empty(&partition->fetch_waiters));
    partition->topic = NULL;
    partition->stopped = true;
    cache_drop_partition(partition);
    partition_release(partition);
}

int64_t
partition_last_stable_offset(const struct partition *partition)
{
    int64_t unstable = partition->producers == NULL ? INT64_MAX
                                                    : producers_first_unstable(partition->producers,
                                                          partition->high_watermark);

    return unstable < partition->high_watermark ? unstable : partition->high_watermark;
}

int64_t
partition_bytes(const struct partition *partition)
{
    return run_index_bytes(&partition->runs) + (int64_t)partition->cached.uncommitted_bytes;
}

struct producers *
partition_producers(struct partition *partition)
{
    if (partition->producers == NULL)
        partition->producers = producers_new(LIMIT_PRODUCERS_PER_PARTITION_MAX);
    return partition->producers;
}

void
partition_epoch_start(struct partition *partition, int32_t epoch, int64_t start_offset)
{
    REQUIRE(
        partition->epoch_count == 0 || partition->epochs[partition->epoch_count - 1].epoch < epoch);
    partition->epochs =
        xrealloc(partition->epochs, partition->epoch_count + 1, sizeof *partition->epochs);
    partition->epochs[partition->epoch_count++] = (struct epoch_start){epoch, start_offset};
}

void
partition_epoch_end(
    const struct partition *partition, int32_t epoch, int32_t *found, int64_t *end_offset)
{
    *found = -1;
    *end_offset = -1;
    if (epoch < 0)
        return;
    if (epoch == partition->leader_epoch) {
        *found = epoch;
        *end_offset = partition->high_watermark;
        return;
    }
    if (epoch > partition->leader_epoch)
        return;
    for (uint32_t i = 0; i < partition->epoch_count; i++) {
        if (partition->epochs[i].epoch > epoch) {
            *end_offset = partition->epochs[i].start_offset;
            if (i == 0)
                *found = epoch;
            break;
        }
        *found = partition->epochs[i].epoch;
        *end_offset = partition->high_watermark;
    }
}
