/* Area idem: the idempotent producer. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define TRANSACTION_TIMEOUT_MS 60000
#define IDS 1000
#define IDS_IN_FLIGHT 20
#define STABLE_INIT_VERSION 5
#define RACES 300
#define STORM_BATCHES 1000
#define STORM_RECORDS 100
#define STORM_IN_FLIGHT 5
#define STORM_MS 15000
#define LOOP_MS 8000

static const int16_t out_of_order[] = {KE_OUT_OF_ORDER_SEQUENCE_NUMBER};
static const int16_t old_epoch[] = {KE_INVALID_PRODUCER_EPOCH};

/* --- helpers ---------------------------------------------------------------------------------- */

static struct kc_topic *
topic_and_producer(struct kc *kc, struct kc_producer *producer)
{
    *producer = kc_producer_new(kc);
    return kc_topic_new(kc, 1, NULL);
}

/* One batch of one record from a sequence number on, which must be appended (or have been) at an
 * offset. */
static void
taken(struct kc *kc, const struct kc_topic *topic, const struct kc_producer *producer,
    int32_t sequence, int64_t offset)
{
    kc_int(kc, "base_offset",
        kc_append_ok(kc, topic, 0, kc_batch_sequence(kc, producer, sequence, 1)), offset);
}

static const struct km_init_producer_id_response *
init_producer(struct kc *kc, int64_t id, int16_t epoch)
{
    struct km_init_producer_id_request body;

    codec_init(&km_init_producer_id_request_desc, &body);
    body.transactional_id = kc_string(NULL);
    body.transaction_timeout_ms = TRANSACTION_TIMEOUT_MS;
    body.producer_id = id;
    body.producer_epoch = epoch;
    return kc_ask(kc, kc_link(kc, 0), KM_INIT_PRODUCER_ID,
        kc_version(kc, KM_INIT_PRODUCER_ID, STABLE_INIT_VERSION), &body);
}

/* --- producer ids ----------------------------------------------------------------------------- */

static void
init_pid(struct kc *kc)
{
    struct kc_producer producer = kc_producer_new(kc);

    kc_that(kc, producer.id >= 0, "no-producer-id", "a producer id");
    kc_int(kc, "producer_epoch", producer.epoch, 0);
}

static int
id_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void
pid_unique(struct kc *kc)
{
    int64_t ids[IDS];
    struct exchange *sent[IDS_IN_FLIGHT];
    struct km_init_producer_id_request body;
    int16_t version = kc_version(kc, KM_INIT_PRODUCER_ID, STABLE_INIT_VERSION);
    size_t count = 0;

    kc_producer_new(kc); /* the broker has ids now */
    codec_init(&km_init_producer_id_request_desc, &body);
    body.transactional_id = kc_string(NULL);
    body.transaction_timeout_ms = TRANSACTION_TIMEOUT_MS;
    while (count < IDS) {
        size_t broker = count / IDS_IN_FLIGHT % kc->target->broker_count;
        struct link *link = kc_link(kc, broker);

        for (size_t i = 0; i < IDS_IN_FLIGHT; i++)
            sent[i] = kc_send(kc, link, KM_INIT_PRODUCER_ID, version, &body);
        for (size_t i = 0; i < IDS_IN_FLIGHT; i++) {
            const struct km_init_producer_id_response *response = kc_receive(kc, link, sent[i]);

            /* A broker without ids at hand gives none: that one is different from all. */
            ids[count] = -1 - (int64_t)count;
            if (!kerr_is_retriable(response->error_code)) {
                kc_code(kc, "error_code", response->error_code, KE_NONE);
                ids[count] = response->producer_id;
            }
            count++;
        }
    }
    qsort(ids, count, sizeof *ids, id_compare);
    kc_that(kc, ids[IDS / 2] >= 0, "no-producer-id", "producer ids");
    for (size_t i = 1; i < count; i++)
        kc_that(kc, ids[i - 1] != ids[i], "id-twice", "producer id %" PRId64 " once", ids[i]);
}

