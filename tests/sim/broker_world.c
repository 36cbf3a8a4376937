#include "tests/sim/broker_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/batch_records.h"
#include "lib/wire/codec.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/frame.h"
#include "refbroker/client.h"
#include "refbroker/meta/broker_configs.h"
#include "tests/sim/disk_cut.h"

#define BYTES_MAX ((size_t)64 * 1024 * 1024)
#define STEPS_MAX 20000
#define PRODUCE_VERSION 9
#define FETCH_VERSION 11
#define CREATE_VERSION 6

static const char *const topic_names[] = {"wal", "coordinated"};

/* --- the other side of the ports ------------------------------------------------------------- */

static bool
port_send(void *peer, const struct wire_fragment *pieces, size_t count, void (*sent)(void *arg),
    void *arg)
{
    struct broker_world *world = peer;

    for (size_t i = 0; i < count; i++)
        buf_append(&world->received, pieces[i].data, pieces[i].size);
    sent(arg);
    return true;
}

static void
port_close(void *peer)
{
    ((struct broker_world *)peer)->closed = true;
}

static void
port_pause(void *peer, bool paused)
{
    (void)peer;
    (void)paused;
}

void
broker_world_init(struct broker_world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    env_init_seeded(&world->env, seed, 0);
    env_init_seeded(&world->time, seed ^ 0x5eed, INT64_C(1700000000) * 1000000);
    world->disk = disk_cut_new(seed);
    world->only_partition = -1;
    world->make = (struct broker_world_make){
        .codec = -1, .value_bytes = 64, .timestamp = INT64_C(1700000000000), .acks = -1};
    buf_init(&world->received, BYTES_MAX);
    log_set_fd(-1);
}

void
broker_world_fini(struct broker_world *world)
{
    broker_world_crash(world);
    disk_free(world->disk);
    buf_fini(&world->received);
    free(world->records);
    blob_trim();
}

/* One thing happens: a lane does a job, time passes, the broker looks around. */
static void
step(struct broker_world *world)
{
    unsigned lane = (unsigned)env_random_below(&world->env, LANE_COUNT + 1);

    if (lane < LANE_COUNT)
        (void)work_step(world->work, lane);
    else
        env_advance(&world->time, (int64_t)env_random_below(&world->env, 4000));
    (void)broker_tick(world->broker);
}

int32_t
broker_world_ask(struct broker_world *world, int16_t key, int16_t version, const void *body)
{
    struct blob *frame;
    struct buf out;
    struct err e;

    buf_init(&out, BYTES_MAX);
    REQUIRE(frame_request_encode(
                frame_api(key), version, ++world->correlation, "world", body, &out, &e) == RC_OK);
    frame = blob_new(out.size - FRAME_LENGTH_BYTES);
    memcpy(frame->data, out.data + FRAME_LENGTH_BYTES, out.size - FRAME_LENGTH_BYTES);
    broker_frame(world->broker, world->client, frame);
    buf_fini(&out);
    return world->correlation;
}

bool
broker_world_reply(struct broker_world *world, int16_t key, int16_t version, struct arena *arena,
    void *out, int32_t *correlation)
{
    uint8_t *bytes;
    size_t size;
    struct err e;

    if (world->received.size < FRAME_LENGTH_BYTES)
        return false;
    size = (size_t)codec_bytes_int32(world->received.data);
    REQUIRE(world->received.size >= FRAME_LENGTH_BYTES + size);
    bytes = arena_dup(arena, world->received.data + FRAME_LENGTH_BYTES, size);
    buf_consume(&world->received, FRAME_LENGTH_BYTES + size);
    REQUIRE(bytes != NULL && frame_response_decode(frame_api(key), version, bytes, size,
                                 correlation, arena, out, &e) == RC_OK);
    return true;
}

bool
broker_world_call(struct broker_world *world, int16_t key, int16_t version, const void *body,
    struct arena *arena, void *out)
{
    int32_t sent = broker_world_ask(world, key, version, body), correlation = 0;

    for (int i = 0; i < STEPS_MAX && !disk_cut_is_stopped(world->disk); i++) {
        if (broker_world_reply(world, key, version, arena, out, &correlation)) {
            REQUIRE(correlation == sent);
            return true;
        }
        step(world);
    }
    return false;
}

