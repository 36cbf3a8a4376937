/*
 * Records of streams groups, byte for byte as Kafka 4.3's GroupCoordinatorRecordSerde writes them
 * (worked out from its message definitions), and what a start makes of them and of broken ones.
 */
#include "refbroker/coord/streams_records.h"

#include "lib/wire/codec_bytes.h"
#include "tests/unit/refbroker/coord/streams_group_rig.h"

/* A group in a broker, whose only member "a" has some tasks. */
struct parts {
    struct streams_rig *rig;
    struct streams_group *streams;
    struct streams_member *member;
    struct group_records records;
};

static void
tasks_make(struct streams_assignment *assigned, struct streams_assignment *revoking)
{
    streams_tasks_add(&assigned->active, "0", 0, 3);
    streams_tasks_add(&assigned->active, "0", 2, 2);
    streams_tasks_add(&assigned->standby, "1", 1, 0);
    streams_tasks_add(&revoking->active, "1", 5, 1);
}

static void
begin(struct parts *p)
{
    struct streams_assignment assigned = {0}, revoking = {0};
    struct err e;

    p->rig = streams_rig_new(1);
    p->streams = streams_group_attach(groups_make(p->rig->world.broker->groups, request_text("g")));
    p->member = streams_member_add(p->streams, request_text("a"));
    free(p->member->client_id);
    free(p->member->client_host);
    p->member->client_id = xstrdup("c");
    p->member->client_host = xstrdup("/h");
    p->member->rebalance_timeout_ms = 1000;
    p->member->topology_epoch = 4;
    streams_member_set_process(p->member, request_text("p"));
    p->member->endpoint_host = xstrdup("e");
    p->member->endpoint_port = 0x1234;
    assert_int_equal(
        text_pairs_add(&p->member->tags, request_text("z"), request_text("1"), &e), RC_OK);
    assert_int_equal(
        text_pairs_add(&p->member->tags, request_text("y"), request_text("2"), &e), RC_OK);
    p->member->epoch = 3;
    p->member->previous_epoch = 2;
    p->member->state = STREAMS_UNREVOKED;
    tasks_make(&assigned, &revoking);
    streams_assignment_copy(&p->member->target, &assigned);
    streams_member_hold(p->member, &assigned, &revoking);
    p->streams->epoch = 5;
    p->streams->target_epoch = 4;
    p->streams->target_ms = 0x0102030405060708;
    p->streams->metadata_hash = UINT64_C(0xfffefdfcfbfaf9f8);
    p->streams->validated_epoch = 4;
    assert_int_equal(
        text_pairs_add(&p->streams->settings, request_text("n"), request_text("0"), &e), RC_OK);
    group_records_init(&p->records);
}

static void
end(struct parts *p)
{
    void *made = p->rig;

    group_records_fini(&p->records);
    (void)streams_rig_teardown(&made);
}

static void
assert_bytes(const struct parts *p, const uint8_t *expected, size_t size)
{
    assert_int_equal(p->records.bytes.size, size);
    assert_memory_equal(p->records.bytes.data, expected, size);
}

#define ASSERT_BYTES(p, ...)                                                                       \
    do {                                                                                           \
        static const uint8_t expected[] = {__VA_ARGS__};                                           \
        assert_bytes(p, expected, sizeof expected);                                                \
    } while (0)

static void
a_member_is_written_as_kafka_does(void **state)
{
    struct parts p;

    (void)state;
    begin(&p);
    streams_records_member(&p.records, p.member);
    ASSERT_BYTES(&p, 0, 19, 0, 1, 'g', 0, 1, 'a',                           /* key */
        0, 0, 0, 0, 2, 'c', 3, '/', 'h', 0, 0, 3, 0xe8, 0, 0, 0, 4, 2, 'p', /* value */
        1, 2, 'e', 0x12, 0x34, 0,                                           /* endpoint */
        3, 2, 'y', 2, '2', 0, 2, 'z', 2, '1', 0, 0);
    end(&p);
}