static void
pid_epoch_half_set(struct kc *kc)
{
    struct kc_producer producer = kc_producer_new(kc);

    kc_code(kc, "error_code", init_producer(kc, producer.id, -1)->error_code, KE_INVALID_REQUEST);
    kc_code(kc, "error_code", init_producer(kc, -1, 0)->error_code, KE_INVALID_REQUEST);
}

/* --- sequences -------------------------------------------------------------------------------- */

static void
sequence_ok(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    for (int32_t i = 0; i < 3; i++)
        taken(kc, topic, &producer, i, i);
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 3);
}

static void
duplicate_last(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);
    struct wire_bytes batch = kc_batch_sequence(kc, &producer, 0, 3);

    kc_append_ok(kc, topic, 0, kc_batch_values(kc, "another", 2));
    kc_int(kc, "base_offset", kc_append_ok(kc, topic, 0, batch), 2);
    kc_int(kc, "base_offset_again", kc_append_ok(kc, topic, 0, batch), 2);
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 5);
}

static void
duplicate_within_5(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    for (int32_t i = 0; i < 5; i++)
        taken(kc, topic, &producer, i, i);
    for (int32_t i = 0; i < 5; i++)
        kc_int(kc, "base_offset_again",
            kc_append_ok(kc, topic, 0, kc_batch_sequence(kc, &producer, i, 1)), i);
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 5);
}

static void
duplicate_6th(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    for (int32_t i = 0; i < 6; i++)
        taken(kc, topic, &producer, i, i);
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &producer, 0, 1), out_of_order, 1);
}

static void
partial_overlap(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    kc_append_ok(kc, topic, 0, kc_batch_sequence(kc, &producer, 0, 3));
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &producer, 0, 2), out_of_order, 1);
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &producer, 1, 3), out_of_order, 1);
}

static void
gap(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    taken(kc, topic, &producer, 0, 0);
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &producer, 2, 1), out_of_order, 1);
    taken(kc, topic, &producer, 1, 1);
}

static void
failed_batch_does_not_consume_seq(struct kc *kc)
{
    static const int16_t too_large[] = {KE_MESSAGE_TOO_LARGE};
    struct kc_producer producer = kc_producer_new(kc);
    struct kc_topic *topic = kc_topic_new(kc, 1, "max.message.bytes=300", NULL);

    taken(kc, topic, &producer, 0, 0);
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &producer, 1, 30), too_large, 1);
    taken(kc, topic, &producer, 1, 1);
}

static void
unknown_pid_nonzero_seq(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    taken(kc, topic, &producer, 42, 0);
    taken(kc, topic, &producer, 43, 1);
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &producer, 50, 1), out_of_order, 1);
}

static void
seq_wrap(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    kc_append_ok(kc, topic, 0, kc_batch_sequence(kc, &producer, INT32_MAX - 1, 2));
    taken(kc, topic, &producer, 0, 2);
    taken(kc, topic, &producer, 1, 3);
}

static void
seq_per_partition(struct kc *kc)
{
    struct kc_producer producer = kc_producer_new(kc);
    struct kc_topic *topic = kc_topic_new(kc, 2, NULL);

    for (int32_t i = 0; i < 3; i++)
        for (int32_t partition = 0; partition < 2; partition++)
            kc_int(kc, "base_offset",
                kc_append_ok(kc, topic, partition, kc_batch_sequence(kc, &producer, i, 1)), i);
}

/* --- epochs ----------------------------------------------------------------------------------- */

static void
stale_epoch(struct kc *kc)
{
    struct kc_producer producer, next;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    next = (struct kc_producer){producer.id, 1};
    taken(kc, topic, &next, 0, 0);
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &producer, 0, 1), old_epoch, 1);
}

static void
new_epoch_seq0(struct kc *kc)
{
    struct kc_producer producer, next;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    next = (struct kc_producer){producer.id, 1};
    for (int32_t i = 0; i < 3; i++)
        taken(kc, topic, &producer, i, i);
    taken(kc, topic, &next, 0, 3);
    taken(kc, topic, &next, 1, 4);
}