static bool
topics_make(struct broker_world *world)
{
    struct km_create_topics_request_creatable_topic topics[2];
    struct km_create_topics_request_creatable_topic_config configs[] = {
        {request_text("compression.type"), request_text("lz4")},
        {request_text("diskless.enable"), request_text("true")}};
    struct km_create_topics_request in;
    struct km_create_topics_response out;
    struct arena arena;
    bool made;

    codec_init(&km_create_topics_request_desc, &in);
    codec_init(&km_create_topics_response_desc, &out);
    for (int i = 0; i < 2; i++) {
        codec_init(&km_create_topics_request_creatable_topic_desc, &topics[i]);
        topics[i].name = request_text(topic_names[i]);
        topics[i].num_partitions = BROKER_WORLD_PARTITIONS;
        topics[i].replication_factor = 1;
        topics[i].configs.items = configs;
        topics[i].configs.count = i + 1;
    }
    in.topics.items = topics;
    in.topics.count = 2;
    arena_init(&arena, BYTES_MAX);
    made = broker_world_call(world, KM_CREATE_TOPICS, CREATE_VERSION, &in, &arena, &out);
    made = made && out.topics.items[0].error_code == 0 && out.topics.items[1].error_code == 0;
    arena_fini(&arena);
    return made;
}

static enum rc
settings_give(struct broker_options *options, const char *const *settings, struct err *e)
{
    enum rc rc = RC_OK;

    for (; settings != NULL && *settings != NULL && rc == RC_OK; settings++) {
        const char *equals = strchr(*settings, '=');
        char *name = xmemdup(*settings, (size_t)(equals - *settings));

        rc = broker_configs_give(options, name, equals + 1, e);
        free(name);
    }
    return rc == RC_OK ? broker_configs_given(options, e) : rc;
}

const char *
broker_world_start(struct broker_world *world)
{
    struct broker_options options;
    struct err e;

    broker_options_default(&options);
    world->work = work_new(LANE_COUNT, false, NULL, NULL);
    options.disk = world->disk;
    options.env = &world->time;
    options.work = world->work;
    options.ports = (struct broker_ports){port_send, port_close, port_pause};
    options.wal_file_bytes = 65536;
    options.upload_bytes = 3000;
    options.upload_interval_ms = 40;
    options.commit_interval_ms = 5;
    options.garbage_check_ms = 20;
    options.garbage_grace_ms = 0;
    options.cache_bytes = 2000;
    if (world->read_cache_bytes > 0)
        options.read_cache_bytes = world->read_cache_bytes;
    if (world->upload_object_bytes > 0)
        options.upload_object_bytes = world->upload_object_bytes;
    if (world->cleaner_backoff_ms > 0)
        options.cleaner_backoff_ms = world->cleaner_backoff_ms;
    options.client_metrics = world->client_metrics;
    if (settings_give(&options, world->settings, &e) != RC_OK ||
        broker_open(&options, &world->broker, &e) != RC_OK) {
        broker_options_fini(&options);
        world->broker = NULL;
        work_free(world->work);
        world->work = NULL;
        snprintf(world->text, sizeof world->text, "start: %.200s", e.text);
        return world->text;
    }
    world->client = broker_connect(world->broker, world, "world", 0);
    if (world->starts++ == 0 && !topics_make(world))
        return "the topics could not be made";
    return NULL;
}

/* --- producing ------------------------------------------------------------------------------- */

static struct wire_records
batch_make(struct broker_world *world, int64_t number, struct arena *arena)
{
    const struct broker_world_make *make = &world->make;
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {.timestamp = make->timestamp, .key_size = -1};
    struct batch_builder builder;
    uint8_t *value = xmalloc(make->value_bytes);
    struct buf out;
    struct err e;
    uint8_t *data;
    int32_t size;

    options.codec = make->codec >= 0                        ? (enum compress_codec)make->codec
                    : env_random_below(&world->env, 2) == 0 ? COMPRESS_NONE
                                                            : COMPRESS_LZ4;
    for (size_t i = 0; i < make->value_bytes; i++)
        value[i] = (uint8_t)(make->noise ? env_random_below(&world->env, 256) : number & 0x7f);
    memcpy(value, &number, sizeof number);
    record.value = value;
    record.value_size = (int32_t)make->value_bytes;
    buf_init(&out, BYTES_MAX);
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    REQUIRE(batch_builder_append(&builder, &record, &e) == RC_OK);
    record.value_size = 0;
    for (record.offset = 1; record.offset <= make->fillers; record.offset++)
        REQUIRE(batch_builder_append(&builder, &record, &e) == RC_OK);
    REQUIRE(batch_builder_finish(&builder, &out, &e) == RC_OK);
    out.data[BATCH_VIEW_CRC_AT] ^= make->damaged;
    data = arena_dup(arena, out.data, out.size);
    size = (int32_t)out.size;
    batch_builder_fini(&builder);
    buf_fini(&out);
    free(value);
    return (struct wire_records){data, NULL, size, 0};
}

