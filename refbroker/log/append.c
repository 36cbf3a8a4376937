#include "refbroker/log/append.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_rewrite.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/txns.h"
#include "refbroker/limits.h"
#include "refbroker/log/fetch_wait.h"
#include "refbroker/log/mirror.h"
#include "refbroker/log/replay.h"
#include "refbroker/log/verifications.h"

static struct verification_place
place_of(const struct partition *partition, const struct batch_view *batch)
{
    return (struct verification_place){partition->topic_id, partition->index, batch->producer_id};
}

static void
producer_note(struct broker *broker, struct partition *partition, const struct batch_view *batch)
{
    struct verification_place place = place_of(partition, batch);

    if (!batch_view_has_producer(batch))
        return;
    replay_batch(partition_producers(partition), batch);
    if (batch_view_is_transactional(batch))
        verifications_end(
            broker->verifications, &place, batch->producer_epoch, batch_view_is_control(batch));
}

/* Puts a batch with its final bytes at the end of the log. */
static void
log_add(struct broker *broker, struct partition *partition, struct blob *blob,
    const struct batch_view *batch)
{
    struct cached_batch *cached = cache_add(partition, blob, batch->data, (uint32_t)batch->size,
        batch->base_offset, batch_view_last_offset(batch), batch->max_timestamp);

    partition->log_end_offset = batch_view_next_offset(batch);
    producer_note(broker, partition, batch);
    broker->stats.produce_batches_total++;
    broker->stats.produce_bytes_total += (int64_t)batch->size;
    wal_append(broker->wal, cached);
}

static int16_t
refused(struct broker *broker, struct append_result *result, int16_t error, const char *text)
{
    broker->stats.produce_refused_total++;
    result->error = error;
    result->text = text;
    return error;
}

static int16_t
storage_check(struct broker *broker, struct partition *partition, struct append_result *result)
{
    if (partition->stopped)
        return refused(broker, result, KE_KAFKA_STORAGE_ERROR,
            "a write to this partition failed; it takes no records until the broker's next start");
    if (wal_is_full(broker->wal, NULL))
        return refused(broker, result, KE_KAFKA_STORAGE_ERROR, "no space left for the log");
    return 0;
}

/* Records of a transaction go on with what this log has open for their producer, or begin here what
 * the coordinator knows of. */
static bool
transaction_check(struct broker *broker, struct partition *partition,
    const struct batch_view *batch, struct append_result *result)
{
    if (!batch_view_is_transactional(batch) ||
        producers_is_open(
            partition_producers(partition), batch->producer_id, batch->producer_epoch) ||
        txns_covers(broker->txns, batch->producer_id, batch->producer_epoch, partition->topic->name,
            partition->index) != NULL)
        return true;
    refused(broker, result, KE_INVALID_TXN_STATE, "Record was not part of an ongoing transaction");
    return false;
}

/* Judges the batch's sequence numbers and transaction; true where it is to be appended. */
static bool
sequence_check(struct broker *broker, struct partition *partition, const struct batch_view *batch,
    struct append_result *result)
{
    struct verification_place place = place_of(partition, batch);
    struct producer_batch ask = replay_ask(batch);
    enum producer_verdict verdict;
    struct producer_first first;

