/* Area produce, first part: acknowledgements, offsets, order, sizes, topic ids. */
#include <inttypes.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_fetch.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_produce.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define ORDERED_RECORDS 10000
#define ORDERED_BATCH 10
#define IN_FLIGHT 5
#define PRODUCERS 16
#define PRODUCER_RECORDS 1000
#define PRODUCER_BATCH 20
#define SMALL_LIMIT 10000
#define LOOP_MS 8000

static const int16_t too_large[] = {KE_MESSAGE_TOO_LARGE};

/* One batch with these acks. */
static const struct km_produce_response_partition_produce_response *
append_with(struct kc *kc, const struct kc_topic *topic, int16_t acks, struct wire_bytes records)
{
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, 0, records};

    options.acks = acks;
    return kc_produce_part(kc, kc_produce(kc, &options, &append, 1), topic, 0);
}

/* --- acks ------------------------------------------------------------------------------------- */

static void
acks_all(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    int64_t expected = 0;

    for (int i = 0; i < 2; i++) {
        const struct km_produce_response_partition_produce_response *part =
            kc_append(kc, topic, 0, kc_batch_values(kc, "v", 3));

        kc_code(kc, "error_code", part->error_code, KE_NONE);
        kc_int(kc, "base_offset", part->base_offset, expected);
        kc_int(kc, "log_append_time", part->log_append_time_ms, -1);
        if (kc->last->version >= 5)
            kc_int(kc, "log_start_offset", part->log_start_offset, 0);
        expected += 3;
    }
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), expected);
}

static void
acks_1(struct kc *kc)
{
    static const char *const values[] = {"v-0", "v-1"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_fetch_options fetch = kc_fetch_defaults();
    const struct km_produce_response_partition_produce_response *part =
        append_with(kc, topic, 1, kc_batch_values(kc, "v", 2));

    kc_code(kc, "error_code", part->error_code, KE_NONE);
    kc_int(kc, "base_offset", part->base_offset, 0);
    kc_log_values(kc, kc_log_read(kc, &fetch, topic, 0, 0, 2), 0, values, 2);
}

static void
acks_0(struct kc *kc)
{
    static const char *const values[] = {"v-0", "v-1"};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, 0, kc_batch_values(kc, "v", 2)};
    struct link *link = kc_link_new(kc, topic->leaders[0]);
    struct kc_wait wait = kc_wait_begin(kc, kc->options->commit_ms);
    struct kc_fetch_options fetch = kc_fetch_defaults();

    options.acks = 0;
    kc_send_unanswered(kc, link, KM_PRODUCE, kc_produce_version(kc, &options),
        kc_produce_body(kc, &options, &append, 1));
    kc_classify(kc, "answered");
    kc_control_request(kc, link); /* its own correlation id must come back next */
    kc_classify(kc, NULL);
    while (kc_latest(kc, topic, 0) < 2)
        kc_wait_more(kc, &wait, "the records appended");
    kc_log_values(kc, kc_log_read(kc, &fetch, topic, 0, 0, 2), 0, values, 2);
}

static void
acks_0_error_closes(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, 99, kc_batch_values(kc, "v", 1)};
    struct link *link = kc_link_new(kc, topic->leaders[0]);

    kc_control_request(kc, link);
    options.acks = 0;
    kc_send_unanswered(kc, link, KM_PRODUCE, kc_produce_version(kc, &options),
        kc_produce_body(kc, &options, &append, 1));
    kc_closed(kc, link);
}

static void
acks_invalid(struct kc *kc)
{
    static const int16_t acks[] = {2, -2};
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    for (size_t i = 0; i < ARRAY_LEN(acks); i++) {
        const struct km_produce_response_partition_produce_response *part =
            append_with(kc, topic, acks[i], kc_batch_values(kc, "v", 1));

        kc_code(kc, "error_code", part->error_code, KE_INVALID_REQUIRED_ACKS);
        kc_int(kc, "base_offset", part->base_offset, -1);
    }
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 0);
}

