/* What happens to a transaction without a request: its markers, its completion, its timeout; and
 * the end of ids that nobody uses. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/txn_marker.h"
#include "refbroker/coord/txns_entry.h"

#define MARKERS_AT_ONCE 256
#define TIMERS_AT_ONCE 256
#define RETRY_MS 1000

/* One partition's marker. */
struct mark {
    struct txn_marker marker;
    struct txns_marking *marking;
    const char *topic; /* the transaction's */
    int32_t index;
    bool is_done;
};

struct txns_marking {
    struct txns_entry *entry;
    struct mark *marks;
    size_t count;
    size_t next;   /* to write */
    size_t open;   /* on their way */
    size_t failed; /* of those before `next`: to be tried again */
};

static void
timer_put(struct txns_entry *entry, int64_t delay_ms)
{
    heap_put(&entry->txns->timers, &entry->timer, env_now_ms(entry->txns->broker->env) + delay_ms);
}

/* --- markers --------------------------------------------------------------------------------- */

static int32_t
coordinator_epoch(const struct txns_entry *entry)
{
    const struct broker *broker = entry->txns->broker;
    const struct topic *topic = topics_find(&broker->topics, TXNS_TOPIC, strlen(TXNS_TOPIC));
    int32_t index = state_log_partition_of(broker, TXNS_TOPIC, entry->txn->id);

    return topic == NULL ? 0 : topic->partitions[index]->leader_epoch;
}

static struct txns_marking *
marking_new(struct txns_entry *entry)
{
    struct txns_marking *marking = xcalloc(1, sizeof *marking);
    const struct txn_topic *topic;
    size_t position = 0;

    marking->entry = entry;
    marking->marks = xcalloc(entry->txn->partitions.count, sizeof *marking->marks);
    while ((topic = txn_partitions_next(&entry->txn->partitions, &position)) != NULL)
        for (int32_t i = 0; i < topic->count; i++)
            marking->marks[marking->count++] =
                (struct mark){.marking = marking, .topic = topic->name, .index = topic->indexes[i]};
    return marking;
}

void
txns_finish_free(struct txns_entry *entry)
{
    if (entry->marking == NULL)
        return;
    free(entry->marking->marks);
    free(entry->marking);
    entry->marking = NULL;
}

/*
 * Partitions that are gone need no marker, and one that is fenced has it already: the broker went
 * down between marker and completion. Everything else may pass.
 */
static bool
is_final(int16_t error)
{
    return error != KE_KAFKA_STORAGE_ERROR && error != KE_NOT_LEADER_OR_FOLLOWER;
}

/* Goes on where no marker is on its way any more. */
static void
marking_settle(struct txns_marking *marking)
{
    struct txns_entry *entry = marking->entry;

    if (marking->open > 0)
        return;
    if (marking->next < marking->count) {
        timer_put(entry, 0);
    } else if (marking->failed > 0) {
        marking->next = 0;
        marking->failed = 0;
        timer_put(entry, RETRY_MS);
    } else {
        txns_finish_free(entry);
        entry->marked = true;
        txn_complete(entry->txn, env_wall_ms(entry->txns->broker->env));
        txns_step_write(entry, NULL);
    }
}

static void
mark_done(struct broker *broker, struct txn_marker *marker, int16_t error)
{
    struct mark *mark = list_of(marker, struct mark, marker);
    struct txns_marking *marking = mark->marking;

    mark->is_done = is_final(error);
    marking->failed += !mark->is_done;
    broker->stats.transaction_markers_total += error == KE_NONE;
    if (error != KE_NONE)
        log_info("TXN-MARKER", "%s: the marker for %s-%d was refused (error %d)",
            marking->entry->txn->id, mark->topic, mark->index, error);
    marking->open--;
    marking_settle(marking);
}

