#include "refbroker/coord/txns.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/producer_ids.h"
#include "refbroker/coord/txn_record.h"
#include "refbroker/coord/txns_entry.h"
#include "refbroker/limits.h"

struct txns *
txns_new(struct broker *broker)
{
    struct txns *txns = xcalloc(1, sizeof *txns);

    txns->broker = broker;
    map_init(&txns->by_id);
    map_init(&txns->by_producer_id);
    heap_init(&txns->timers);
    return txns;
}

static void
entry_free(void *value)
{
    struct txns_entry *entry = value;

    txns_finish_free(entry);
    txn_free(entry->txn);
    free(entry);
}

void
txns_free(struct txns *txns)
{
    if (txns == NULL)
        return;
    map_fini(&txns->by_id, entry_free);
    map_fini(&txns->by_producer_id, NULL);
    heap_fini(&txns->timers);
    free(txns);
}

bool
txns_ready(struct txns *txns)
{
    return state_log_ready(txns->broker, TXNS_TOPIC);
}

static struct txns_entry *
entry_find(const struct txns *txns, struct wire_string id)
{
    return id.size < 0 ? NULL : map_get(&txns->by_id, id.data, (size_t)id.size);
}

const struct txn *
txns_find(const struct txns *txns, struct wire_string id)
{
    const struct txns_entry *entry = entry_find(txns, id);

    return entry == NULL ? NULL : entry->txn;
}

const struct txn *
txns_next(const struct txns *txns, size_t *position)
{
    const struct txns_entry *entry = map_next(&txns->by_id, position, NULL, NULL);

    return entry == NULL ? NULL : entry->txn;
}

struct txns_entry *
txns_entry_add(struct txns *txns, struct txn *txn_take)
{
    struct txns_entry *entry = xcalloc(1, sizeof *entry);

    entry->txn = txn_take;
    entry->txns = txns;
    list_init(&entry->waiting);
    map_put_text(&txns->by_id, txn_take->id, entry);
    map_put_int(&txns->by_producer_id, txn_take->now.producer_id, entry);
    txns->partition_count += txn_take->partitions.count;
    txns->broker->stats.transactional_ids++;
    return entry;
}

void
txns_entry_remove(struct txns_entry *entry)
{
    struct txns *txns = entry->txns;

    heap_remove(&txns->timers, &entry->timer);
    (void)map_remove_text(&txns->by_id, entry->txn->id);
    (void)map_remove_int(&txns->by_producer_id, entry->txn->now.producer_id);
    txns->partition_count -= entry->txn->partitions.count;
    txns->broker->stats.transactional_ids--;
    entry_free(entry);
}

/* --- steps ----------------------------------------------------------------------------------- */

static void
call_end(struct broker *broker, struct txns_call *call, struct txn_answer answer)
{
    call->answer = answer;
    call->done(broker, call);
}

static void
call_refuse(struct broker *broker, struct txns_call *call, int16_t error)
{
    call_end(broker, call, (struct txn_answer){error, false, TXN_NO_PRODUCER_ID, TXN_NO_EPOCH});
}

/* What an append says, as a coordinator says it (TransactionStateManager.appendTransactionToLog).
 */
static int16_t
step_error(int16_t error)
{
    switch (error) {
    case KE_NONE:
    case KE_COORDINATOR_NOT_AVAILABLE:
        return error;
    case KE_UNKNOWN_TOPIC_OR_PARTITION:
        return KE_COORDINATOR_NOT_AVAILABLE;
    case KE_KAFKA_STORAGE_ERROR:
        return KE_NOT_COORDINATOR;
    default:
        return KE_UNKNOWN_SERVER_ERROR;
    }
}

/* Those who wait may wait again: each is called once. */
static void
waiting_take(struct txns_entry *entry, struct list *waiting)
{
    struct list_node *node;

    list_init(waiting);
    while ((node = list_pop(&entry->waiting)) != NULL)
        list_push_back(waiting, node);
}

static void
waiting_call(struct broker *broker, struct list *waiting)
{
    struct list_node *node;

    while ((node = list_pop(waiting)) != NULL) {
        struct txns_wait *wait = list_of(node, struct txns_wait, node);

        wait->again(broker, wait);
    }
}

