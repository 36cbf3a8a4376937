/* ShareFetch and ShareAcknowledge, whole: in a broker whose clock, lanes and disk the test has in
 * its hands. What a group keeps of a partition is begun by hand, as its coordinator does. */
#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/share_session.h"
#include "refbroker/client.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/meta/topics.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define VERSION 2
#define MAX_WAIT_MS 500
#define LOCK_MS 30000
#define SETTLE_MS 600
#define RECORDS 3 /* of each batch */
#define TEXT_BYTES 256
#define WAL 0
#define COORDINATED 3
#define NO_ANSWER (-2)
#define ACCEPT 1
#define RELEASE 2

struct rig {
    struct broker_world world;
    int where; /* the partition that is asked for */
    int32_t max_wait_ms;
    int32_t max_records;
    int8_t mode;
    /* Of the last answer. */
    int16_t code;
    int16_t part_code;
    int16_t acks_code;
    int32_t parts;
    int64_t first;
    int64_t last;
    int32_t runs;
    int16_t deliveries;
    int32_t bytes;
    char ack_text[TEXT_BYTES];
};

static void
pass(struct rig *rig, int64_t ms)
{
    env_advance(&rig->world.time, ms * 1000);
    (void)broker_tick(rig->world.broker);
}

/* Lanes and clock go on for a while; replies stay. */
static void
settle(struct rig *rig)
{
    for (int i = 0; i < SETTLE_MS; i++) {
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            (void)work_step(rig->world.work, lane);
        pass(rig, 1);
    }
}

static struct wire_uuid
topic_id(struct rig *rig)
{
    return broker_world_partition(&rig->world, rig->where)->topic->topic_id;
}

/* Begins the group's state of the partition, at the start of the log. */
static void
begin_at(struct rig *rig, int32_t state_epoch)
{
    struct km_initialize_share_group_state_request_partition_data partition;
    struct km_initialize_share_group_state_request_initialize_state_data topic;
    struct km_initialize_share_group_state_request in;
    struct km_initialize_share_group_state_response out;
    struct arena arena;

    codec_init(&km_initialize_share_group_state_request_desc, &in);
    codec_init(&km_initialize_share_group_state_request_initialize_state_data_desc, &topic);
    codec_init(&km_initialize_share_group_state_request_partition_data_desc, &partition);
    partition.partition = rig->where % BROKER_WORLD_PARTITIONS;
    partition.state_epoch = state_epoch;
    partition.start_offset = 0;
    topic.topic_id = topic_id(rig);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.group_id = request_text("g");
    in.topics.items = &topic;
    in.topics.count = 1;
    for (int i = 0; i < 20; i++) {
        arena_init(&arena, BYTES_MAX);
        assert_true(
            broker_world_call(&rig->world, KM_INITIALIZE_SHARE_GROUP_STATE, 0, &in, &arena, &out));
        rig->code = out.results.items[0].partitions.items[0].error_code;
        arena_fini(&arena);
        if (rig->code == KE_NONE)
            return;
        (void)share_states_ready(rig->world.broker->share_states);
        settle(rig);
    }
    assert_int_equal(rig->code, KE_NONE);
}

static void
begin(struct rig *rig)
{
    begin_at(rig, 1);
}

static int
setup(void **state)
{
    struct rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, 1);
    assert_null(broker_world_start(&rig->world));
    rig->where = WAL;
    rig->max_wait_ms = MAX_WAIT_MS;
    rig->max_records = 100;
    rig->world.make.fillers = RECORDS - 1;
    *state = rig;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    broker_world_fini(&rig->world);
    free(rig);
    return 0;
}

/* Batches of RECORDS records each, durable. */
static void
produce(struct rig *rig, int batches)
{
    for (int i = 0; i < batches; i++)
        (void)broker_world_produce(&rig->world, rig->where);
    settle(rig);
    broker_world_acks(&rig->world);
}