static void
new_epoch_seq_nonzero(struct kc *kc)
{
    struct kc_producer producer, next;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    next = (struct kc_producer){producer.id, 1};
    taken(kc, topic, &producer, 0, 0);
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &next, 5, 1), out_of_order, 1);
}

static void
duplicate_old_epoch(struct kc *kc)
{
    struct kc_producer producer, next;
    struct kc_topic *topic = topic_and_producer(kc, &producer);
    struct wire_bytes old = kc_batch_sequence(kc, &producer, 0, 1);

    next = (struct kc_producer){producer.id, 1};
    kc_append_ok(kc, topic, 0, old);
    taken(kc, topic, &next, 0, 1);
    kc_append_refused(kc, topic, old, old_epoch, 1);
}

/* --- what must not lose the state ------------------------------------------------------------- */

static void
state_survives_restart(struct kc *kc)
{
    static const char *const kill[] = {"kill"}, *const restart[] = {"restart"};
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    for (int32_t i = 0; i < 3; i++)
        taken(kc, topic, &producer, i, i);
    kc_control(kc, kill, 1);
    kc_control(kc, restart, 1);
    kc_links_forget(kc);
    topic = kc_topic_await(kc, topic->name, 1);
    taken(kc, topic, &producer, 2, 2);
    kc_append_refused(kc, topic, kc_batch_sequence(kc, &producer, 5, 1), out_of_order, 1);
    taken(kc, topic, &producer, 3, 3);
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 4);
}

static void
state_survives_delete_records(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);

    for (int32_t i = 0; i < 3; i++)
        taken(kc, topic, &producer, i, i);
    kc_code(kc, "DeleteRecords", kc_delete_records(kc, topic, 0, -1)->error_code, KE_NONE);
    taken(kc, topic, &producer, 2, 2);
    taken(kc, topic, &producer, 3, 3);
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 4);
}

static void
same_batch_on_two_connections(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);
    struct kc_produce_options options = kc_produce_defaults();
    struct link *links[2];
    int32_t round = 0;

    for (int i = 0; i < 2; i++)
        links[i] = kc_link_new(kc, topic->leaders[0]);
    for (; round < RACES && !kc_is_late(kc, LOOP_MS); round++) {
        struct kc_append append = {topic, 0, kc_batch_sequence(kc, &producer, round, 1)};
        const struct km_produce_request *body = kc_produce_body(kc, &options, &append, 1);
        struct exchange *sent[2];

        for (int i = 0; i < 2; i++)
            sent[i] = kc_send(kc, links[i], KM_PRODUCE, kc_produce_version(kc, &options), body);
        for (int i = 0; i < 2; i++) {
            const struct km_produce_response_partition_produce_response *part =
                kc_produce_part(kc, kc_receive(kc, links[i], sent[i]), topic, 0);

            kc_code(kc, "error_code", part->error_code, KE_NONE);
            kc_int(kc, "base_offset", part->base_offset, round);
        }
    }
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), round);
}

/* A producer that loses answers: it closes its connection before reading them, and sends again on
 * a new one whatever is not acknowledged. */
struct storm {
    struct kc_topic *topic;
    struct kc_producer producer;
    struct link *link;
    struct exchange *sent[STORM_IN_FLIGHT];
    int32_t acked; /* batches */
    int32_t next;  /* to send */
    int lost;
};

static void
storm_send(struct kc *kc, struct storm *storm)
{
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {storm->topic, 0,
        kc_batch_sequence(kc, &storm->producer, storm->next * STORM_RECORDS, STORM_RECORDS)};

    storm->sent[storm->next % STORM_IN_FLIGHT] = kc_send(kc, storm->link, KM_PRODUCE,
        kc_produce_version(kc, &options), kc_produce_body(kc, &options, &append, 1));
    storm->next++;
}