/* --- offsets and order ------------------------------------------------------------------------ */

static void
offset_contiguous(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    int64_t expected = 0;

    for (size_t i = 0; i < 100 && !kc_is_late(kc, LOOP_MS); i++) {
        size_t count = 1 + i % 7;

        kc_int(kc, "base_offset", kc_append_ok(kc, topic, 0, kc_batch_values(kc, "v", count)),
            expected);
        expected += (int64_t)count;
    }
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), expected);
}

static void
reported_offset_is_real(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    int64_t offsets[20];

    for (size_t i = 0; i < ARRAY_LEN(offsets); i++)
        offsets[i] =
            kc_append_ok(kc, topic, 0, kc_batch_values(kc, kc_printf(kc, "batch-%zu", i), 2));
    for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
        struct kc_log *log = kc_alloc(kc, 1, sizeof *log);
        const struct km_fetch_response_partition_data *part =
            kc_fetch_one(kc, topic, 0, offsets[i]);

        kc_code(kc, "error_code", part->error_code, KE_NONE);
        kc_log_add(kc, log, &part->records);
        kc_that(kc, log->record_count > 0, "no-record", "the record acknowledged at %" PRId64,
            offsets[i]);
        kc_int(kc, "record_offset", log->records[0].offset, offsets[i]);
        kc_bytes(kc, "record_value", log->records[0].value,
            kc_text_bytes(kc_printf(kc, "batch-%zu-0", i)));
    }
}

static void
partition_order_single_producer(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_producer producer = kc_producer_new(kc);
    struct kc_produce_options options = kc_produce_defaults();
    struct link *link = kc_link_new(kc, topic->leaders[0]);
    struct exchange *sent[IN_FLIGHT];
    int batches = ORDERED_RECORDS / ORDERED_BATCH;
    struct kc_log *log;

    for (int i = 0; i < batches + IN_FLIGHT; i++) {
        if (i < batches && kc_is_late(kc, LOOP_MS))
            batches = i;
        if (i >= IN_FLIGHT) {
            const struct km_produce_response_partition_produce_response *part =
                kc_produce_part(kc, kc_receive(kc, link, sent[i % IN_FLIGHT]), topic, 0);

            kc_code(kc, "error_code", part->error_code, KE_NONE);
            kc_int(kc, "base_offset", part->base_offset, (i - IN_FLIGHT) * ORDERED_BATCH);
        }
        if (i < batches) {
            struct kc_append append = {
                topic, 0, kc_batch_sequence(kc, &producer, i * ORDERED_BATCH, ORDERED_BATCH)};

            sent[i % IN_FLIGHT] = kc_send(kc, link, KM_PRODUCE, kc_produce_version(kc, &options),
                kc_produce_body(kc, &options, &append, 1));
        }
    }
    log = kc_log_all(kc, topic, 0);
    kc_int(kc, "records", (int64_t)log->record_count, batches * ORDERED_BATCH);
    for (int i = 0; i < batches * ORDERED_BATCH; i++) {
        kc_int(kc, "record_offset", log->records[i].offset, i);
        kc_bytes(
            kc, "record_value", log->records[i].value, kc_text_bytes(kc_printf(kc, "e0-s%d", i)));
    }
}

static void
read_your_write(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);

    for (int i = 0; i < 20; i++) {
        int64_t offset = kc_append_ok(kc, topic, 0, kc_batch_values(kc, "v", 1));
        const struct km_fetch_response_partition_data *part = kc_fetch_one(kc, topic, 0, offset);
        struct kc_log *log = kc_alloc(kc, 1, sizeof *log);

        kc_code(kc, "error_code", part->error_code, KE_NONE);
        kc_log_add(kc, log, &part->records);
        kc_int(kc, "records", (int64_t)log->record_count, 1);
        kc_int(kc, "record_offset", log->records[0].offset, offset);
    }
}