static void
step_count(struct stats *stats, enum txn_state state)
{
    stats->transactions_committed_total += state == TXN_COMPLETE_COMMIT;
    stats->transactions_aborted_total += state == TXN_COMPLETE_ABORT;
}

/* The step takes effect, or is forgotten; the id is not dead. */
static void
step_enter(struct txns_entry *entry, bool durable)
{
    struct txns *txns = entry->txns;
    struct txn *txn = entry->txn;

    (void)map_remove_int(&txns->by_producer_id, txn->now.producer_id);
    txns->partition_count -= txn->partitions.count;
    txn_step_end(txn, durable);
    txns->partition_count += txn->partitions.count;
    (void)map_put_int(&txns->by_producer_id, txn->now.producer_id, entry);
    if (durable && !txn_is_decided(txn)) {
        entry->marked = false;
        step_count(&txns->broker->stats, txn->now.state);
    }
}

static void
step_durable(struct broker *broker, struct append_waiter *waiter, int16_t append_error)
{
    struct txns_entry *entry = list_of(waiter, struct txns_entry, waiter);
    struct txns_call *call = entry->call;
    int16_t error = step_error(append_error);
    struct list waiting;

    entry->call = NULL;
    if (error != KE_NONE)
        log_warn("TXN-STEP", "a step of transactional id %s could not be written (error %d)",
            entry->txn->id, append_error);
    if (error == KE_NONE && entry->txn->next.state == TXN_DEAD) {
        waiting_take(entry, &waiting);
        txns_entry_remove(entry);
        waiting_call(broker, &waiting);
        return;
    }
    step_enter(entry, error == KE_NONE);
    txns_timer_set(entry);
    if (call != NULL && error != KE_NONE)
        call_refuse(broker, call, error);
    else if (call != NULL)
        call->done(broker, call);
    if (txn_is_decided(entry->txn) && error == KE_NONE)
        txns_finish(entry);
    if (!txn_is_moving(entry->txn)) {
        waiting_take(entry, &waiting);
        waiting_call(broker, &waiting);
    }
}

void
txns_step_write(struct txns_entry *entry, struct txns_call *call)
{
    struct broker *broker = entry->txns->broker;
    bool is_dead = entry->txn->next.state == TXN_DEAD;
    struct state_log_record record = {.value_size = -1};
    struct buf key, value;
    struct arena arena;
    struct err e;
    enum rc rc;

    entry->call = call;
    entry->waiter.done = step_durable;
    arena_init(&arena, STATE_LOG_BATCH_BYTES_MAX);
    buf_init(&key, STATE_LOG_BATCH_BYTES_MAX);
    buf_init(&value, STATE_LOG_BATCH_BYTES_MAX);
    rc = txn_record_key(entry->txn->id, &key, &e);
    if (rc == RC_OK && !is_dead)
        rc = txn_record_value(entry->txn, &arena, &value, &e);
    record.key = key.data;
    record.key_size = (int32_t)key.size;
    if (!is_dead) {
        record.value = value.data;
        record.value_size = (int32_t)value.size;
    }
    if (rc == RC_OK)
        state_log_append(broker, TXNS_TOPIC,
            state_log_partition_of(broker, TXNS_TOPIC, entry->txn->id), &record, 1, -1, -1,
            &entry->waiter);
    else
        step_durable(broker, &entry->waiter, KE_MESSAGE_TOO_LARGE);
    buf_fini(&key);
    buf_fini(&value);
    arena_fini(&arena);
}

/* Answers a request: with its step, or at once. */
static void
step_begin(
    struct txns_entry *entry, bool was_pending, struct txn_answer answer, struct txns_call *call)
{
    call->answer = answer;
    if (entry->txn->pending && !was_pending)
        txns_step_write(entry, call);
    else
        call->done(entry->txns->broker, call);
}

/* --- requests -------------------------------------------------------------------------------- */

static bool
id_is_valid(struct wire_string id)
{
    return id.size > 0 && request_is_plain(id);
}

/* What keeps a request from being judged; 0 where nothing does. */
static int16_t
request_check(struct txns *txns, struct wire_string id)
{
    if (!id_is_valid(id))
        return KE_INVALID_REQUEST;
    return txns_ready(txns) ? KE_NONE : KE_COORDINATOR_NOT_AVAILABLE;
}

