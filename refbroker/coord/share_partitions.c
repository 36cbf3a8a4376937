#include "refbroker/coord/share_partitions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/log/fetch_wait.h"
#include "refbroker/log/read.h"
#include "refbroker/meta/topics.h"

struct share_partitions {
    struct broker *broker;
    struct map groups;     /* struct live_group by group id */
    struct heap deadlines; /* struct share_live.deadline */
};

struct live_group {
    char *group_id;
    struct map partitions; /* struct share_live by struct live_key */
};

struct live_key {
    struct wire_uuid topic_id;
    int32_t partition;
};

_Static_assert(sizeof(struct live_key) == 20, "a key has no holes");

struct share_live {
    struct heap_node deadline; /* the next lock that runs out */
    struct reader_waiter load; /* while the start is looked for */
    struct share_partitions *all;
    struct live_group *group;
    struct live_key key;
    int32_t leader_epoch;
    bool lost;                       /* is ahead of what is stored, and is to be dropped */
    struct share_partition *records; /* NULL: the start is not known yet */
};

/* A change on its way to the log. It outlives what it belongs to. */
struct store_wait {
    struct append_waiter waiter;
    struct share_partitions *all;
    char *group_id;
    struct live_key key;
    share_done_fn *done; /* NULL: nobody waits */
    void *arg;
};

struct share_partitions *
share_partitions_new(struct broker *broker)
{
    struct share_partitions *all = xcalloc(1, sizeof *all);

    all->broker = broker;
    map_init(&all->groups);
    heap_init(&all->deadlines);
    return all;
}

static void
live_free(void *value)
{
    struct share_live *live = value;

    heap_remove(&live->all->deadlines, &live->deadline);
    reader_leave(&live->load);
    share_partition_free(live->records);
    free(live);
}

static void
live_group_free(void *value)
{
    struct live_group *group = value;

    map_fini(&group->partitions, live_free);
    free(group->group_id);
    free(group);
}

void
share_partitions_free(struct share_partitions *all)
{
    if (all == NULL)
        return;
    map_fini(&all->groups, live_group_free);
    heap_fini(&all->deadlines);
    free(all);
}

/* The partition of the log, or NULL where its topic is gone. */
static struct partition *
log_of(struct broker *broker, const struct live_key *key)
{
    struct topic *topic = topics_find_id(&broker->topics, &key->topic_id);

    return topic == NULL ? NULL : topics_partition(topic, key->partition);
}

static void
wake(const struct share_live *live)
{
    struct broker *broker = live->all->broker;
    struct partition *partition = log_of(broker, &live->key);

    if (partition != NULL)
        fetch_wait_wake(broker, partition);
}

static struct share_live *
live_find(const struct share_partitions *all, const char *group_id, const struct live_key *key)
{
    const struct live_group *group = map_get_text(&all->groups, group_id);

    return group == NULL ? NULL : map_get(&group->partitions, key, sizeof *key);
}

struct share_live *
share_partitions_find(const struct share_partitions *all, const char *group_id,
    const struct wire_uuid *topic_id, int32_t partition)
{
    struct live_key key = {*topic_id, partition};
    struct share_live *live = live_find(all, group_id, &key);

    return live == NULL || live->lost || live->records == NULL ? NULL : live;
}

static void
live_drop(struct share_live *live)
{
    struct share_partitions *all = live->all;
    struct live_group *group = live->group;

    wake(live);
    map_remove(&group->partitions, &live->key, sizeof live->key);
    live_free(live);
    if (map_count(&group->partitions) > 0)
        return;
    map_remove_text(&all->groups, group->group_id);
    live_group_free(group);
}

void
share_partitions_drop_group(struct share_partitions *all, const char *group_id)
{
    struct live_group *group = map_remove_text(&all->groups, group_id);
    const struct share_live *live;
    size_t position = 0;

    if (group == NULL)
        return;
    while ((live = map_next(&group->partitions, &position, NULL, NULL)) != NULL)
        wake(live);
    live_group_free(group);
}

