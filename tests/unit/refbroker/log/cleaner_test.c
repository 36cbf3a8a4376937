/*
 * The cleaner in a whole broker whose disk loses its power at any step: the last value of each key
 * is there at its offset, a reader that goes on meanwhile sees no record twice and none too few,
 * nothing but used objects is left. SEEDS=N: how many lives.
 */
#include "refbroker/log/cleaner.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/codec.h"
#include "refbroker/log/reader.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define SEEDS 60
#define CUTS_PER_SEED 5
#define KEYS 8
#define RECORDS_MAX 4000
#define BYTES_MAX ((size_t)8 * 1024 * 1024)
#define TOPIC "keyed"
#define SEGMENT_MS 50
#define PRODUCE_VERSION 9
#define FETCH_VERSION 11
#define CREATE_VERSION 6

struct sent {
    int key;
    int64_t offset; /* acknowledged or read here; -1: neither */
    bool tombstone;
};

static struct broker_world world;
static struct sent sent[RECORDS_MAX];
static size_t sent_count;
static int64_t time_ms;

static bool
topic_make(const char *policy, const char *keep_ms)
{
    struct km_create_topics_request_creatable_topic_config configs[] = {
        {request_text("cleanup.policy"), request_text(policy)},
        {request_text("segment.ms"), request_text("50")},
        {request_text("min.cleanable.dirty.ratio"), request_text("0.01")},
        {request_text("delete.retention.ms"), request_text(keep_ms)},
    };
    struct km_create_topics_request_creatable_topic topic;
    struct km_create_topics_request in;
    struct km_create_topics_response out;
    struct arena arena;
    bool made;

    codec_init(&km_create_topics_request_desc, &in);
    codec_init(&km_create_topics_request_creatable_topic_desc, &topic);
    topic.name = request_text(TOPIC);
    topic.num_partitions = 1;
    topic.replication_factor = 1;
    topic.configs.items = configs;
    topic.configs.count = ARRAY_LEN(configs);
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    made = broker_world_call(&world, KM_CREATE_TOPICS, CREATE_VERSION, &in, &arena, &out) &&
           out.topics.items[0].error_code == 0;
    arena_fini(&arena);
    return made;
}

static void
world_begin(uint64_t seed, const char *policy, const char *keep_ms)
{
    broker_world_init(&world, seed);
    world.cleaner_backoff_ms = 20;
    sent_count = 0;
    time_ms = INT64_C(1700000000000);
    assert_null(broker_world_start(&world));
    assert_true(topic_make(policy, keep_ms));
}

static struct partition *
partition_of_world(void)
{
    return topics_partition(topics_find(&world.broker->topics, TOPIC, strlen(TOPIC)), 0);
}

/* A batch of one to three records, each with its number as the value. */
static struct wire_records
batch_make(struct arena *arena)
{
    struct batch_builder_options options = batch_builder_defaults();
    int count = 1 + (int)env_random_below(&world.env, 3);
    struct batch_builder builder;
    struct buf out;
    uint8_t *data;
    int32_t size;

    options.codec = (enum compress_codec)env_random_below(&world.env, COMPRESS_CODECS);
    buf_init(&out, BYTES_MAX);
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (int i = 0; i < count && sent_count < RECORDS_MAX; i++, sent_count++) {
        char key = (char)('a' + env_random_below(&world.env, KEYS));
        struct sent *record = &sent[sent_count];
        struct batch_builder_record made = {
            .offset = i, .timestamp = time_ms, .key = &key, .key_size = 1};

        *record = (struct sent){key, -1, env_random_below(&world.env, 6) == 0};
        made.value = record->tombstone ? NULL : &sent_count;
        made.value_size = sizeof sent_count;
        assert_int_equal(batch_builder_append(&builder, &made, NULL), RC_OK);
    }
    assert_int_equal(batch_builder_finish(&builder, &out, NULL), RC_OK);
    data = arena_dup(arena, out.data, out.size);
    size = (int32_t)out.size;
    batch_builder_fini(&builder);
    buf_fini(&out);
    return (struct wire_records){data, NULL, size, 0};
}