void
txns_init(struct txns *txns, struct wire_string id, const struct txn_init_ask *ask_in,
    struct txns_call *call)
{
    struct broker *broker = txns->broker;
    struct txns_entry *entry = entry_find(txns, id);
    struct txn_init_ask ask = *ask_in;
    int16_t error = request_check(txns, id);
    struct txn_answer answer;
    bool was_pending;

    ask.fresh_producer_id = producer_ids_peek(broker);
    if (error == KE_NONE && entry == NULL && map_count(&txns->by_id) >= LIMIT_TRANSACTIONAL_IDS_MAX)
        error = KE_COORDINATOR_NOT_AVAILABLE;
    else if (error == KE_NONE && entry == NULL && ask.fresh_producer_id < 0)
        error = KE_COORDINATOR_LOAD_IN_PROGRESS;
    if (error != KE_NONE) {
        call_refuse(broker, call, error);
        return;
    }
    if (entry == NULL)
        entry = txns_entry_add(txns,
            txn_new(id.data, (size_t)id.size, producer_ids_take(broker), env_wall_ms(broker->env)));
    was_pending = entry->txn->pending;
    answer = txn_init(entry->txn, &ask);
    if (answer.took_fresh)
        (void)producer_ids_take(broker);
    step_begin(entry, was_pending, answer, call);
}

void
txns_add(struct txns *txns, struct wire_string id, int64_t producer_id, int16_t producer_epoch,
    int16_t version, const struct txn_partitions *partitions, struct txns_call *call)
{
    struct txns_entry *entry = entry_find(txns, id);
    int16_t error = request_check(txns, id);
    struct txn_answer answer;
    bool was_pending;

    if (error == KE_NONE && entry == NULL)
        error = KE_INVALID_PRODUCER_ID_MAPPING;
    else if (error == KE_NONE &&
             txns->partition_count + partitions->count > LIMIT_TXN_PARTITIONS_MAX)
        error = KE_POLICY_VIOLATION;
    if (error != KE_NONE) {
        call_refuse(txns->broker, call, error);
        return;
    }
    was_pending = entry->txn->pending;
    answer = txn_add(entry->txn, producer_id, producer_epoch, version, partitions,
        env_wall_ms(txns->broker->env));
    step_begin(entry, was_pending, answer, call);
}

void
txns_end(struct txns *txns, struct wire_string id, const struct txn_end_ask *ask_in,
    struct txns_call *call)
{
    struct txns_entry *entry = entry_find(txns, id);
    struct txn_end_ask ask = *ask_in;
    int16_t error = request_check(txns, id);
    struct txn_answer answer;
    bool was_pending;

    if (error == KE_NONE && entry == NULL)
        error = KE_INVALID_PRODUCER_ID_MAPPING;
    if (error != KE_NONE) {
        call_refuse(txns->broker, call, error);
        return;
    }
    ask.fresh_producer_id = producer_ids_peek(txns->broker);
    was_pending = entry->txn->pending;
    answer = txn_end(entry->txn, &ask);
    if (answer.took_fresh)
        (void)producer_ids_take(txns->broker);
    step_begin(entry, was_pending, answer, call);
}

bool
txns_wait(struct txns *txns, struct wire_string id, struct txns_wait *wait)
{
    struct txns_entry *entry = entry_find(txns, id);

    if (entry == NULL || !txn_is_moving(entry->txn))
        return false;
    list_push_back(&entry->waiting, &wait->node);
    return true;
}

void
txns_wait_end(struct txns *txns, struct wire_string id, struct txns_wait *wait)
{
    struct txns_entry *entry = entry_find(txns, id);

    if (entry != NULL)
        list_remove(&entry->waiting, &wait->node);
}

const struct txn *
txns_covers(const struct txns *txns, int64_t producer_id, int16_t producer_epoch, const char *topic,
    int32_t index)
{
    const struct txns_entry *entry = map_get_int(&txns->by_producer_id, producer_id);

    if (entry == NULL || entry->txn->now.state != TXN_ONGOING ||
        entry->txn->now.producer_epoch != producer_epoch ||
        !txn_partitions_has(&entry->txn->partitions, topic, strlen(topic), index))
        return NULL;
    return entry->txn;
}