/* What is said of offsets first to last; type -1: nothing. */
struct said {
    int64_t first;
    int64_t last;
    int8_t type;
};

static const struct said silent = {0, 0, -1};

static void
fetch_send(struct rig *rig, const char *member, int32_t epoch, struct said said)
{
    struct km_share_fetch_request_acknowledgement_batch batch = {said.first, said.last, {NULL, 1}};
    struct km_share_fetch_request_fetch_partition partition;
    struct km_share_fetch_request_fetch_topic topic;
    struct km_share_fetch_request in;

    codec_init(&km_share_fetch_request_desc, &in);
    codec_init(&km_share_fetch_request_fetch_topic_desc, &topic);
    codec_init(&km_share_fetch_request_fetch_partition_desc, &partition);
    batch.acknowledge_types.items = &said.type;
    partition.partition_index = rig->where % BROKER_WORLD_PARTITIONS;
    partition.acknowledgement_batches.items = &batch;
    partition.acknowledgement_batches.count = said.type >= 0;
    topic.topic_id = topic_id(rig);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.group_id = request_text("g");
    in.member_id = request_text(member);
    in.share_session_epoch = epoch;
    in.max_wait_ms = rig->max_wait_ms;
    in.min_bytes = 1;
    in.max_bytes = 1 << 20;
    in.max_records = rig->max_records;
    in.batch_size = rig->max_records;
    in.share_acquire_mode = rig->mode;
    in.topics.items = &topic;
    in.topics.count = 1;
    (void)broker_world_ask(&rig->world, KM_SHARE_FETCH, VERSION, &in);
    (void)broker_tick(rig->world.broker);
}

/* Takes the answer that is there apart. */
static int16_t
fetch_answer(struct rig *rig)
{
    const struct km_share_fetch_response_partition_data *part;
    struct km_share_fetch_response out;
    struct arena arena;
    int32_t correlation;

    arena_init(&arena, BYTES_MAX);
    rig->code = NO_ANSWER;
    rig->parts = rig->runs = rig->bytes = 0;
    rig->part_code = rig->acks_code = 0;
    if (broker_world_reply(&rig->world, KM_SHARE_FETCH, VERSION, &arena, &out, &correlation)) {
        rig->code = out.error_code;
        rig->parts = out.responses.count > 0 ? out.responses.items[0].partitions.count : 0;
    }
    if (rig->parts > 0) {
        part = &out.responses.items[0].partitions.items[0];
        rig->part_code = part->error_code;
        rig->acks_code = part->acknowledge_error_code;
        rig->runs = part->acquired_records.count;
        rig->bytes = part->records.size;
        if (rig->runs > 0) {
            rig->first = part->acquired_records.items[0].first_offset;
            rig->last = part->acquired_records.items[rig->runs - 1].last_offset;
            rig->deliveries = part->acquired_records.items[0].delivery_count;
        }
    }
    arena_fini(&arena);
    return rig->code;
}

static int16_t
fetch(struct rig *rig, const char *member, int32_t epoch, struct said said)
{
    fetch_send(rig, member, epoch, said);
    settle(rig);
    return fetch_answer(rig);
}