static void
a_group_s_epochs_are_written_as_kafka_does(void **state)
{
    struct parts p;

    (void)state;
    begin(&p);
    streams_records_epoch(&p.records, p.streams);
    streams_records_target_epoch(&p.records, p.streams);
    ASSERT_BYTES(&p, 0, 17, 0, 1, 'g', 0, 0, 0, 0, 0, 5, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9,
        0xf8, 2, 0, 4, 0, 0, 0, 4, 1, 6, 2, 2, 'n', 2, '0', 0, /* tagged */
        0, 20, 0, 1, 'g', 0, 0, 0, 0, 0, 4, 1, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    end(&p);
}

static void
what_a_member_has_is_written_as_kafka_does(void **state)
{
    struct parts p;

    (void)state;
    begin(&p);
    streams_records_target(&p.records, p.member);
    streams_records_current(&p.records, p.member);
    ASSERT_BYTES(&p, 0, 21, 0, 1, 'g', 0, 1, 'a', /* target */
        0, 0, 2, 2, '0', 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 2, '1', 2, 0, 0, 0, 1, 0, 1, 0, /* */
        0, 22, 0, 1, 'g', 0, 1, 'a', 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 2,                     /* has */
        2, 2, '0', 3, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 9, 3, 0, 0, 0, 3, 0, 0, 0, 2,         /* */
        2, 2, '1', 2, 0, 0, 0, 1, 0, 1, 2, 2, '1', 2, 0, 0, 0, 5, 1, 0, 5, 2, 0, 0, 0, 1, 1, 1, 0);
    end(&p);
}

static void
a_topology_is_written_as_it_came(void **state)
{
    struct km_streams_group_heartbeat_request_topology *topology;
    struct streams_rig_parts request;
    struct parts p;
    int16_t error;
    struct err e;

    (void)state;
    begin(&p);
    p.rig->stateful = true;
    p.rig->topology_epoch = 4;
    streams_rig_topology_fill(p.rig, &request);
    topology = &request.topology;
    request.changelog.name = request_text("l");
    streams_group_set_topology(p.streams, streams_topology_of_request(topology, &error, &e));
    assert_non_null(p.streams->topology);
    streams_records_topology(&p.records, p.streams);
    ASSERT_BYTES(&p, 0, 23, 0, 1, 'g', 0, 0, 0, 0, 0, 4, 2, 2, '0', 2, 4, 'w', 'a', 'l', 1, /* */
        2, 2, 'l', 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0);
    end(&p);
}

static void
tombstones_are_keys_alone(void **state)
{
    struct parts p;

    (void)state;
    begin(&p);
    streams_records_member_gone(&p.records, "g", "a");
    streams_records_group_gone(&p.records, "g");
    ASSERT_BYTES(&p, 0, 22, 0, 1, 'g', 0, 1, 'a', 0, 21, 0, 1, 'g', 0, 1, 'a', 0, 19, 0, 1, 'g', 0,
        1, 'a', 0, 20, 0, 1, 'g', 0, 17, 0, 1, 'g', 0, 23, 0, 1, 'g');
    for (size_t i = 0; i < p.records.count; i++)
        assert_int_equal(p.records.items[i].value_size, -1);
    end(&p);
}

/* --- a start -------------------------------------------------------------------------------------
 */

/* Gives the records to a start, as they are. */
static void
load_all(struct groups *groups, const struct group_records *records)
{
    const uint8_t *at = records->bytes.data;
    struct arena arena;

    arena_init(&arena, STREAMS_RIG_BYTES_MAX);
    for (size_t i = 0; i < records->count; i++) {
        struct wire_bytes key = {at, records->items[i].key_size};
        struct wire_bytes value = {at + key.size, records->items[i].value_size};

        at += key.size + (value.size < 0 ? 0 : value.size);
        assert_true(streams_records_load(groups, &arena, codec_bytes_int16(key.data), key, value));
    }
    arena_fini(&arena);
}

static void
a_start_takes_back_every_record(void **state)
{
    const struct streams_member *member;
    const struct streams_group *streams;
    struct groups *groups;
    struct parts p;

    (void)state;
    begin(&p);
    groups = p.rig->world.broker->groups;
    streams_records_current(&p.records, p.member);
    streams_records_member(&p.records, p.member);
    streams_records_target(&p.records, p.member);
    streams_records_epoch(&p.records, p.streams);
    streams_records_target_epoch(&p.records, p.streams);
    groups_remove(p.streams->group);
    load_all(groups, &p.records);
    streams = groups_find(groups, request_text("g"))->streams;
    assert_int_equal(streams->epoch, 5);
    assert_int_equal(streams->target_epoch, 4);
    assert_true(streams->target_ms == 0x0102030405060708);
    assert_true(streams->metadata_hash == UINT64_C(0xfffefdfcfbfaf9f8));
    assert_int_equal(streams->validated_epoch, 4);
    assert_string_equal(streams->settings.items[0].name, "n");
    member = streams_member_find(streams, request_text("a"));
    assert_int_equal(member->state, STREAMS_UNREVOKED);
    assert_string_equal(member->tags.items[0].name, "y");
    assert_int_equal(member->endpoint_port, 0x1234);
    assert_int_equal(streams_tasks_find(&member->assigned.active, "0", 2)->epoch, 2);
    assert_int_equal(streams_tasks_find(&member->revoking.active, "1", 5)->epoch, 1);
    assert_non_null(streams_tasks_find(&member->assigned.standby, "1", 1));
    assert_int_equal(member->target.active.task_count, 2);
    assert_ptr_equal(streams_group_owner(streams, "0", 2), member);
    assert_ptr_equal(streams_group_owner(streams, "1", 5), member);
    assert_true(streams_group_holds(streams, "1", 1, "p"));
    end(&p);
}

static void
tombstones_take_back_what_was(void **state)
{
    struct groups *groups;
    struct parts p;

    (void)state;
    begin(&p);
    groups = p.rig->world.broker->groups;
    streams_records_member_gone(&p.records, "g", "a");
    load_all(groups, &p.records);
    assert_int_equal(map_count(&p.streams->members), 0);
    assert_null(streams_group_owner(p.streams, "0", 2));
    group_records_fini(&p.records);
    group_records_init(&p.records);
    streams_records_group_gone(&p.records, "g");
    load_all(groups, &p.records);
    assert_true(group_is_classic(groups_find(groups, request_text("g"))));
    end(&p);
}

/* Whatever stands in the log: a start takes what it can read, and tells what it cannot. */
static void
broken_records_are_passed_over(void **state)
{
    static const uint8_t key[] = {0, 19, 0, 1, 'x', 0, 1, 'a'};
    static const uint8_t values[][8] = {
        {0}, {0, 0, 0, 0, 2, 'c', 3}, {0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    static const int32_t sizes[] = {1, 7, 8};
    struct streams_rig *rig = streams_rig_new(1);
    struct groups *groups = rig->world.broker->groups;
    struct arena arena;
    void *made = rig;

    (void)state;
    arena_init(&arena, STREAMS_RIG_BYTES_MAX);
    for (size_t i = 0; i < 3; i++)
        for (int type = GROUP_RECORD_STREAMS_EPOCH; type <= GROUP_RECORD_STREAMS_TOPOLOGY; type++)
            for (int32_t cut = 0; cut <= (int32_t)sizeof key; cut++)
                (void)streams_records_load(groups, &arena, (int16_t)type,
                    (struct wire_bytes){key, cut}, (struct wire_bytes){values[i], sizes[i]});
    assert_false(streams_records_load(groups, &arena, GROUP_RECORD_STREAMS_MEMBER,
        (struct wire_bytes){key, sizeof key}, (struct wire_bytes){values[1], sizes[1]}));
    /* A tombstone of what is not there is read, and makes nothing. */
    assert_true(streams_records_load(groups, &arena, GROUP_RECORD_STREAMS_MEMBER,
        (struct wire_bytes){key, sizeof key}, (struct wire_bytes){NULL, -1}));
    assert_false(streams_records_load(groups, &arena, GROUP_RECORD_GROUP,
        (struct wire_bytes){key, sizeof key}, (struct wire_bytes){NULL, -1}));
    streams_records_loaded(groups);
    arena_fini(&arena);
    (void)streams_rig_teardown(&made);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_written_as_kafka_does),
        cmocka_unit_test(a_group_s_epochs_are_written_as_kafka_does),
        cmocka_unit_test(what_a_member_has_is_written_as_kafka_does),
        cmocka_unit_test(a_topology_is_written_as_it_came),
        cmocka_unit_test(tombstones_are_keys_alone),
        cmocka_unit_test(a_start_takes_back_every_record),
        cmocka_unit_test(tombstones_take_back_what_was),
        cmocka_unit_test(broken_records_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