size_t
broker_world_produce(struct broker_world *world, int where)
{
    struct km_produce_request_partition_produce_data partition;
    struct km_produce_request_topic_produce_data topic;
    struct km_produce_request in;
    struct arena arena;
    size_t number = world->record_count;

    if (number == world->record_capacity) {
        world->record_capacity = number == 0 ? 64 : number * 2;
        world->records = xrealloc(world->records, world->record_capacity, sizeof *world->records);
    }
    world->records[number] = (struct broker_world_record){
        .offset = -1, .partition = where, .correlation = world->correlation + 1};
    world->record_count++;
    arena_init(&arena, BYTES_MAX);
    codec_init(&km_produce_request_desc, &in);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    codec_init(&km_produce_request_partition_produce_data_desc, &partition);
    partition.index = where % BROKER_WORLD_PARTITIONS;
    partition.records = batch_make(world, (int64_t)number, &arena);
    topic.name = request_text(topic_names[where / BROKER_WORLD_PARTITIONS]);
    topic.partition_data.items = &partition;
    topic.partition_data.count = 1;
    in.topic_data.items = &topic;
    in.topic_data.count = 1;
    in.acks = world->make.acks;
    in.timeout_ms = 30000;
    (void)broker_world_ask(world, KM_PRODUCE, PRODUCE_VERSION, &in);
    arena_fini(&arena);
    return number;
}

