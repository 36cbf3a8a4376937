/* Appends and those who wait for them, in a broker whose lanes the test moves by hand. */
#include "refbroker/log/append.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec.h"
#include "refbroker/client.h"
#include "tests/sim/broker_world.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)64 * 1024 * 1024)
#define PRODUCE_VERSION 9
#define MANY 3000
#define TIMES 8
#define TRIES 3

static struct buf
batch_make(int64_t producer_id, int32_t sequence)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {.value = "v", .value_size = 1, .key_size = -1};
    struct batch_builder builder;
    struct buf out;
    struct err e;

    options.codec = COMPRESS_LZ4;
    options.producer_id = producer_id;
    options.producer_epoch = producer_id < 0 ? -1 : 0;
    options.base_sequence = sequence;
    buf_init(&out, BYTES_MAX);
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    assert_int_equal(batch_builder_append(&builder, &record, &e), RC_OK);
    assert_int_equal(batch_builder_finish(&builder, &out, &e), RC_OK);
    batch_builder_fini(&builder);
    return out;
}

/* One request that has the same batch for the same partition many times. */
static void
produce_send(struct broker_world *world, const char *topic_name, const struct buf *batch, int count)
{
    struct km_produce_request_partition_produce_data *partitions =
        xcalloc((size_t)count, sizeof *partitions);
    struct km_produce_request_topic_produce_data topic;
    struct km_produce_request in;

    codec_init(&km_produce_request_desc, &in);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    for (int i = 0; i < count; i++) {
        codec_init(&km_produce_request_partition_produce_data_desc, &partitions[i]);
        partitions[i].records = (struct wire_records){batch->data, NULL, (int32_t)batch->size, 0};
    }
    topic.name = request_text(topic_name);
    topic.partition_data.items = partitions;
    topic.partition_data.count = count;
    in.acks = -1;
    in.timeout_ms = 30000;
    in.topic_data.items = &topic;
    in.topic_data.count = 1;
    (void)broker_world_ask(world, KM_PRODUCE, PRODUCE_VERSION, &in);
    free(partitions);
}

/* The offset that the next answer tells; -2 without an answer, below that with an error. */
static int64_t
offset_answered_at(struct broker_world *world, int64_t *log_append_time_ms)
{
    const struct km_produce_response_partition_produce_response *partition;
    struct km_produce_response out;
    struct arena arena;
    int32_t correlation;
    int64_t offset = -2;

    arena_init(&arena, BYTES_MAX);
    if (broker_world_reply(world, KM_PRODUCE, PRODUCE_VERSION, &arena, &out, &correlation)) {
        partition = &out.responses.items[0].partition_responses.items[0];
        offset = partition->error_code == 0 ? partition->base_offset : -3;
        *log_append_time_ms = partition->log_append_time_ms;
    }
    arena_fini(&arena);
    return offset;
}

static int64_t
offset_answered(struct broker_world *world)
{
    int64_t log_append_time_ms;

    return offset_answered_at(world, &log_append_time_ms);
}

static int
setup(void **state)
{
    struct broker_world *world = xcalloc(1, sizeof *world);

    broker_world_init(world, 1);
    assert_null(broker_world_start(world));
    *state = world;
    return 0;
}

static int
teardown(void **state)
{
    broker_world_fini(*state);
    free(*state);
    return 0;
}

/* The retry overtakes others in the row of those who wait, but not the disk. */
static void
a_retry_is_answered_with_the_first_offset_and_not_before_it_is_durable(void **state)
{
    struct broker_world *world = *state;
    struct buf first = batch_make(7, 0), other = batch_make(-1, -1);
    int64_t time_ms = 1;

    produce_send(world, "wal", &first, 1);
    produce_send(world, "wal", &other, 1);
    produce_send(world, "wal", &first, 1);
    assert_int_equal(broker_world_partition(world, 0)->log_end_offset, 2);
    assert_int_equal(broker_world_partition(world, 0)->append_waiters.count, 3);
    assert_int_equal(offset_answered(world), -2);
    broker_world_lanes(world);
    assert_int_equal(offset_answered_at(world, &time_ms), 0);
    assert_int_equal(time_ms, -1);
    assert_int_equal(offset_answered(world), 1);
    /* With the time of the records, though the topic has CreateTime: so does Kafka. */
    assert_int_equal(offset_answered_at(world, &time_ms), 0);
    assert_int_equal(time_ms, 0);
    assert_int_equal(world->broker->stats.produce_duplicates_total, 1);
    buf_fini(&first);
    buf_fini(&other);
}

/* --- what a peer can make grow costs no more than it sends ---------------------------------------
 */

typedef void load_fn(struct broker_world *world, int count);

static void
wait_for_many(struct broker_world *world, int count)
{
    struct buf batch = batch_make(-1, -1);

    produce_send(world, "wal", &batch, count);
    broker_world_lanes(world);
    assert_true(offset_answered(world) >= 0);
    buf_fini(&batch);
}

static void
go_away_from_many(struct broker_world *world, int count)
{
    struct buf batch = batch_make(-1, -1);

    produce_send(world, "coordinated", &batch, count);
    broker_world_reconnect(world);
    broker_world_lanes(world);
    buf_fini(&batch);
}

static void
wake_many(struct broker_world *world, int count)
{
    struct km_fetch_request_partition *partitions = xcalloc((size_t)count, sizeof *partitions);
    struct client *consumer = world->client;
    struct km_fetch_request_topic topic;
    struct km_fetch_request in;

    codec_init(&km_fetch_request_desc, &in);
    codec_init(&km_fetch_request_topic_desc, &topic);
    for (int i = 0; i < count; i++) {
        codec_init(&km_fetch_request_partition_desc, &partitions[i]);
        partitions[i].fetch_offset = broker_world_partition(world, 0)->high_watermark;
        partitions[i].partition_max_bytes = 1;
    }
    topic.topic = request_text("wal");
    topic.partitions.items = partitions;
    topic.partitions.count = count;
    in.topics.items = &topic;
    in.topics.count = 1;
    in.max_wait_ms = 30000;
    in.min_bytes = INT32_MAX;
    (void)broker_world_ask(world, KM_FETCH, 11, &in);
    world->client = broker_connect(world->broker, world, "producer", 0);
    wait_for_many(world, count);
    broker_disconnect(world->broker, world->client);
    world->client = consumer;
    broker_world_reconnect(world);
    free(partitions);
}

/* CPU time, the least of a few tries: what else the machine does only adds to it. */
static int64_t
cost_us(struct broker_world *world, load_fn *load, int count)
{
    int64_t least = INT64_MAX;
    struct env real;

    env_init_real(&real);
    for (int i = 0; i < TRIES; i++) {
        int64_t started = env_thread_cpu_us(&real), took;

        load(world, count);
        took = env_thread_cpu_us(&real) - started;
        if (took < least)
            least = took;
    }
    return least;
}

/* What grew with the square would take 64 times as long for eight times as much. */
static void
many_batches_of_a_request_cost_as_much_as_they_are(void **state)
{
    static load_fn *const loads[] = {wait_for_many, go_away_from_many, wake_many};
    struct broker_world *world = *state;

    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        int64_t few = cost_us(world, loads[i], MANY);
        int64_t many = cost_us(world, loads[i], MANY * TIMES);

        print_message("# load %zu: %lld and %lld us\n", i, (long long)few, (long long)many);
        assert_true(many < few * TIMES * 3);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_retry_is_answered_with_the_first_offset_and_not_before_it_is_durable),
        TEST(many_batches_of_a_request_cost_as_much_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
