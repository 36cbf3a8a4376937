/*
 * Records of share groups, byte for byte as Kafka 4.3's GroupCoordinatorRecordSerde writes them
 * (worked out from its message definitions), and what a start makes of broken ones.
 */
#include "refbroker/coord/share_records.h"

#include "lib/wire/kerr.h"
#include "tests/unit/refbroker/coord/share_group_rig.h"

static const struct wire_uuid topic_id = {
    {0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xaf}};

#define ID_BYTES 0xa0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xaf

/* A group in a broker, whose only member "a" has partitions 0 and 2 of a topic. */
struct parts {
    struct share_group_rig *rig;
    struct share_group *share;
    struct share_member *member;
    struct group_records records;
};

static void
begin(struct parts *p)
{
    struct wire_string names[] = {request_text("u"), request_text("t")};
    struct text_set topics = text_set_from(names, 2);

    p->rig = share_group_rig_new(1);
    p->share = share_group_attach(groups_make(p->rig->world.broker->groups, request_text("g")));
    p->member = share_member_add(p->share, request_text("a"));
    share_member_read(p->member, &topics);
    (void)text_replace(&p->member->client_id, request_text("c"));
    (void)text_replace(&p->member->client_host, request_text("/h"));
    p->member->epoch = 3;
    p->member->previous_epoch = 2;
    (void)share_parts_topic_add(&p->member->assigned, &topic_id);
    for (int32_t i = 0; i <= 2; i += 2)
        share_parts_add(&p->member->assigned, 0, i);
    share_parts_copy(&p->member->target, &p->member->assigned);
    p->share->epoch = 5;
    p->share->target_epoch = 4;
    p->share->target_ms = 0x0102030405060708;
    p->share->metadata_hash = UINT64_C(0xfffefdfcfbfaf9f8);
    group_records_init(&p->records);
}

static void
end(struct parts *p)
{
    void *made = p->rig;

    group_records_fini(&p->records);
    (void)share_group_rig_teardown(&made);
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
    share_records_member(&p.records, p.member);
    ASSERT_BYTES(&p, 0, 10, 0, 1, 'g', 0, 1, 'a', /* key */
        0, 0, 0, 2, 'c', 3, '/', 'h', 3, 2, 't', 2, 'u', 0);
    end(&p);
}

static void
a_group_s_epochs_are_written_as_kafka_does(void **state)
{
    struct parts p;

    (void)state;
    begin(&p);
    share_records_epoch(&p.records, p.share);
    share_records_target_epoch(&p.records, p.share);
    ASSERT_BYTES(&p, 0, 11, 0, 1, 'g', 0, 0, 0, 0, 0, 5, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9,
        0xf8, 0, 0, 12, 0, 1, 'g', 0, 0, 0, 0, 0, 4, 1, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    end(&p);
}

static void
what_a_member_has_is_written_as_kafka_does(void **state)
{
    struct parts p;

    (void)state;
    begin(&p);
    share_records_target(&p.records, p.member);
    share_records_current(&p.records, p.member);
    ASSERT_BYTES(&p, 0, 13, 0, 1, 'g', 0, 1, 'a', /* target */
        0, 0, 2, ID_BYTES, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 14, 0, 1, 'g', 0, 1, 'a', /* has */
        0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 2, ID_BYTES, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0);
    end(&p);
}

static void
stages_are_written_as_kafka_does(void **state)
{
    static const int32_t begun[] = {1}, done[] = {0, 2};
    struct parts p;

    (void)state;
    begin(&p);
    share_topics_add(&p.share->stages.initializing, &topic_id, "t", begun, 1);
    share_topics_add(&p.share->stages.initialized, &topic_id, "t", done, 2);
    share_topics_add(&p.share->stages.deleting, &topic_id, "t", NULL, 0);
    share_records_stages(&p.records, p.share);
    assert_true(p.share->stages.exists);
    /* Of a topic that is gone Kafka does not know the name. */
    ASSERT_BYTES(&p, 0, 15, 0, 1, 'g', 0, 0,                     /* key */
        2, ID_BYTES, 2, 't', 2, 0, 0, 0, 1, 0,                   /* initialising */
        2, ID_BYTES, 2, 't', 3, 0, 0, 0, 0, 0, 0, 0, 2, 0,       /* initialised */
        2, ID_BYTES, 10, '<', 'U', 'N', 'K', 'N', 'O', 'W', 'N', /* deleting */
        '>', 0, 0);
    end(&p);
}

static void
tombstones_are_keys_alone(void **state)
{
    struct parts p;

    (void)state;
    begin(&p);
    share_records_member_gone(&p.records, "g", "a");
    share_records_group_gone(&p.records, p.share);
    ASSERT_BYTES(&p, 0, 14, 0, 1, 'g', 0, 1, 'a', 0, 13, 0, 1, 'g', 0, 1, 'a', 0, 10, 0, 1, 'g', 0,
        1, 'a', 0, 12, 0, 1, 'g', 0, 15, 0, 1, 'g', 0, 11, 0, 1, 'g');
    for (size_t i = 0; i < p.records.count; i++)
        assert_int_equal(p.records.items[i].value_size, -1);
    end(&p);
}

/* Whatever stands in the log: a start takes what it can read, and tells what it cannot. */
static void
broken_records_are_passed_over(void **state)
{
    static const uint8_t key[] = {0, 10, 0, 1, 'x', 0, 1, 'a'};
    static const uint8_t values[][8] = {
        {0}, {0, 0, 0, 2, 'c', 3}, {0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    static const int32_t sizes[] = {1, 6, 8};
    struct share_group_rig *rig = share_group_rig_new(1);
    struct groups *groups = rig->world.broker->groups;
    struct arena arena;
    void *made = rig;

    (void)state;
    arena_init(&arena, SHARE_GROUP_RIG_BYTES_MAX);
    for (size_t i = 0; i < 3; i++)
        for (int type = GROUP_RECORD_SHARE_MEMBER; type <= GROUP_RECORD_SHARE_STAGES; type++)
            for (int32_t cut = 0; cut <= (int32_t)sizeof key; cut++)
                (void)share_records_load(groups, &arena, (int16_t)type,
                    (struct wire_bytes){key, cut}, (struct wire_bytes){values[i], sizes[i]});
    assert_false(share_records_load(groups, &arena, GROUP_RECORD_SHARE_MEMBER,
        (struct wire_bytes){key, sizeof key}, (struct wire_bytes){values[1], sizes[1]}));
    /* A tombstone of what is not there is read, and makes nothing. */
    assert_true(share_records_load(groups, &arena, GROUP_RECORD_SHARE_MEMBER,
        (struct wire_bytes){key, sizeof key}, (struct wire_bytes){NULL, -1}));
    assert_false(share_records_load(groups, &arena, GROUP_RECORD_GROUP,
        (struct wire_bytes){key, sizeof key}, (struct wire_bytes){NULL, -1}));
    share_records_loaded(groups);
    arena_fini(&arena);
    (void)share_group_rig_teardown(&made);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_is_written_as_kafka_does),
        cmocka_unit_test(a_group_s_epochs_are_written_as_kafka_does),
        cmocka_unit_test(what_a_member_has_is_written_as_kafka_does),
        cmocka_unit_test(stages_are_written_as_kafka_does),
        cmocka_unit_test(tombstones_are_keys_alone),
        cmocka_unit_test(broken_records_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