/* All producers' next batches go out before the first answer is awaited. */
static void
producers_round(struct kc *kc, const struct kc_topic *topic, struct link **links, int round)
{
    struct kc_produce_options options = kc_produce_defaults();
    struct exchange *sent[PRODUCERS];

    for (int i = 0; i < PRODUCERS; i++) {
        struct kc_append append = {
            topic, 0, kc_batch_values(kc, kc_printf(kc, "%d-%d", i, round), PRODUCER_BATCH)};

        sent[i] = kc_send(kc, links[i], KM_PRODUCE, kc_produce_version(kc, &options),
            kc_produce_body(kc, &options, &append, 1));
    }
    for (int i = 0; i < PRODUCERS; i++)
        kc_code(kc, "error_code",
            kc_produce_part(kc, kc_receive(kc, links[i], sent[i]), topic, 0)->error_code, KE_NONE);
}

/* The producer that wrote a value "<producer>-<round>-<record>", and that record's number. */
static int
value_parse(struct kc *kc, struct wire_bytes value, int *number)
{
    int fields[3] = {0}, field = 0;

    for (int32_t i = 0; i < value.size; i++) {
        if (value.data[i] == '-' && field < 2)
            field++;
        else if (value.data[i] >= '0' && value.data[i] <= '9' && fields[field] < ORDERED_RECORDS)
            fields[field] = fields[field] * 10 + (value.data[i] - '0');
        else
            kc_fail(kc, "record_value-differs", NULL, "only values that were sent");
    }
    kc_that(kc, fields[0] < PRODUCERS, "record_value-differs", "only values that were sent");
    *number = fields[1] * PRODUCER_BATCH + fields[2];
    return fields[0];
}

static void
concurrent_producers(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct link *links[PRODUCERS];
    int next[PRODUCERS] = {0}, round = 0;
    struct kc_log *log;

    for (int i = 0; i < PRODUCERS; i++)
        links[i] = kc_link_new(kc, topic->leaders[0]);
    for (; round < PRODUCER_RECORDS / PRODUCER_BATCH && !kc_is_late(kc, LOOP_MS); round++)
        producers_round(kc, topic, links, round);
    log = kc_log_all(kc, topic, 0);
    kc_int(kc, "records", (int64_t)log->record_count, PRODUCERS * PRODUCER_BATCH * round);
    for (size_t i = 0; i < log->record_count; i++) {
        int number, producer = value_parse(kc, log->records[i].value, &number);

        kc_int(kc, "record_offset", log->records[i].offset, (int64_t)i);
        kc_int(kc, "next_of_producer", number, next[producer]);
        next[producer]++;
    }
}

/* --- several partitions, other topics --------------------------------------------------------- */

static void
multi_topic_partial_failure(struct kc *kc)
{
    struct kc_topic *good = kc_topic_new(kc, 1, NULL);
    struct kc_topic *small = kc_topic_new(kc, 1, "max.message.bytes=1000", NULL);
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append appends[] = {
        {small, 0, kc_batch_sized(kc, 2000)}, {good, 0, kc_batch_values(kc, "v", 2)}};
    const struct km_produce_response *response;

    if (small->leaders[0] != good->leaders[0])
        kc_skip(kc, "two leaders");
    response = kc_produce(kc, &options, appends, 2);
    kc_code(kc, "error_code", kc_produce_part(kc, response, small, 0)->error_code,
        KE_MESSAGE_TOO_LARGE);
    kc_code(kc, "good_error_code", kc_produce_part(kc, response, good, 0)->error_code, KE_NONE);
    kc_int(kc, "log_end", kc_latest(kc, small, 0), 0);
    kc_int(kc, "good_log_end", kc_latest(kc, good, 0), 2);
}

static void
unknown_topic(struct kc *kc)
{
    struct kc_topic none = {.name = kc_topic_name(kc), .partition_count = 1};
    const char *name = none.name;
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {&none, 0, kc_batch_values(kc, "v", 1)};

    options.link = kc_link(kc, 0);
    options.version_max = 12;
    kc_code(kc, "error_code",
        kc_produce_part(kc, kc_produce(kc, &options, &append, 1), &none, 0)->error_code,
        KE_UNKNOWN_TOPIC_OR_PARTITION);
    kc_that(kc,
        kc_topic_find(kc_topic_metadata(kc, kc_link(kc, 0), &name, 1), name)->error_code ==
            KE_UNKNOWN_TOPIC_OR_PARTITION,
        "created", "the topic not created");
}