/* A ShareAcknowledge; the partition's code, or that on top. */
static int16_t
acknowledge(struct rig *rig, const char *member, int32_t epoch, struct said said)
{
    struct km_share_acknowledge_request_acknowledgement_batch batch = {
        said.first, said.last, {NULL, 1}};
    struct km_share_acknowledge_request_acknowledge_partition partition;
    struct km_share_acknowledge_request_acknowledge_topic topic;
    struct km_share_acknowledge_request in;
    struct km_share_acknowledge_response out;
    struct arena arena;
    int16_t code;

    codec_init(&km_share_acknowledge_request_desc, &in);
    codec_init(&km_share_acknowledge_request_acknowledge_topic_desc, &topic);
    codec_init(&km_share_acknowledge_request_acknowledge_partition_desc, &partition);
    batch.acknowledge_types.items = &said.type;
    partition.partition_index = rig->where % BROKER_WORLD_PARTITIONS;
    partition.acknowledgement_batches.items = &batch;
    partition.acknowledgement_batches.count = 1;
    topic.topic_id = topic_id(rig);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.group_id = request_text("g");
    in.member_id = request_text(member);
    in.share_session_epoch = epoch;
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    assert_true(broker_world_call(&rig->world, KM_SHARE_ACKNOWLEDGE, VERSION, &in, &arena, &out));
    code = out.error_code;
    rig->ack_text[0] = '\0';
    if (code == KE_NONE && out.responses.count > 0) {
        struct wire_string text = out.responses.items[0].partitions.items[0].error_message;

        code = out.responses.items[0].partitions.items[0].error_code;
        if (text.size >= 0)
            (void)snprintf(rig->ack_text, sizeof rig->ack_text, "%.*s", text.size, text.data);
    }
    arena_fini(&arena);
    return code;
}

static void
assert_run(const struct rig *rig, int64_t first, int64_t last, int16_t deliveries)
{
    assert_int_equal(rig->code, KE_NONE);
    assert_int_equal(rig->part_code, KE_NONE);
    assert_true(rig->runs > 0);
    assert_int_equal(rig->first, first);
    assert_int_equal(rig->last, last);
    assert_int_equal(rig->deliveries, deliveries);
    assert_true(rig->bytes > 0);
}

static void
what_a_group_has_not_begun_is_no_share_partition(void **state)
{
    struct rig *rig = *state;

    produce(rig, 1);
    assert_int_equal(fetch(rig, "a", 0, silent), KE_NONE);
    assert_int_not_equal(rig->part_code, KE_NONE);
}

static void
records_are_acquired_once(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 2);
    (void)fetch(rig, "a", 0, silent);
    assert_run(rig, 0, 2 * RECORDS - 1, 1);
    fetch_send(rig, "b", 0, silent);
    assert_int_equal(fetch_answer(rig), NO_ANSWER);
    pass(rig, MAX_WAIT_MS);
    assert_int_equal(fetch_answer(rig), KE_NONE);
    assert_int_equal(rig->runs, 0);
}

static void
a_fetch_waits_for_records(void **state)
{
    struct rig *rig = *state;
    struct client *consumer = rig->world.client;

    begin(rig);
    fetch_send(rig, "a", 0, silent);
    assert_int_equal(fetch_answer(rig), NO_ANSWER);
    rig->world.client = broker_connect(rig->world.broker, &rig->world, "producer", 0);
    rig->world.make.acks = 0;
    (void)broker_world_produce(&rig->world, WAL);
    settle(rig);
    (void)fetch_answer(rig);
    assert_run(rig, 0, RECORDS - 1, 1);
    broker_disconnect(rig->world.broker, consumer);
}

static void
what_is_accepted_is_over_after_a_restart_too(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 2);
    (void)fetch(rig, "a", 0, silent);
    assert_int_equal(acknowledge(rig, "a", 1, (struct said){0, RECORDS - 1, ACCEPT}), KE_NONE);
    broker_world_crash(&rig->world);
    disk_cut_power(rig->world.disk);
    assert_null(broker_world_start(&rig->world));
    (void)fetch(rig, "a", 0, silent);
    /* The connection went before the power, and what it gave back may be stored or not. */
    assert_run(rig, RECORDS, 2 * RECORDS - 1, rig->deliveries);
    assert_in_range(rig->deliveries, 1, 2);
}

static void
what_a_newer_state_forbids_is_told_in_kafka_s_words(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 1);
    (void)fetch(rig, "a", 0, silent);
    begin_at(rig, 2);
    assert_int_equal(acknowledge(rig, "a", 1, (struct said){0, RECORDS - 1, ACCEPT}),
        KE_NOT_LEADER_OR_FOLLOWER);
    assert_string_equal(rig->ack_text,
        "Error in write state RPC. The share coordinator rejected the request because the "
        "share-group state epoch did not match.");
}