/* --- what is stored ------------------------------------------------------------------------------
 */

/* What a member is told where the coordinator refuses (SharePartition.fetchPersisterError). */
static int16_t
told_code(int16_t error)
{
    switch (error) {
    case KE_NOT_COORDINATOR:
    case KE_COORDINATOR_NOT_AVAILABLE:
    case KE_COORDINATOR_LOAD_IN_PROGRESS:
        return KE_COORDINATOR_NOT_AVAILABLE;
    case KE_GROUP_ID_NOT_FOUND:
    case KE_UNKNOWN_TOPIC_OR_PARTITION:
        return error;
    case KE_FENCED_LEADER_EPOCH:
    case KE_FENCED_STATE_EPOCH:
        return KE_NOT_LEADER_OR_FOLLOWER;
    default:
        return KE_UNKNOWN_SERVER_ERROR;
    }
}

static struct share_key
state_key(const char *group_id, const struct live_key *key)
{
    return (struct share_key){group_id, key->topic_id, key->partition};
}

/* What is in memory is ahead of what is stored, and will not be stored: the next fetch begins with
 * the latter. Whoever is at work on it further up may go on; the tick drops it. */
static void
store_failed(const struct store_wait *wait, int16_t error)
{
    struct share_live *live = live_find(wait->all, wait->group_id, &wait->key);

    log_warn("SHARE-STATE-LOST",
        "group \"%s\", partition %" PRId32 " of a topic: its state cannot be written (%s); "
        "it is read again at the next fetch",
        wait->group_id, wait->key.partition, kerr_name(error));
    if (live == NULL)
        return;
    live->lost = true;
    heap_put(&wait->all->deadlines, &live->deadline, env_now_ms(wait->all->broker->env));
}

/* `error` is what the coordinator answers, and `why` its words. */
static void
store_end(struct broker *broker, struct store_wait *wait, int16_t error, const struct err *why)
{
    struct err told;

    if (error != KE_NONE)
        store_failed(wait, error);
    if (wait->done != NULL) {
        (void)err_set(&told, RC_CONFLICT, "Error in write state RPC. %s", why->text);
        wait->done(broker, wait->arg, error == KE_NONE ? KE_NONE : told_code(error),
            error == KE_NONE ? NULL : told.text);
    }
    free(wait->group_id);
    free(wait);
}

static void
stored(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct err e;

    err_clear(&e);
    error = share_states_append_error(error, &e);
    store_end(broker, (struct store_wait *)(void *)waiter, error, &e);
}

static struct store_wait *
store_wait_new(struct share_partitions *all, const char *group_id, const struct live_key *key,
    share_done_fn *done, void *arg)
{
    struct store_wait *wait = xcalloc(1, sizeof *wait);

    wait->waiter.done = stored;
    wait->all = all;
    wait->group_id = xstrdup(group_id);
    wait->key = *key;
    wait->done = done;
    wait->arg = arg;
    return wait;
}

/* Writes changes and tells when they are durable. */
static void
changes_store(
    struct share_live *live, const struct share_changes *changes, share_done_fn *done, void *arg)
{
    struct share_partitions *all = live->all;
    struct share_key key = state_key(live->group->group_id, &live->key);
    struct share_write write = {.state_epoch = share_partition_state_epoch(live->records),
        .leader_epoch = live->leader_epoch,
        .start_offset = changes->start_offset,
        .delivery_complete_count = changes->delivery_complete_count,
        .batches = changes->batches,
        .batch_count = changes->count};
    struct store_wait *wait;
    int16_t error;
    struct err e;

    if (!changes->any) {
        if (done != NULL)
            done(all->broker, arg, KE_NONE, NULL);
        return;
    }
    err_clear(&e);
    wait = store_wait_new(all, live->group->group_id, &live->key, done, arg);
    error = share_states_write(all->broker->share_states, &key, &write, &wait->waiter, &e);
    if (error != KE_NONE)
        store_end(all->broker, wait, error, &e);
}