static void
topic_id_v13(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_produce_options options = kc_produce_defaults();
    struct kc_append append = {topic, 0, kc_batch_values(kc, "v", 1)};
    const struct km_produce_response *response = kc_produce(kc, &options, &append, 1);

    kc_int(kc, "responses_count", response->responses.count, 1);
    kc_that(kc, memcmp(&response->responses.items[0].topic_id, &topic->id, sizeof topic->id) == 0,
        "id-wrong", "the topic's id in the answer");
    kc_code(kc, "error_code", kc_produce_part(kc, response, topic, 0)->error_code, KE_NONE);
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 1);
}

static void
unknown_topic_id(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL), other = *topic;

    env_random_bytes(&kc->env, other.id.bytes, sizeof other.id.bytes);
    kc_code(kc, "error_code", kc_append(kc, &other, 0, kc_batch_values(kc, "v", 1))->error_code,
        KE_UNKNOWN_TOPIC_ID);
    kc_int(kc, "log_end", kc_latest(kc, topic, 0), 0);
}

static void
stale_topic_id(struct kc *kc)
{
    struct kc_topic *old = kc_topic_new(kc, 1, NULL), *new = kc_topic_recreate(kc, old);

    kc_code(kc, "error_code", kc_append(kc, old, 0, kc_batch_values(kc, "v", 1))->error_code,
        KE_UNKNOWN_TOPIC_ID);
    kc_int(kc, "log_end", kc_latest(kc, new, 0), 0);
}

static void
internal_topic_rejected(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_internal(kc);

    kc_code(kc, "error_code", kc_append(kc, topic, 0, kc_batch_values(kc, "v", 1))->error_code,
        KE_INVALID_TOPIC_EXCEPTION);
}

static void
recreated_topic_starts_at_zero(struct kc *kc)
{
    static const char *const values[] = {"new-0"};
    struct kc_topic *old = kc_topic_new(kc, 1, NULL), *new;

    kc_append_ok(kc, old, 0, kc_batch_values(kc, "old", 5));
    new = kc_topic_recreate(kc, old);
    kc_int(kc, "log_end", kc_latest(kc, new, 0), 0);
    kc_int(kc, "base_offset", kc_append_ok(kc, new, 0, kc_batch_values(kc, "new", 1)), 0);
    kc_log_values(kc, kc_log_all(kc, new, 0), 0, values, 1);
}

/* --- sizes ------------------------------------------------------------------------------------ */

static void
max_message_bytes(struct kc *kc)
{
    struct kc_topic *topic =
        kc_topic_new(kc, 1, kc_printf(kc, "max.message.bytes=%d", SMALL_LIMIT), NULL);

    kc_append_ok(kc, topic, 0, kc_batch_sized(kc, SMALL_LIMIT));
    kc_append_refused(kc, topic, kc_batch_sized(kc, SMALL_LIMIT + 1), too_large, 1);
}

static void
max_message_bytes_topic_override(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct wire_bytes batch = kc_batch_sized(kc, SMALL_LIMIT + 1);
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);
    int16_t code;

    kc_append_ok(kc, topic, 0, batch);
    kc_topic_set(kc, topic, "max.message.bytes", kc_printf(kc, "%d", SMALL_LIMIT));
    while ((code = kc_append(kc, topic, 0, batch)->error_code) == KE_NONE)
        kc_wait_more(kc, &wait, "the new limit in effect");
    kc_code(kc, "error_code", code, KE_MESSAGE_TOO_LARGE);
    kc_append_ok(kc, topic, 0, kc_batch_sized(kc, SMALL_LIMIT));
}