static void
storm_receive(struct kc *kc, struct storm *storm)
{
    const struct km_produce_response_partition_produce_response *part;

    if (env_random_below(&kc->env, 10) == 0) {
        link_close(storm->link);
        storm->link = kc_link_new(kc, storm->topic->leaders[0]);
        storm->next = storm->acked;
        storm->lost++;
        return;
    }
    part = kc_produce_part(kc,
        kc_receive(kc, storm->link, storm->sent[storm->acked % STORM_IN_FLIGHT]), storm->topic, 0);
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_int(kc, "base_offset", part->base_offset, (int64_t)storm->acked * STORM_RECORDS);
    storm->acked++;
}

static void
retry_storm(struct kc *kc)
{
    struct storm storm = {0};
    int32_t batches = STORM_BATCHES;
    struct kc_log *log;

    storm.topic = topic_and_producer(kc, &storm.producer);
    storm.link = kc_link_new(kc, storm.topic->leaders[0]);
    while (storm.acked < batches) {
        /* A slow target gets fewer batches; those under way are finished. */
        if (kc_is_late(kc, STORM_MS) && storm.next < batches && storm.next > storm.acked)
            batches = storm.next;
        while (storm.next < batches && storm.next - storm.acked < STORM_IN_FLIGHT)
            storm_send(kc, &storm);
        storm_receive(kc, &storm);
    }
    kc_that(kc, storm.lost > 0, "no-loss", "some answers lost");
    log = kc_log_all(kc, storm.topic, 0);
    kc_int(kc, "records", (int64_t)log->record_count, (int64_t)batches * STORM_RECORDS);
    for (int32_t i = 0; i < batches * STORM_RECORDS; i++)
        kc_bytes(
            kc, "record_value", log->records[i].value, kc_text_bytes(kc_printf(kc, "e0-s%d", i)));
}

static void
describe_producers(struct kc *kc)
{
    struct kc_producer producer;
    struct kc_topic *topic = topic_and_producer(kc, &producer);
    struct km_describe_producers_request body;
    struct km_describe_producers_request_topic_request asked;
    const struct km_describe_producers_response *response;
    const struct km_describe_producers_response_partition_response *part;
    int32_t zero = 0;

    kc_append_ok(kc, topic, 0, kc_batch_sequence(kc, &producer, 0, 3));
    codec_init(&km_describe_producers_request_desc, &body);
    codec_init(&km_describe_producers_request_topic_request_desc, &asked);
    asked.name = kc_string(topic->name);
    asked.partition_indexes.items = &zero;
    asked.partition_indexes.count = 1;
    body.topics.items = &asked;
    body.topics.count = 1;
    response = kc_ask(kc, kc_topic_leader(kc, topic, 0), KM_DESCRIBE_PRODUCERS, 0, &body);
    kc_int(kc, "topics_count", response->topics.count, 1);
    kc_int(kc, "partitions_count", response->topics.items[0].partitions.count, 1);
    part = &response->topics.items[0].partitions.items[0];
    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_int(kc, "producers_count", part->active_producers.count, 1);
    kc_int(kc, "producer_id", part->active_producers.items[0].producer_id, producer.id);
    kc_int(kc, "producer_epoch", part->active_producers.items[0].producer_epoch, 0);
    kc_int(kc, "last_sequence", part->active_producers.items[0].last_sequence, 2);
    kc_int(kc, "current_txn_start_offset", part->active_producers.items[0].current_txn_start_offset,
        -1);
}

#define NEED_BOTH                                                                                  \
    {                                                                                              \
        CHECK_NEED(PRODUCE, 3), CHECK_NEED(INIT_PRODUCER_ID, 0)                                    \
    }