/* The next lock that runs out may be another one now. */
static void
deadline_set(struct share_live *live)
{
    int64_t at_ms = share_partition_deadline(live->records);

    if (live->lost)
        return;
    if (at_ms == INT64_MAX)
        heap_remove(&live->all->deadlines, &live->deadline);
    else
        heap_put(&live->all->deadlines, &live->deadline, at_ms);
}

/* What follows every change. */
static void
changed(struct share_live *live, struct share_changes *changes, share_done_fn *done, void *arg)
{
    deadline_set(live);
    if (changes->wake)
        wake(live);
    changes_store(live, changes, done, arg);
    share_changes_fini(changes);
}

/* --- taken up ------------------------------------------------------------------------------------
 */

static struct share_limits
limits_of(const struct share_live *live)
{
    struct group_share_configs configs;

    group_configs_share(live->all->broker, live->group->group_id, &configs);
    return (struct share_limits){.delivery_count_limit = (int32_t)configs.delivery_count_limit,
        .record_locks_max = (int32_t)configs.partition_max_record_locks,
        .lock_ms = configs.record_lock_duration_ms,
        .renew_refused = !configs.renews};
}

static void
loaded(struct broker *broker, struct reader_waiter *waiter)
{
    (void)broker;
    wake(list_of(waiter, struct share_live, load));
}

static struct share_live *
live_new(struct share_partitions *all, const char *group_id, const struct live_key *key)
{
    struct live_group *group = map_get_text(&all->groups, group_id);
    struct share_live *live = xcalloc(1, sizeof *live);

    if (group == NULL) {
        group = xcalloc(1, sizeof *group);
        group->group_id = xstrdup(group_id);
        map_put_text(&all->groups, group_id, group);
    }
    live->all = all;
    live->group = group;
    live->key = *key;
    live->load.ready = loaded;
    map_put(&group->partitions, key, sizeof *key, live);
    return live;
}

/* Where a partition begins whose state knows no start
 * (SharePartition.startOffsetDuringInitialization). */
static enum share_use
start_find(struct share_live *live, struct partition *partition, int64_t *offset, int16_t *error,
    struct err *e)
{
    struct broker *broker = live->all->broker;
    struct group_share_reset reset = group_configs_share_reset(broker, live->group->group_id);
    int64_t timestamp, found;

    *offset = reset.where == GROUP_RESET_EARLIEST ? partition->log_start_offset
                                                  : partition->high_watermark;
    if (reset.where != GROUP_RESET_BY_DURATION)
        return SHARE_USE_READY;
    timestamp = env_wall_ms(broker->env) - reset.duration_ms;
    switch (read_find_timestamp(broker, partition, timestamp, partition->log_start_offset,
        partition->high_watermark, &live->load, offset, &found, error)) {
    case READER_LOADING:
        return SHARE_USE_LOADING;
    case READER_FAILED:
        (void)err_set(e, RC_IO, "%s", kerr_name(*error));
        return SHARE_USE_FAILED;
    case READER_READY:
        break;
    }
    if (*offset >= 0)
        return SHARE_USE_READY;
    *error = KE_OFFSET_NOT_AVAILABLE;
    (void)err_set(e, RC_NOTFOUND, "no record is as young as share.auto.offset.reset asks for");
    return SHARE_USE_FAILED;
}

/* Reads the state, and notes the leader's epoch there. */
static int16_t
state_read(struct share_live *live, const struct share_state **state, struct err *e)
{
    struct share_partitions *all = live->all;
    struct share_key key = state_key(live->group->group_id, &live->key);
    struct store_wait *wait = store_wait_new(all, live->group->group_id, &live->key, NULL, NULL);
    int16_t error = share_states_read(
        all->broker->share_states, &key, live->leader_epoch, state, &wait->waiter, e);

    if (error == KE_NONE)
        return KE_NONE;
    free(wait->group_id);
    free(wait);
    return told_code(error);
}