static void
what_is_released_is_delivered_again_to_who_waits(void **state)
{
    struct rig *rig = *state;
    struct client *first = rig->world.client;
    struct client *second;

    begin(rig);
    produce(rig, 1);
    (void)fetch(rig, "a", 0, silent);
    second = rig->world.client = broker_connect(rig->world.broker, &rig->world, "second", 0);
    fetch_send(rig, "b", 0, silent);
    assert_int_equal(fetch_answer(rig), NO_ANSWER);
    /* The answers of both come in one row; that of the acknowledgement is the later one. */
    rig->world.client = first;
    rig->max_records = 0;
    fetch_send(rig, "a", 1, (struct said){0, RECORDS - 1, RELEASE});
    settle(rig);
    (void)fetch_answer(rig);
    assert_run(rig, 0, RECORDS - 1, 2);
    assert_int_equal(fetch_answer(rig), KE_NONE);
    assert_int_equal(rig->acks_code, KE_NONE);
    rig->world.client = first;
    broker_disconnect(rig->world.broker, second);
}

static void
a_lock_runs_out(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 1);
    (void)fetch(rig, "a", 0, silent);
    pass(rig, LOCK_MS);
    (void)fetch(rig, "b", 0, silent);
    assert_run(rig, 0, RECORDS - 1, 2);
    assert_int_equal(
        acknowledge(rig, "a", 1, (struct said){0, 0, ACCEPT}), KE_INVALID_RECORD_STATE);
}

static void
a_connection_that_goes_gives_back_what_its_member_has(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 1);
    (void)fetch(rig, "a", 0, silent);
    broker_world_reconnect(&rig->world);
    assert_int_equal(share_sessions_count(rig->world.broker->share_sessions), 0);
    (void)fetch(rig, "b", 0, silent);
    assert_run(rig, 0, RECORDS - 1, 2);
}

static void
the_last_request_ends_the_session(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 1);
    (void)fetch(rig, "a", 0, silent);
    assert_int_equal(fetch(rig, "a", -1, (struct said){0, 0, ACCEPT}), KE_NONE);
    assert_int_equal(rig->acks_code, KE_NONE);
    assert_int_equal(share_sessions_count(rig->world.broker->share_sessions), 0);
    (void)fetch(rig, "a", 0, silent);
    assert_run(rig, 1, RECORDS - 1, 2);
    assert_int_equal(acknowledge(rig, "a", -1, (struct said){1, 1, ACCEPT}), KE_NONE);
    assert_int_equal(
        acknowledge(rig, "a", -1, (struct said){2, 2, ACCEPT}), KE_SHARE_SESSION_NOT_FOUND);
}

static void
requests_out_of_turn_get_nothing(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 1);
    (void)fetch(rig, "a", 0, silent);
    assert_int_equal(fetch(rig, "a", 2, silent), KE_INVALID_SHARE_SESSION_EPOCH);
    assert_int_equal(
        acknowledge(rig, "a", 0, (struct said){0, 0, ACCEPT}), KE_INVALID_SHARE_SESSION_EPOCH);
    assert_int_equal(fetch(rig, "b", 1, silent), KE_SHARE_SESSION_NOT_FOUND);
    assert_int_equal(fetch(rig, "", 0, silent), KE_INVALID_REQUEST);
}

static void
what_makes_no_sense_is_refused(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 1);
    (void)fetch(rig, "a", 0, silent);
    assert_int_equal(acknowledge(rig, "a", 1, (struct said){2, 1, ACCEPT}), KE_INVALID_REQUEST);
    assert_int_equal(acknowledge(rig, "a", 2, (struct said){0, 0, 5}), KE_INVALID_REQUEST);
    assert_int_equal(acknowledge(rig, "a", 3, (struct said){0, 0, 4}), KE_INVALID_REQUEST);
    assert_int_equal(
        acknowledge(rig, "a", 4, (struct said){INT64_MIN, INT64_MAX, ACCEPT}), KE_INVALID_REQUEST);
    assert_int_not_equal(
        acknowledge(rig, "a", 5, (struct said){INT64_MAX, INT64_MAX, ACCEPT}), KE_NONE);
    assert_int_equal(acknowledge(rig, "a", 6, (struct said){0, 2, ACCEPT}), KE_NONE);
}

