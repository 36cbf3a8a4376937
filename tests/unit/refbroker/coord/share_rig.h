/* share_rig: a whole broker whose lanes and clock the test moves, with __share_group_state in
 * place, and what share groups keep of the partitions of topic "wal". */
#ifndef TESTS_UNIT_REFBROKER_COORD_SHARE_RIG_H
#define TESTS_UNIT_REFBROKER_COORD_SHARE_RIG_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/share_record.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/coord/state_log.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define TEXT_BYTES 1024
#define RECORDS_MAX 64
#define ARENA_BYTES ((size_t)1 << 22)

static struct broker_world world;
static struct err why;

/* Someone who waits, as a request does. */
struct waited {
    struct append_waiter waiter;
    bool done;
    int16_t error;
};

static inline void
waited_done(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct waited *waited = list_of(waiter, struct waited, waiter);

    (void)broker;
    assert_false(waited->done);
    waited->done = true;
    waited->error = error;
}

static inline struct share_key
key_of(const char *group_id, int32_t partition)
{
    const struct topic *topic = topics_find(&world.broker->topics, "wal", 3);

    return (struct share_key){group_id, topic->topic_id, partition};
}

/* What became of a call, once it is durable. */
static inline int16_t
settle(int16_t error, struct waited *waited)
{
    if (error != KE_NONE) {
        assert_false(waited->done);
        return error;
    }
    for (int i = 0; i < 1000 && !waited->done; i++)
        broker_world_rest(&world, 1);
    assert_true(waited->done);
    return waited->error;
}

static inline int16_t
initialize(const struct share_key *key, int32_t state_epoch, int64_t start_offset)
{
    struct waited waited = {.waiter.done = waited_done};

    return settle(share_states_initialize(world.broker->share_states, key, state_epoch,
                      start_offset, &waited.waiter, &why),
        &waited);
}

static inline int16_t
read_by(const struct share_key *key, int32_t leader_epoch)
{
    struct waited waited = {.waiter.done = waited_done};
    const struct share_state *state;

    return settle(share_states_read(
                      world.broker->share_states, key, leader_epoch, &state, &waited.waiter, &why),
        &waited);
}

static inline int16_t
write_all(const struct share_key *key, const struct share_write *write)
{
    struct waited waited = {.waiter.done = waited_done};

    return settle(
        share_states_write(world.broker->share_states, key, write, &waited.waiter, &why), &waited);
}

/* One batch, by a leader that nobody fences. */
static inline int16_t
write_one(const struct share_key *key, int64_t start_offset, int64_t first, int64_t last,
    int16_t delivery_count, int8_t state)
{
    struct share_batch batch = {first, last, delivery_count, state};
    struct share_write write = {-1, -1, start_offset, 0, &batch, 1};

    return write_all(key, &write);
}

static inline int16_t delete (const struct share_key *key)
{
    struct waited waited = {.waiter.done = waited_done};

    return settle(
        share_states_delete(world.broker->share_states, key, &waited.waiter, &why), &waited);
}

/* A state as text, without the times. */
static inline const char *
state_text(const struct share_state *state)
{
    static char text[TEXT_BYTES];
    size_t size;

    if (state == NULL)
        return "none";
    size =
        (size_t)snprintf(text, sizeof text, "e%d l%d start %" PRId64 " done %d", state->state_epoch,
            state->leader_epoch, state->start_offset, state->delivery_complete_count);
    for (size_t i = 0; i < state->batch_count && size < sizeof text; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, " %" PRId64 "-%" PRId64 ":%d/%d",
            state->batches[i].first_offset, state->batches[i].last_offset,
            state->batches[i].delivery_count, state->batches[i].delivery_state);
    return text;
}

static inline const char *
text_of(const struct share_key *key)
{
    return state_text(share_states_find(world.broker->share_states, key));
}

static inline struct topic *
log_topic(void)
{
    return topics_find(&world.broker->topics, SHARE_STATES_TOPIC, strlen(SHARE_STATES_TOPIC));
}

static inline void
log_make(void)
{
    (void)share_states_ready(world.broker->share_states);
    for (int i = 0; i < 100 && !share_states_ready(world.broker->share_states); i++)
        broker_world_rest(&world, 10);
    assert_true(share_states_ready(world.broker->share_states));
}

static inline void
begin(const char *const *settings)
{
    broker_world_init(&world, 7);
    world.settings = settings;
    assert_null(broker_world_start(&world));
    log_make();
}

static inline void
restart(void)
{
    broker_world_crash(&world);
    disk_cut_power(world.disk);
    assert_null(broker_world_start(&world));
}

static inline void
time_passes(int64_t ms)
{
    env_advance(&world.time, ms * 1000);
    broker_world_rest(&world, 300);
}

/* What lies in the log, one line per record. */
struct lines {
    struct arena arena;
    char text[RECORDS_MAX * 128];
    size_t size;
    size_t count;
    int64_t
        next[4]; /* offset in each partition: what lies in an object and in the cache comes twice */
};

static inline bool
line_add(void *arg, const struct state_log_entry *entry)
{
    struct lines *lines = arg;
    struct share_record record;

    if (entry->record->offset < lines->next[entry->partition])
        return true;
    lines->next[entry->partition] = entry->record->offset + 1;
    assert_int_equal(share_record_read(entry->record, &lines->arena, &record, NULL), RC_OK);
    lines->count++;
    lines->size += (size_t)snprintf(lines->text + lines->size, sizeof lines->text - lines->size,
        "%s %s-%d s%d %s\n", record.type == SHARE_RECORD_SNAPSHOT ? "snapshot" : "update",
        record.key.group_id, record.key.partition, record.state.snapshot_epoch,
        record.is_gone ? "gone" : state_text(&record.state));
    return true;
}

static inline void
lines_read(struct lines *lines)
{
    memset(lines, 0, sizeof *lines);
    arena_init(&lines->arena, ARENA_BYTES);
    assert_int_equal(
        state_log_read(world.broker, SHARE_STATES_TOPIC, line_add, lines, NULL), RC_OK);
    arena_fini(&lines->arena);
}

static inline void
assert_log(const char *wanted)
{
    struct lines lines;

    lines_read(&lines);
    assert_string_equal(lines.text, wanted);
}

static inline void
topic_delete(const char *name)
{
    struct km_delete_topics_request in;
    struct km_delete_topics_response out;
    struct wire_string topic = request_text(name);
    struct arena arena;

    codec_init(&km_delete_topics_request_desc, &in);
    in.topic_names.items = &topic;
    in.topic_names.count = 1;
    arena_init(&arena, ARENA_BYTES);
    assert_true(broker_world_call(&world, KM_DELETE_TOPICS, 4, &in, &arena, &out));
    assert_int_equal(out.responses.items[0].error_code, KE_NONE);
    arena_fini(&arena);
}

/* Small numbers of what Kafka has many of. */
static inline int
set_up(void **state)
{
    static const char *const settings[] = {
        "share.coordinator.snapshot.update.records.per.snapshot=3",
        "share.coordinator.cold.partition.snapshot.interval.ms=60000",
        "share.coordinator.state.topic.prune.interval.ms=100000",
        "share.coordinator.state.topic.num.partitions=4", NULL};

    (void)state;
    begin(settings);
    return 0;
}

static inline int
tear_down(void **state)
{
    (void)state;
    broker_world_fini(&world);
    return 0;
}

#endif