    if (!batch_view_has_producer(batch)) {
        if (batch_view_is_transactional(batch))
            refused(broker, result, KE_INVALID_TXN_STATE, "the transaction has no producer");
        return result->error == KE_NONE;
    }
    verdict = producers_check(partition_producers(partition), &ask, &first);
    if (verdict != PRODUCER_DUPLICATE && verdict != PRODUCER_FENCED &&
        !transaction_check(broker, partition, batch, result))
        return false;
    if ((verdict == PRODUCER_APPEND || verdict == PRODUCER_BAD_TXN) &&
        verifications_block(broker->verifications, &place, batch->base_sequence,
            !producers_knows(partition_producers(partition), batch->producer_id)))
        verdict = PRODUCER_OUT_OF_ORDER;
    switch (verdict) {
    case PRODUCER_APPEND:
        return true;
    case PRODUCER_DUPLICATE:
        broker->stats.produce_duplicates_total++;
        result->base_offset = first.base_offset;
        result->end_offset = first.last_offset + 1;
        result->log_append_time = first.max_timestamp; /* CreateTime or not, as on Kafka */
        return false;
    case PRODUCER_OUT_OF_ORDER:
        refused(broker, result, KE_OUT_OF_ORDER_SEQUENCE_NUMBER, NULL);
        return false;
    case PRODUCER_FENCED:
        refused(broker, result, KE_INVALID_PRODUCER_EPOCH, NULL);
        return false;
    case PRODUCER_BAD_TXN:
        refused(broker, result, KE_INVALID_TXN_STATE, NULL);
        return false;
    }
    return false;
}

/* Appends a batch that is in order. */
static void
accept(struct broker *broker, struct partition *partition, const struct append_batch *from,
    struct append_result *result)
{
    struct batch_rewrite change = {
        .fields = BATCH_REWRITE_BASE_OFFSET | BATCH_REWRITE_LEADER_EPOCH,
        .base_offset = partition->log_end_offset,
        .leader_epoch = partition->leader_epoch,
    };
    struct batch_view batch;
    struct err e;

    batch_rewrite_header(from->data, from->size, &change);
    REQUIRE(batch_view_parse(from->data, from->size, &batch, &e) == RC_OK);
    result->log_append_time = from->log_append_time;
    result->base_offset = batch.base_offset;
    result->end_offset = batch_view_next_offset(&batch);
    log_add(broker, partition, from->blob, &batch);
}

void
append_client(struct broker *broker, struct partition *partition, const struct append_batch *from,
    struct append_result *result)
{
    struct batch_view batch;
    struct err e;

    *result = (struct append_result){.base_offset = -1, .log_append_time = -1};
    REQUIRE(batch_view_parse(from->data, from->size, &batch, &e) == RC_OK);
    if (storage_check(broker, partition, result) == 0 &&
        sequence_check(broker, partition, &batch, result))
        accept(broker, partition, from, result);
}

void
append_internal(struct broker *broker, struct partition *partition, struct blob *blob,
    uint8_t *data, size_t size, struct append_result *result)
{
    struct batch_rewrite change = {
        .fields = BATCH_REWRITE_BASE_OFFSET | BATCH_REWRITE_LEADER_EPOCH,
        .base_offset = partition->log_end_offset,
        .leader_epoch = partition->leader_epoch,
    };
    struct batch_view batch;
    struct err e;

    *result = (struct append_result){.base_offset = -1, .log_append_time = -1};
    if (storage_check(broker, partition, result) != 0)
        return;
    batch_rewrite_header(data, size, &change);
    REQUIRE(batch_view_parse(data, size, &batch, &e) == RC_OK);
    result->base_offset = batch.base_offset;
    result->end_offset = batch_view_next_offset(&batch);
    log_add(broker, partition, blob, &batch);
}

void
append_verbatim(struct broker *broker, struct partition *partition, struct blob *blob,
    uint8_t *data, size_t size, struct mirror_result *result)
{
    struct batch_rewrite change = {
        .fields = BATCH_REWRITE_LEADER_EPOCH, .leader_epoch = partition->leader_epoch};
    struct append_result storage = {0};
    struct batch_view batch;
    struct err e;

    if (storage_check(broker, partition, &storage) != 0) {
        result->error = storage.error;
        result->text = storage.text;
        return;
    }
    batch_rewrite_header(data, size, &change);
    REQUIRE(batch_view_parse(data, size, &batch, &e) == RC_OK);
    REQUIRE(batch.base_offset >= partition->log_end_offset);
    log_add(broker, partition, blob, &batch);
}

static struct append_waiter *
waiter_of(struct list_node *node)
{
    return list_of(node, struct append_waiter, node);
}

