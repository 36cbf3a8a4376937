/*
 * share_partitions: the partitions of share groups that somebody fetches from, with their locks and
 * what is written of them.
 *
 * A partition is taken up when a member first fetches from it: from its state in share_states.h,
 * and, where that knows no start yet, by share.auto.offset.reset. It stays until its group has no
 * session any more, its topic goes, or its state cannot be written; then the next fetch takes it up
 * anew. A change is made in memory and written; whoever asked for it hears when it is durable.
 *
 * Rules: SharePartitionManager, SharePartitionCache of Kafka 4.3. As many partitions as there are
 * states. All functions run on the owner's thread.
 */
#ifndef REFBROKER_COORD_SHARE_PARTITIONS_H
#define REFBROKER_COORD_SHARE_PARTITIONS_H

#include "refbroker/broker.h"
#include "refbroker/coord/share_partition.h"

struct share_live;
struct share_partitions;

struct share_partitions *share_partitions_new(struct broker *broker);
void share_partitions_free(struct share_partitions *all);

/* Called when what was asked for is durable (0), or with the code that Kafka answers; the text is
 * Kafka's, and there during the call. */
typedef void share_done_fn(struct broker *broker, void *arg, int16_t error, const char *text);

enum share_use { SHARE_USE_READY, SHARE_USE_LOADING, SHARE_USE_FAILED };

/*
 * share_partitions_use finds a partition of a group or takes it up. LOADING: its start is looked
 * for in the log, and the fetches that wait in the partition (fetch_wait.h) are woken when there is
 * more to say. FAILED: *error is Kafka's code, its text in e.
 */
enum share_use share_partitions_use(struct share_partitions *all, const char *group_id,
    struct partition *partition, struct share_live **live, int16_t *error, struct err *e);

/* share_partitions_find is NULL where nobody has fetched from it. */
struct share_live *share_partitions_find(const struct share_partitions *all, const char *group_id,
    const struct wire_uuid *topic_id, int32_t partition);

/* share_live_records is what its members have of it, by the group's configs of now; for looking at
 * only. */
struct share_partition *share_live_records(struct share_live *live);

/* share_live_acquire gives a member records (share_partition_acquire). */
void share_live_acquire(
    struct share_live *live, const struct share_acquire *ask, struct share_acquired_list *acquired);

/* share_live_acknowledge does what a member says of records. 0: done follows, perhaps at once; else
 * the code, its text in e. */
MUST_CHECK int16_t share_live_acknowledge(struct share_live *live, const char *member_id,
    const struct share_acknowledgement *acknowledgements, size_t count, share_done_fn *done,
    void *arg, struct err *e);

/* share_live_release gives back what a member has. */
void share_live_release(struct share_live *live, const char *member_id);

/* share_live_trim follows the start of the log. */
void share_live_trim(struct share_live *live, int64_t log_start_offset);

/* share_partitions_drop_group forgets the partitions of a group; what was written stays. */
void share_partitions_drop_group(struct share_partitions *all, const char *group_id);

/* share_partitions_tick ends locks that ran out and returns the next deadline, or INT64_MAX. */
int64_t share_partitions_tick(struct share_partitions *all);

#endif