void
broker_world_acks(struct broker_world *world)
{
    struct km_produce_response out;
    struct arena arena;
    int32_t correlation;

    arena_init(&arena, BYTES_MAX);
    while (broker_world_reply(world, KM_PRODUCE, PRODUCE_VERSION, &arena, &out, &correlation)) {
        const struct km_produce_response_partition_produce_response *answer =
            &out.responses.items[0].partition_responses.items[0];

        for (size_t i = world->record_count; i-- > 0;)
            if (world->records[i].correlation == correlation) {
                world->records[i].error = answer->error_code;
                world->records[i].offset = answer->error_code == 0 ? answer->base_offset : -1;
                world->acked_count += answer->error_code == 0;
                break;
            }
        world->refused_counts[answer->error_code & 127] += answer->error_code != 0;
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

static int
partition_choose(struct broker_world *world)
{
    return world->only_partition >= 0
               ? world->only_partition
               : (int)env_random_below(&world->env, 2 * BROKER_WORLD_PARTITIONS);
}

void
broker_world_run(struct broker_world *world, size_t count)
{
    size_t sent = 0;

    while (sent < count && !disk_cut_is_stopped(world->disk)) {
        if (env_random_below(&world->env, 3) == 0 && world->client->requests.count < 30) {
            (void)broker_world_produce(world, partition_choose(world));
            sent++;
        }
        step(world);
        broker_world_acks(world);
    }
    for (int i = 0; i < 400 && !disk_cut_is_stopped(world->disk); i++) {
        step(world);
        broker_world_acks(world);
    }
}

void
broker_world_reconnect(struct broker_world *world)
{
    broker_disconnect(world->broker, world->client);
    buf_clear(&world->received);
    world->client = broker_connect(world->broker, world, "world", 0);
    world->closed = false;
}

struct partition *
broker_world_partition(const struct broker_world *world, int partition)
{
    const char *name = topic_names[partition / BROKER_WORLD_PARTITIONS];

    return topics_partition(topics_find(&world->broker->topics, name, strlen(name)),
        partition % BROKER_WORLD_PARTITIONS);
}

void
broker_world_rest(struct broker_world *world, int steps)
{
    for (int i = 0; i < steps; i++)
        step(world);
    buf_clear(&world->received);
}

void
broker_world_lanes(struct broker_world *world)
{
    bool worked = true;

    for (int idle = 0; idle < 2; idle = worked ? 0 : idle + 1) {
        worked = false;
        (void)broker_tick(world->broker);
        for (unsigned lane = 0; lane < LANE_COUNT; lane++)
            while (work_step(world->work, lane))
                worked = true;
    }
}

void
broker_world_crash(struct broker_world *world)
{
    struct broker_options given;

    if (world->broker == NULL)
        return;
    broker_disconnect(world->broker, world->client);
    buf_clear(&world->received);
    /* With the disk stopped nothing that still runs can change what is there. */
    if (!disk_cut_is_stopped(world->disk)) {
        disk_cut_stop_at(world->disk, 1);
    }
    broker_stop(world->broker);
    for (int i = 0; i < STEPS_MAX && !broker_is_idle(world->broker); i++)
        step(world);
    work_free(world->work);
    given = world->broker->options;
    broker_close(world->broker);
    broker_options_fini(&given);
    world->broker = NULL;
    world->work = NULL;
}

/* --- checking -------------------------------------------------------------------------------- */

static const char *
records_compare(struct broker_world *world, int where, const uint8_t *data, size_t size, bool *seen,
    int64_t *next)
{
    int64_t previous = -1;
    struct batch_view_cursor cursor = {data, size};
    struct batch_records_record record;
    struct batch_records records;
    struct batch_view batch;
    bool found;
    struct buf scratch;
    struct err e;
    int64_t number;

    buf_init(&scratch, BYTES_MAX);
    while (batch_view_next(&cursor, &batch, &found, &e) == RC_OK && found) {
        if (!batch_view_is_intact(&batch) || batch.base_offset < *next)
            return "a batch is damaged or out of order";
        if (batch_records_open(&records, &batch, &scratch, BYTES_MAX, &e) != RC_OK ||
            batch_records_next(&records, &record, &found, &e) != RC_OK || !found)
            return "a batch has no record";
        memcpy(&number, record.value, sizeof number);
        *next = batch_view_next_offset(&batch);
        if (number < 0 || (size_t)number >= world->record_count ||
            world->records[number].partition != where)
            return "a record is there that nobody wrote there";
        if (seen[number])
            return "a record is there twice";
        if (number < previous)
            return "records are not in the order in which they were sent";
        previous = number;
        seen[number] = true;
        if (world->records[number].offset >= 0 && world->records[number].offset != record.offset)
            return "a record is not at the offset of its acknowledgement";
        /* Whoever has read it relies on it, acknowledged or not. */
        world->records[number].offset = record.offset;
    }
    buf_fini(&scratch);
    return NULL;
}

/* Fetches from *next on; *more tells whether something came, *code what the answer says. */
static const char *
fetch_some(
    struct broker_world *world, int where, bool *seen, int64_t *next, bool *more, int16_t *code)
{
    struct km_fetch_request_partition partition;
    struct km_fetch_request_topic topic;
    struct km_fetch_request in;
    struct km_fetch_response out;
    const struct km_fetch_response_partition_data *answer;
    const char *wrong = "no answer to a fetch";
    struct arena arena;

    codec_init(&km_fetch_request_desc, &in);
    codec_init(&km_fetch_request_topic_desc, &topic);
    codec_init(&km_fetch_request_partition_desc, &partition);
    partition.partition = where % BROKER_WORLD_PARTITIONS;
    partition.fetch_offset = *next;
    partition.partition_max_bytes = 1 << 20;
    topic.topic = request_text(topic_names[where / BROKER_WORLD_PARTITIONS]);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    if (broker_world_call(world, KM_FETCH, FETCH_VERSION, &in, &arena, &out)) {
        answer = &out.responses.items[0].partitions.items[0];
        *more = answer->records.size > 0;
        *code = answer->error_code;
        wrong = answer->error_code != 0 ? "a fetch was answered with an error"
                                        : records_compare(world, where, answer->records.data,
                                              *more ? (size_t)answer->records.size : 0, seen, next);
    }
    arena_fini(&arena);
    return wrong;
}

const char *
broker_world_check(struct broker_world *world)
{
    bool *seen = xcalloc(world->record_count, sizeof *seen);
    const char *wrong = NULL;

    for (int where = 0; where < 2 * BROKER_WORLD_PARTITIONS && wrong == NULL; where++) {
        int64_t next = 0;
        int16_t code;
        bool more = true;

        while (more && wrong == NULL)
            wrong = fetch_some(world, where, seen, &next, &more, &code);
    }
    for (size_t i = 0; i < world->record_count && wrong == NULL; i++) {
        if (!seen[i] && world->records[i].offset >= 0) {
            snprintf(world->text, sizeof world->text,
                "record %zu of partition %d was acknowledged or read at %" PRId64 " and is lost", i,
                world->records[i].partition, world->records[i].offset);
            wrong = world->text;
        }
    }
    free(seen);
    return wrong;
}

int16_t
broker_world_fetch_code(struct broker_world *world, int partition)
{
    bool *seen = xcalloc(world->record_count, sizeof *seen);
    int16_t code = 0;
    int64_t next = 0;
    bool more = true;

    while (more && fetch_some(world, partition, seen, &next, &more, &code) == NULL)
        continue;
    free(seen);
    return code;
}