/* Waiters come in the order of their appends; only a retry waits for an offset below the last
 * one's. */
static void
waiter_insert(struct list *waiters, struct append_waiter *waiter)
{
    struct list_node *place = waiters->head.prev;

    while (place != &waiters->head && waiter_of(place)->end_offset > waiter->end_offset)
        place = place->prev;
    list_insert_after(waiters, place, &waiter->node);
}

void
append_wait(struct broker *broker, struct partition *partition, struct append_waiter *waiter)
{
    if (partition->stopped)
        waiter->done(broker, waiter, KE_KAFKA_STORAGE_ERROR);
    else if (waiter->end_offset <= partition->high_watermark)
        waiter->done(broker, waiter, KE_NONE);
    else
        waiter_insert(&partition->append_waiters, waiter);
}

static void
wake_appenders(struct broker *broker, struct partition *partition)
{
    struct list_node *first;

    while ((first = list_first(&partition->append_waiters)) != NULL &&
           waiter_of(first)->end_offset <= partition->high_watermark) {
        list_remove(&partition->append_waiters, first);
        waiter_of(first)->done(broker, waiter_of(first), KE_NONE);
    }
}

void
append_fail_waiters(struct broker *broker, struct partition *partition, int16_t error)
{
    struct list_node *node;

    while ((node = list_pop(&partition->append_waiters)) != NULL)
        waiter_of(node)->done(broker, waiter_of(node), error);
}

void
append_durable(void *arg, struct partition *partition, int64_t base_offset, int64_t last_offset,
    uint64_t sequence, enum wal_outcome outcome)
{
    struct broker *broker = arg;
    struct cached_batch *batch;

    if (partition->topic == NULL)
        return;
    if (outcome == WAL_LOST) {
        broker->stats.wal_lost_total++;
        broker->stats.partitions_stopped_total += !partition->stopped;
        partition->stopped = true;
        log_error("PART-STOPPED", "%s-%d stops at offset %" PRId64 ": its write failed",
            partition->topic->name, partition->index, base_offset);
        append_fail_waiters(broker, partition, KE_KAFKA_STORAGE_ERROR);
        return;
    }
    if (partition->stopped)
        return;
    batch = cache_find(partition, base_offset);
    if (batch != NULL)
        batch->wal_sequence = sequence;
    /* A mirror may have moved the start, and with it the end, beyond what was under way. */
    if (last_offset >= partition->high_watermark)
        partition->high_watermark = last_offset + 1;
    if (partition->producers != NULL)
        producers_settle(partition->producers, partition->high_watermark);
    wake_appenders(broker, partition);
    fetch_wait_wake(broker, partition);
}

enum rc
append_recovered(void *arg, const struct wal_found_batch *found, struct err *e)
{
    struct broker *broker = arg;
    struct topic *topic = topics_find_id(&broker->topics, found->topic_id);
    struct partition *partition = topic == NULL ? NULL : topics_partition(topic, found->partition);
    struct cached_batch *cached;
    struct batch_view batch;
    enum rc rc = batch_view_parse(found->head, found->size, &batch, e);

    if (rc != RC_OK)
        return err_note(e, "a batch in the WAL");
    /* Deleted topics and what lies in objects already leave their batches behind. */
    if (partition == NULL || batch.base_offset < partition->log_end_offset)
        return RC_OK;
    /* Of others than markers nothing follows that does not stand in the head. */
    if (found->head_size < found->size && batch_view_is_control(&batch))
        return err_set(e, RC_TRUNCATED, "the head of a marker");
    cached = cache_add(partition, found->blob, found->data, found->size, batch.base_offset,
        batch_view_last_offset(&batch), batch.max_timestamp);
    cached->wal_sequence = found->sequence;
    partition->log_end_offset = batch_view_next_offset(&batch);
    partition->high_watermark = partition->log_end_offset;
    producer_note(broker, partition, &batch);
    return RC_OK;
}