static const struct check checks[] = {
    {"produce.acks_all",
        "acks=all is answered with the base offset, and appends right behind the end",
        "ProduceRequestTest", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, acks_all},
    {"produce.acks_1", "acks=1 is answered with 0, and the records can be read", "librdkafka 0008",
        CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, acks_1},
    {"produce.acks_0", "acks=0 is not answered at all, and the records can be read",
        "librdkafka 0008", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, acks_0},
    {"produce.acks_0_error_closes", "an error with acks=0 closes: the only sign there is",
        "KafkaApis.sendResponseCallback", CHECK_RAW, 0, {CHECK_NEED(PRODUCE, 3)},
        acks_0_error_closes},
    {"produce.acks_invalid", "acks other than -1, 0, 1 is answered 21 and appends nothing",
        "ReplicaManager", 0, 0, {CHECK_NEED(PRODUCE, 3)}, acks_invalid},
    {"produce.offset_contiguous", "base offsets follow each other without a gap", "KIP-98", 0, 0,
        {CHECK_NEED(PRODUCE, 3)}, offset_contiguous},
    {"produce.partition_order_single_producer",
        "what one producer sends, five requests in flight, is read in its order",
        "KIP-98, librdkafka 0005", CHECK_CORE, 60,
        {CHECK_NEED(PRODUCE, 3), CHECK_NEED(INIT_PRODUCER_ID, 0)}, partition_order_single_producer},
    {"produce.reported_offset_is_real", "at the acknowledged offset stands that very record",
        "Jepsen: spurious zero offsets", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)},
        reported_offset_is_real},
    {"produce.multi_topic_partial_failure", "one partition's error leaves the others alone",
        "KafkaApis", 0, 0, {CHECK_NEED(PRODUCE, 3)}, multi_topic_partial_failure},
    {"produce.unknown_topic", "Produce to an unknown topic is answered 3 and does not create it",
        "KafkaApis", 0, 0, {CHECK_NEED(PRODUCE, 3)}, unknown_topic},
    {"produce.topic_id_v13", "Produce v13 names topics by id, in the answer too", "KIP-516", 0, 0,
        {CHECK_NEED(PRODUCE, 13)}, topic_id_v13},
    {"produce.unknown_topic_id", "an unknown topic id is answered 100", "KIP-516", 0, 0,
        {CHECK_NEED(PRODUCE, 13)}, unknown_topic_id},
    {"produce.stale_topic_id_after_recreate",
        "the id of a deleted topic is answered 100, its successor stays empty", "KIP-516", 0, 0,
        {CHECK_NEED(PRODUCE, 13)}, stale_topic_id},
    {"produce.internal_topic_rejected", "clients do not write into __consumer_offsets: 17",
        "ReplicaManager", 0, 0, {CHECK_NEED(PRODUCE, 3)}, internal_topic_rejected},
    {"produce.max_message_bytes",
        "max.message.bytes limits the whole batch: the limit fits, one more byte is answered 10",
        "librdkafka 0003", CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, max_message_bytes},
    {"produce.max_message_bytes_topic_override",
        "max.message.bytes of the topic takes effect when altered", "LogConfig", 0, 0,
        {CHECK_NEED(PRODUCE, 3), CHECK_NEED(INCREMENTAL_ALTER_CONFIGS, 0)},
        max_message_bytes_topic_override},
    {"produce.read_your_write", "what is acknowledged is returned by the next Fetch", "Jepsen",
        CHECK_CORE, 0, {CHECK_NEED(PRODUCE, 3)}, read_your_write},
    {"produce.recreated_topic_starts_at_zero", "a topic created again begins empty, at offset 0",
        "librdkafka 0107", 0, 0, {CHECK_NEED(PRODUCE, 3)}, recreated_topic_starts_at_zero},
    {"produce.concurrent_producers_one_partition",
        "16 producers lose and duplicate nothing, and each keeps its order", "Jepsen", CHECK_CORE,
        60, {CHECK_NEED(PRODUCE, 3)}, concurrent_producers},
};

const struct check_table c_produce_table = CHECK_TABLE("produce", checks);