static const struct check checks[] = {
    {"idem.init_pid", "InitProducerId without transactional id gives an id, epoch 0",
        "TransactionCoordinator", 0, 0, {CHECK_NEED(INIT_PRODUCER_ID, 0)}, init_pid},
    {"idem.pid_unique", "no producer id is given out twice", "ProducerIdManager", 0, 0,
        {CHECK_NEED(INIT_PRODUCER_ID, 0)}, pid_unique},
    {"idem.pid_epoch_half_set", "a producer id without epoch, and the reverse, is answered 42",
        "KafkaApis", 0, 0, {CHECK_NEED(INIT_PRODUCER_ID, 3)}, pid_epoch_half_set},
    {"idem.sequence_ok", "sequences 0, 1, 2 are taken, offsets follow each other",
        "librdkafka 0090", CHECK_CORE, 0, NEED_BOTH, sequence_ok},
    {"idem.duplicate_last", "the last batch again is answered 0 with its first offset", "KIP-98",
        CHECK_CORE, 0, NEED_BOTH, duplicate_last},
    {"idem.duplicate_within_5", "so is each of the last five", "ProducerStateEntry", CHECK_CORE, 0,
        NEED_BOTH, duplicate_within_5},
    {"idem.duplicate_6th", "the batch six back is answered 45", "ProducerAppendInfo", 0, 0,
        NEED_BOTH, duplicate_6th},
    {"idem.partial_overlap", "a batch that overlaps one that was taken is answered 45",
        "ProducerStateEntry", 0, 0, NEED_BOTH, partial_overlap},
    {"idem.gap", "a sequence left out is answered 45 and appends nothing", "ProducerAppendInfo",
        CHECK_CORE, 0, NEED_BOTH, gap},
    {"idem.failed_batch_does_not_consume_seq", "a refused batch leaves its sequence free",
        "UnifiedLog", 0, 0, NEED_BOTH, failed_batch_does_not_consume_seq},
    {"idem.unknown_pid_nonzero_seq", "a producer not seen before may begin at any sequence",
        "ProducerAppendInfo", 0, 0, NEED_BOTH, unknown_pid_nonzero_seq},
    {"idem.stale_epoch", "an older epoch is answered 47", "ProducerAppendInfo", 0, 0, NEED_BOTH,
        stale_epoch},
    {"idem.new_epoch_seq0", "a newer epoch begins at sequence 0", "ProducerAppendInfo", CHECK_CORE,
        0, NEED_BOTH, new_epoch_seq0},
    {"idem.new_epoch_seq_nonzero", "a newer epoch at another sequence is answered 45",
        "ProducerAppendInfo", 0, 0, NEED_BOTH, new_epoch_seq_nonzero},
    {"idem.duplicate_old_epoch", "a batch of an older epoch again is answered 47, never 0",
        "ProducerAppendInfo", 0, 0, NEED_BOTH, duplicate_old_epoch},
    {"idem.seq_wrap", "0 follows sequence 2147483647", "ProducerAppendInfo.inSequence", CHECK_CORE,
        0, NEED_BOTH, seq_wrap},
    {"idem.seq_per_partition", "every partition has its own sequence", "KIP-98", 0, 0, NEED_BOTH,
        seq_per_partition},
    {"idem.state_survives_restart", "a duplicate is known after the broker was killed", "KIP-98",
        CHECK_CORE | CHECK_CONTROL, 120, NEED_BOTH, state_survives_restart},
    {"idem.state_survives_delete_records", "a duplicate is known after its records were deleted",
        "ProducerStateManager", 0, 0,
        {CHECK_NEED(PRODUCE, 3), CHECK_NEED(INIT_PRODUCER_ID, 0), CHECK_NEED(DELETE_RECORDS, 0)},
        state_survives_delete_records},
    {"idem.same_batch_on_two_connections", "one batch sent on two connections is appended once",
        "Jepsen, redpanda 3039", 0, 60, NEED_BOTH, same_batch_on_two_connections},
    {"idem.retry_storm_no_dup_no_loss",
        "a producer that loses a tenth of the answers loses and doubles no record",
        "librdkafka 0075", CHECK_CORE, 90, NEED_BOTH, retry_storm},
    {"idem.describe_producers", "DescribeProducers tells id, epoch and last sequence", "KIP-664", 0,
        0,
        {CHECK_NEED(PRODUCE, 3), CHECK_NEED(INIT_PRODUCER_ID, 0),
            CHECK_NEED(DESCRIBE_PRODUCERS, 0)},
        describe_producers},
};

const struct check_table c_idem_table = CHECK_TABLE("idem", checks);