/* Produces a batch and waits for the answer, so that numbers and offsets have the same order. */
static void
produce(void)
{
    struct km_produce_request_partition_produce_data partition;
    struct km_produce_request_topic_produce_data topic;
    struct km_produce_request in;
    struct km_produce_response out;
    size_t first = sent_count;
    struct arena arena;

    arena_init(&arena, BYTES_MAX);
    codec_init(&km_produce_request_desc, &in);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    codec_init(&km_produce_request_partition_produce_data_desc, &partition);
    partition.records = batch_make(&arena);
    topic.name = request_text(TOPIC);
    topic.partition_data.items = &partition;
    topic.partition_data.count = 1;
    in.topic_data.items = &topic;
    in.topic_data.count = 1;
    in.acks = -1;
    in.timeout_ms = 30000;
    time_ms += (int64_t)env_random_below(&world.env, 30);
    if (broker_world_call(&world, KM_PRODUCE, PRODUCE_VERSION, &in, &arena, &out)) {
        assert_int_equal(out.responses.items[0].partition_responses.items[0].error_code, 0);
        for (size_t i = first; i < sent_count; i++)
            sent[i].offset = out.responses.items[0].partition_responses.items[0].base_offset +
                             (int64_t)(i - first);
    }
    arena_fini(&arena);
}

/* What a reader knows: of each key the last record that it saw. */
struct reader_view {
    int64_t next;
    int64_t last[KEYS]; /* offset; -1: none */
    int64_t numbers[KEYS];
    bool tombstone[KEYS];
    size_t records;
};

static void
view_init(struct reader_view *view)
{
    memset(view, 0, sizeof *view);
    for (int i = 0; i < KEYS; i++)
        view->last[i] = view->numbers[i] = -1;
}

static void
view_take(struct reader_view *view, const uint8_t *data, size_t size)
{
    struct batch_view_cursor cursor = {data, size};
    struct batch_records_record record;
    struct batch_records records;
    struct batch_view batch;
    struct buf scratch;
    bool found;
    struct err e;

    buf_init(&scratch, BYTES_MAX);
    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found) {
        assert_true(batch_view_is_intact(&batch));
        assert_int_equal(batch_records_open(&records, &batch, &scratch, BYTES_MAX, &e), RC_OK);
        while (batch_records_next(&records, &record, &found, &e) == RC_OK && found) {
            int key = record.key[0] - 'a';
            size_t number;

            if (record.offset < view->next)
                continue;
            assert_true(record.offset > view->last[key]);
            view->last[key] = record.offset;
            view->records++;
            view->tombstone[key] = record.value_size < 0;
            view->numbers[key] = -1;
            if (record.value_size < 0)
                continue;
            memcpy(&number, record.value, sizeof number);
            assert_true(number < sent_count && sent[number].key == record.key[0]);
            assert_true(sent[number].offset < 0 || sent[number].offset == record.offset);
            sent[number].offset = record.offset;
            view->numbers[key] = (int64_t)number;
        }
        view->next = batch_view_next_offset(&batch);
    }
    buf_fini(&scratch);
}

/* Fetches once; false where nothing came. */
static bool
view_fetch(struct reader_view *view)
{
    struct km_fetch_request_partition partition;
    struct km_fetch_request_topic topic;
    struct km_fetch_request in;
    struct km_fetch_response out;
    struct arena arena;
    bool more = false;

    codec_init(&km_fetch_request_desc, &in);
    codec_init(&km_fetch_request_topic_desc, &topic);
    codec_init(&km_fetch_request_partition_desc, &partition);
    partition.fetch_offset = view->next;
    partition.partition_max_bytes = 300 + (int32_t)env_random_below(&world.env, 3000);
    topic.topic = request_text(TOPIC);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    if (broker_world_call(&world, KM_FETCH, FETCH_VERSION, &in, &arena, &out)) {
        const struct km_fetch_response_partition_data *answer =
            &out.responses.items[0].partitions.items[0];

        assert_int_equal(answer->error_code, 0);
        more = answer->records.size > 0;
        if (more)
            view_take(view, answer->records.data, (size_t)answer->records.size);
    }
    arena_fini(&arena);
    return more;
}

/* The last acknowledged record of each key is what a reader ends with. */
static void
view_check(const struct reader_view *view)
{
    int64_t last[KEYS];

    for (int i = 0; i < KEYS; i++)
        last[i] = -1;
    for (size_t i = 0; i < sent_count; i++)
        if (sent[i].offset > last[sent[i].key - 'a'])
            last[sent[i].key - 'a'] = sent[i].offset;
    for (int i = 0; i < KEYS; i++)
        assert_true(view->last[i] >= last[i]);
}

static void
check_all(struct reader_view *view)
{
    view_init(view);
    while (view_fetch(view))
        continue;
    assert_int_equal(view->next, partition_of_world()->high_watermark);
    view_check(view);
}

static void
quiet(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        env_advance(&world.time, 5000);
        broker_world_rest(&world, 60);
    }
}

struct used {
    size_t objects;
    size_t unused;
};