static void
record_limits_are_kept(void **state)
{
    struct rig *rig = *state;

    begin(rig);
    produce(rig, 3);
    rig->max_records = 1;
    (void)fetch(rig, "a", 0, silent);
    assert_run(rig, 0, RECORDS - 1, 1);
    rig->mode = 1;
    (void)fetch(rig, "a", 1, silent);
    assert_run(rig, RECORDS, RECORDS, 1);
    rig->max_records = 100;
    (void)fetch(rig, "a", 2, silent);
    assert_run(rig, RECORDS + 1, 3 * RECORDS - 1, 1);
}

static void
coordinated_topics_have_no_leader(void **state)
{
    struct rig *rig = *state;

    rig->where = COORDINATED;
    produce(rig, 1);
    assert_int_equal(fetch(rig, "a", 0, silent), KE_NONE);
    assert_int_equal(rig->part_code, KE_NOT_LEADER_OR_FOLLOWER);
}

static void
acknowledgements_that_cannot_be_written_are_refused(void **state)
{
    struct rig *rig = *state;
    struct topic *log;

    begin(rig);
    produce(rig, 1);
    (void)fetch(rig, "a", 0, silent);
    log = topics_find(&rig->world.broker->topics, "__share_group_state", 19);
    assert_non_null(log);
    for (int32_t i = 0; i < log->partition_count; i++)
        log->partitions[i]->stopped = true;
    assert_int_not_equal(acknowledge(rig, "a", 1, (struct said){0, 0, ACCEPT}), KE_NONE);
    for (int32_t i = 0; i < log->partition_count; i++)
        log->partitions[i]->stopped = false;
    /* What was not written did not happen. */
    (void)fetch(rig, "b", 0, silent);
    assert_run(rig, 0, RECORDS - 1, 1);
}

static void
a_topic_that_is_gone_is_told(void **state)
{
    struct rig *rig = *state;
    struct wire_uuid gone = {{7}};
    struct km_share_fetch_request_fetch_partition partition = {0};
    struct km_share_fetch_request_fetch_topic topic = {gone, {&partition, 1}};
    struct km_share_fetch_request in;

    codec_init(&km_share_fetch_request_desc, &in);
    in.group_id = request_text("g");
    in.member_id = request_text("a");
    in.max_records = 1;
    in.max_bytes = 1;
    in.max_wait_ms = MAX_WAIT_MS;
    in.topics.items = &topic;
    in.topics.count = 1;
    (void)broker_world_ask(&rig->world, KM_SHARE_FETCH, VERSION, &in);
    (void)broker_tick(rig->world.broker);
    assert_int_equal(fetch_answer(rig), KE_NONE);
    assert_int_equal(rig->part_code, KE_UNKNOWN_TOPIC_ID);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_a_group_has_not_begun_is_no_share_partition),
        TEST(records_are_acquired_once),
        TEST(a_fetch_waits_for_records),
        TEST(what_is_accepted_is_over_after_a_restart_too),
        TEST(what_a_newer_state_forbids_is_told_in_kafka_s_words),
        TEST(what_is_released_is_delivered_again_to_who_waits),
        TEST(a_lock_runs_out),
        TEST(a_connection_that_goes_gives_back_what_its_member_has),
        TEST(the_last_request_ends_the_session),
        TEST(requests_out_of_turn_get_nothing),
        TEST(what_makes_no_sense_is_refused),
        TEST(record_limits_are_kept),
        TEST(coordinated_topics_have_no_leader),
        TEST(acknowledgements_that_cannot_be_written_are_refused),
        TEST(a_topic_that_is_gone_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