/* Begins with what is stored. */
static enum share_use
take_up(struct share_live *live, struct partition *partition, int16_t *error, struct err *e)
{
    const struct share_state *state;
    struct share_limits limits = limits_of(live);
    enum share_use use = SHARE_USE_READY;
    int64_t start_offset;

    live->leader_epoch = partition->leader_epoch;
    *error = state_read(live, &state, e);
    if (*error != KE_NONE)
        return SHARE_USE_FAILED;
    start_offset = state->start_offset;
    if (start_offset == SHARE_OFFSET_UNKNOWN)
        use = start_find(live, partition, &start_offset, error, e);
    if (use == SHARE_USE_READY)
        live->records = share_partition_new(state, start_offset, &limits);
    return use;
}

enum share_use
share_partitions_use(struct share_partitions *all, const char *group_id,
    struct partition *partition, struct share_live **out, int16_t *error, struct err *e)
{
    struct live_key key = {partition->topic->topic_id, partition->index};
    struct share_live *live = live_find(all, group_id, &key);
    enum share_use use = SHARE_USE_READY;

    *error = KE_NONE;
    if (live != NULL && live->lost) {
        live_drop(live);
        live = NULL;
    }
    if (live == NULL)
        live = live_new(all, group_id, &key);
    if (live->records == NULL)
        use = take_up(live, partition, error, e);
    if (use == SHARE_USE_FAILED)
        live_drop(live);
    *out = use == SHARE_USE_READY ? live : NULL;
    return use;
}

/* --- at work -------------------------------------------------------------------------------------
 */

struct share_partition *
share_live_records(struct share_live *live)
{
    struct share_limits limits = limits_of(live);

    share_partition_configure(live->records, &limits);
    return live->records;
}

void
share_live_acquire(
    struct share_live *live, const struct share_acquire *ask, struct share_acquired_list *acquired)
{
    struct share_changes changes = {0};

    share_partition_acquire(live->records, ask, acquired, &changes);
    changed(live, &changes, NULL, NULL);
}

int16_t
share_live_acknowledge(struct share_live *live, const char *member_id,
    const struct share_acknowledgement *acknowledgements, size_t count, share_done_fn *done,
    void *arg, struct err *e)
{
    struct share_changes changes = {0};
    int64_t now_ms = env_now_ms(live->all->broker->env);
    int16_t error = share_partition_acknowledge(
        share_live_records(live), member_id, acknowledgements, count, now_ms, &changes, e);

    if (error == KE_NONE)
        changed(live, &changes, done, arg);
    else
        share_changes_fini(&changes);
    return error;
}

void
share_live_release(struct share_live *live, const char *member_id)
{
    struct share_changes changes = {0};

    share_partition_release(live->records, member_id, &changes);
    changed(live, &changes, NULL, NULL);
}

void
share_live_trim(struct share_live *live, int64_t log_start_offset)
{
    struct share_changes changes = {0};

    share_partition_trim(live->records, log_start_offset, &changes);
    changed(live, &changes, NULL, NULL);
}

static void
expire(struct share_live *live, int64_t now_ms)
{
    struct share_changes changes = {0};

    if (live->lost || log_of(live->all->broker, &live->key) == NULL) {
        live_drop(live);
        return;
    }
    share_partition_expire(live->records, now_ms, &changes);
    changed(live, &changes, NULL, NULL);
}

int64_t
share_partitions_tick(struct share_partitions *all)
{
    int64_t now_ms = env_now_ms(all->broker->env);
    struct heap_node *node;

    while ((node = heap_pop_due(&all->deadlines, now_ms)) != NULL)
        expire(list_of(node, struct share_live, deadline), now_ms);
    node = heap_first(&all->deadlines);
    return node == NULL ? INT64_MAX : node->deadline;
}