static void
object_found(void *arg, const char *key)
{
    struct used *used = arg;
    struct topic *topic;
    bool found = false;

    for (size_t position = 0; (topic = topics_next(&world.broker->topics, &position)) != NULL;)
        for (int32_t p = 0; p < topic->partition_count; p++)
            for (size_t i = 0; i < topic->partitions[p]->runs.count; i++) {
                char name[READER_KEY_BYTES];

                reader_key(name, topic->partitions[p]->runs.runs[i].object_id);
                found = found || strcmp(name, key) == 0;
            }
    used->objects++;
    used->unused += !found;
}

static size_t
objects_unused(void)
{
    struct used used = {0};
    struct err e;

    assert_int_equal(store_list(world.broker->store, object_found, &used, &e), RC_OK);
    return used.unused;
}

static void
a_cut_at_any_step_leaves_the_last_value_of_each_key(void **state)
{
    const char *text = getenv("SEEDS");
    uint64_t seeds = text == NULL ? SEEDS : strtoull(text, NULL, 10);
    int64_t removed = 0, rounds = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct reader_view all, reader;

        world_begin(seed, "compact", "86400000");
        view_init(&reader);
        for (int i = 0; i < CUTS_PER_SEED; i++) {
            disk_cut_stop_at(world.disk, 1 + env_random_below(&world.env, 600));
            for (int k = 0; k < 60 && !disk_cut_is_stopped(world.disk); k++) {
                produce();
                if (env_random_below(&world.env, 3) == 0)
                    (void)view_fetch(&reader);
            }
            removed += world.broker->stats.cleaner_records_removed_total;
            rounds += world.broker->stats.cleaner_rounds_total;
            broker_world_crash(&world);
            if (env_random_below(&world.env, 3) == 0)
                disk_cut_kill(world.disk);
            else
                disk_cut_power(world.disk);
            assert_null(broker_world_start(&world));
            check_all(&all);
            /* What was read is durable, so a reader may go on. */
            while (view_fetch(&reader))
                continue;
            view_check(&reader);
        }
        quiet(40);
        check_all(&all);
        assert_int_equal(objects_unused(), 0);
        broker_world_fini(&world);
    }
    print_message("# %lld rounds, %lld records removed\n", (long long)rounds, (long long)removed);
    assert_true(rounds > (int64_t)seeds * 3);
    assert_true(removed > (int64_t)seeds * 100);
}

static void
a_cleaned_log_holds_one_record_of_a_key_and_the_active_segment(void **state)
{
    struct reader_view view;
    const struct partition *partition;

    (void)state;
    world_begin(1, "compact", "86400000");
    for (int i = 0; i < 500; i++)
        produce();
    time_ms += 10 * SEGMENT_MS;
    produce();
    quiet(60);
    check_all(&view);
    partition = partition_of_world();
    /* The last segment is what came after the jump. */
    assert_true(view.records <= KEYS + 3);
    assert_int_equal(partition->first_dirty_offset,
        run_index_find(&partition->runs, partition->first_dirty_offset)->base_offset);
    assert_true(world.broker->stats.cleaner_keys_total >= KEYS);
    assert_true(world.broker->stats.cleaner_bytes_removed_total > 0);
    assert_int_equal(world.broker->stats.cleaner_failures_total, 0);
    broker_world_fini(&world);
}

static void
a_restart_goes_on_where_the_cleaner_was(void **state)
{
    struct reader_view view;
    int64_t first_dirty;

    (void)state;
    world_begin(8, "compact", "86400000");
    for (int i = 0; i < 200; i++)
        produce();
    time_ms += 10 * SEGMENT_MS;
    produce();
    quiet(60);
    first_dirty = partition_of_world()->first_dirty_offset;
    assert_true(first_dirty > 0);
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
    assert_int_equal(partition_of_world()->first_dirty_offset, first_dirty);
    quiet(60);
    assert_int_equal(world.broker->stats.cleaner_rounds_total, 0);
    check_all(&view);
    broker_world_fini(&world);
}

static void
tombstones_go_after_their_time(void **state)
{
    struct reader_view view;
    int64_t tombstones = 0;

    (void)state;
    world_begin(2, "compact", "1");
    for (int i = 0; i < 500; i++)
        produce();
    for (int i = 0; i < 3; i++) {
        time_ms += 10 * SEGMENT_MS;
        produce();
        quiet(60);
    }
    view_init(&view);
    while (view_fetch(&view))
        continue;
    for (int i = 0; i < KEYS; i++)
        tombstones += view.last[i] >= 0 && view.tombstone[i] &&
                      view.last[i] < partition_of_world()->first_dirty_offset - 6;
    assert_int_equal(tombstones, 0);
    assert_true(view.records < KEYS + 9);
    broker_world_fini(&world);
}