void
txns_finish(struct txns_entry *entry)
{
    const struct txn_view *now = &entry->txn->now;
    int32_t epoch = coordinator_epoch(entry);
    struct txns_marking *marking;

    if (entry->marking == NULL && !entry->marked)
        entry->marking = marking_new(entry);
    marking = entry->marking;
    if (marking == NULL) {
        txn_complete(entry->txn, env_wall_ms(entry->txns->broker->env));
        txns_step_write(entry, NULL);
        return;
    }
    if (marking->open > 0)
        return;
    marking->open = 1; /* Nothing settles before all of these are on their way. */
    for (size_t i = 0; i < MARKERS_AT_ONCE && marking->next < marking->count; i++) {
        struct mark *mark = &marking->marks[marking->next++];

        if (mark->is_done)
            continue;
        mark->marker = (struct txn_marker){.producer_id = now->producer_id,
            .coordinator_epoch = epoch,
            .producer_epoch = now->producer_epoch,
            .version = now->version,
            .commit = now->state == TXN_PREPARE_COMMIT,
            .done = mark_done};
        marking->open++;
        txn_marker_write(
            entry->txns->broker, mark->topic, strlen(mark->topic), mark->index, &mark->marker);
    }
    marking->open--;
    marking_settle(marking);
}

/* --- deadlines ------------------------------------------------------------------------------- */

/* Sets the timer for a time of the wall clock, at the next of the rounds that come every interval.
 */
static void
timer_set_wall(struct txns_entry *entry, int64_t wall_ms, int64_t interval_ms)
{
    const struct env *env = entry->txns->broker->env;
    int64_t at = env_now_ms(env) + (wall_ms - env_wall_ms(env)) + 1;
    int64_t now = env_now_ms(env);

    if (at <= now)
        at = now + 1;
    at = (at + interval_ms - 1) / interval_ms * interval_ms;
    heap_put(&entry->txns->timers, &entry->timer, at);
}

void
txns_timer_set(struct txns_entry *entry)
{
    const struct broker_options *options = &entry->txns->broker->options;
    const struct txn_view *now = &entry->txn->now;

    if (txn_is_decided(entry->txn))
        timer_put(entry, entry->marked ? RETRY_MS : 0);
    else if (now->state == TXN_ONGOING)
        timer_set_wall(entry, now->start_ms + now->timeout_ms, options->txn_abort_interval_ms);
    else
        timer_set_wall(entry, now->update_ms + options->txn_id_expiration_ms,
            options->txn_id_remove_interval_ms);
}

static void
timer_due(struct txns_entry *entry)
{
    struct broker *broker = entry->txns->broker;
    const struct txn_view *now = &entry->txn->now;
    int64_t wall_ms = env_wall_ms(broker->env);

    if (entry->txn->pending)
        return; /* The end of the step sets the timer. */
    if (txn_is_decided(entry->txn)) {
        txns_finish(entry);
    } else if (now->state == TXN_ONGOING && now->start_ms + now->timeout_ms < wall_ms) {
        log_notice("TXN-TIMEOUT", "the transaction of %s is aborted: it lasted longer than %d ms",
            entry->txn->id, now->timeout_ms);
        broker->stats.transactions_timed_out_total++;
        txn_fence(entry->txn, wall_ms);
        txns_step_write(entry, NULL);
    } else if (now->state != TXN_ONGOING &&
               now->update_ms + broker->options.txn_id_expiration_ms <= wall_ms &&
               txn_expire(entry->txn)) {
        txns_step_write(entry, NULL);
    } else {
        txns_timer_set(entry);
    }
}

int64_t
txns_tick(struct txns *txns)
{
    int64_t now = env_now_ms(txns->broker->env);
    struct heap_node *node = NULL;

    for (size_t i = 0; i < TIMERS_AT_ONCE && (node = heap_pop_due(&txns->timers, now)) != NULL; i++)
        timer_due(list_of(node, struct txns_entry, timer));
    node = heap_first(&txns->timers);
    return node == NULL ? INT64_MAX : node->deadline;
}