static void
a_cleaner_that_is_behind_needs_several_rounds(void **state)
{
    struct reader_view view;

    (void)state;
    world_begin(3, "compact", "86400000");
    world.broker->options.cleaner_dedupe_buffer_bytes = 4 * 24; /* 3 keys */
    for (int i = 0; i < 300; i++)
        produce();
    time_ms += 10 * SEGMENT_MS;
    produce();
    quiet(200);
    check_all(&view);
    assert_true(world.broker->stats.cleaner_rounds_total > 20);
    assert_true(view.records <= KEYS + 3);
    broker_world_fini(&world);
}

static void
a_topic_with_both_policies_loses_old_runs_too(void **state)
{
    struct topic_configs *configs;
    struct reader_view view;

    (void)state;
    world_begin(4, "compact,delete", "86400000");
    for (int i = 0; i < 300; i++)
        produce();
    time_ms += 10 * SEGMENT_MS;
    produce();
    quiet(60);
    configs = &partition_of_world()->topic->configs;
    assert_int_equal(partition_of_world()->log_start_offset, 0);
    topic_configs_set(configs, "retention.ms", "0");
    env_advance(&world.time, INT64_C(600000000));
    quiet(60);
    assert_true(partition_of_world()->log_start_offset > 0);
    assert_int_equal(partition_of_world()->log_start_offset, partition_of_world()->log_end_offset);
    view_init(&view);
    view.next = partition_of_world()->log_start_offset;
    assert_false(view_fetch(&view));
    broker_world_fini(&world);
}

static void
damage_stops_the_cleaner_for_its_partition_alone(void **state)
{
    char path[READER_KEY_BYTES + 16], key[READER_KEY_BYTES];
    const struct partition *partition;

    (void)state;
    world_begin(5, "compact", "86400000");
    world.broker->options.cleaner_enable = false;
    for (int i = 0; i < 100; i++)
        produce();
    time_ms += 10 * SEGMENT_MS;
    produce();
    quiet(20);
    partition = partition_of_world();
    reader_key(key, partition->runs.runs[0].object_id);
    snprintf(path, sizeof path, "objects/%s", key);
    assert_true(disk_cut_flip(
        world.disk, path, partition->runs.runs[0].position + BATCH_VIEW_HEADER_BYTES, 1));
    world.broker->options.cleaner_enable = true;
    quiet(40);
    assert_true(partition->uncleanable);
    assert_int_equal(world.broker->stats.cleaner_failures_total, 1);
    assert_int_equal(world.broker->stats.cleaner_uncleanable_partitions, 1);
    assert_int_equal(world.broker->stats.cleaner_records_removed_total, 0);
    broker_world_fini(&world);
}

static void
a_full_disk_changes_nothing_and_the_cleaner_tries_again(void **state)
{
    struct reader_view view;

    (void)state;
    world_begin(6, "compact", "86400000");
    world.broker->options.cleaner_enable = false;
    for (int i = 0; i < 300; i++)
        produce();
    time_ms += 10 * SEGMENT_MS;
    produce();
    quiet(20);
    world.broker->options.cleaner_enable = true;
    disk_cut_limit(world.disk, 0);
    quiet(20);
    assert_true(world.broker->stats.cleaner_failures_total > 0);
    assert_false(partition_of_world()->uncleanable);
    check_all(&view);
    disk_cut_limit(world.disk, UINT64_MAX);
    quiet(60);
    check_all(&view);
    assert_true(view.records <= KEYS + 3);
    broker_world_fini(&world);
}

static void
the_bytes_of_a_second_are_bounded(void **state)
{
    int64_t began_us, bytes;

    (void)state;
    world_begin(7, "compact", "86400000");
    world.broker->options.cleaner_io_bytes_per_s = 2000;
    for (int i = 0; i < 300; i++)
        produce();
    time_ms += 10 * SEGMENT_MS;
    produce();
    quiet(20);
    began_us = env_now_us(&world.time);
    bytes = world.broker->stats.cleaner_bytes_read_total;
    while (env_now_us(&world.time) - began_us < 10000000)
        quiet(1);
    assert_true(world.broker->stats.cleaner_bytes_read_total - bytes <= 10 * 2000 + 20000);
    broker_world_fini(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_at_any_step_leaves_the_last_value_of_each_key),
        cmocka_unit_test(a_cleaned_log_holds_one_record_of_a_key_and_the_active_segment),
        cmocka_unit_test(a_restart_goes_on_where_the_cleaner_was),
        cmocka_unit_test(tombstones_go_after_their_time),
        cmocka_unit_test(a_cleaner_that_is_behind_needs_several_rounds),
        cmocka_unit_test(a_topic_with_both_policies_loses_old_runs_too),
        cmocka_unit_test(damage_stops_the_cleaner_for_its_partition_alone),
        cmocka_unit_test(a_full_disk_changes_nothing_and_the_cleaner_tries_again),
        cmocka_unit_test(the_bytes_of_a_second_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
