/* What the assignor of share groups promises. The tables of expected targets were worked out by
 * hand from the rules of Kafka 4.3.1's SimpleAssignor, order of its hash tables included. */
#include "refbroker/coord/share_assignor.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

#define TOPICS 3
#define MEMBERS_MAX 40
#define PARTITIONS_MAX 64

struct rig {
    struct share_assignor_topic topics[TOPICS];
    int32_t numbers[PARTITIONS_MAX];
    int32_t all[TOPICS];
    struct share_assignor_member members[MEMBERS_MAX];
    struct share_parts owned[MEMBERS_MAX];
    struct share_assignor_group group;
};

static const char *const names[TOPICS] = {"t0", "t1", "t2"};

/* Topics of so many partitions each, which `members` members read all of. */
static void
begin(struct rig *rig, int32_t topics, int32_t partitions, int32_t members)
{
    memset(rig, 0, sizeof *rig);
    for (int32_t i = 0; i < PARTITIONS_MAX; i++)
        rig->numbers[i] = i;
    for (int32_t i = 0; i < topics; i++) {
        rig->topics[i] = (struct share_assignor_topic){
            .name = names[i], .partitions = rig->numbers, .partition_count = partitions};
        rig->topics[i].topic_id.bytes[15] = (uint8_t)(i + 1);
        rig->all[i] = i;
    }
    for (int32_t i = 0; i < members; i++)
        rig->members[i] = (struct share_assignor_member){.topics = rig->all,
            .topic_count = topics,
            .name_count = (size_t)topics,
            .owned = &rig->owned[i]};
    rig->group = (struct share_assignor_group){rig->topics, topics, rig->members, members, true};
}

static void
end(struct rig *rig)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        share_parts_fini(&rig->owned[i]);
        share_parts_fini(&rig->members[i].target);
    }
}

/* The targets become what is owned. */
static void
settle(struct rig *rig)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        share_parts_move(&rig->owned[i], &rig->members[i].target);
        share_parts_replay(&rig->owned[i]);
    }
}

static const struct share_parts_topic *
topic_in(const struct share_parts *parts, const struct wire_uuid *topic_id)
{
    for (size_t i = 0; i < parts->count; i++)
        if (memcmp(&parts->topics[i].topic_id, topic_id, sizeof *topic_id) == 0)
            return &parts->topics[i];
    return NULL;
}

static void
own(struct rig *rig, int member, int topic, int32_t partition)
{
    struct share_parts *owned = &rig->owned[member];
    const struct share_parts_topic *has = topic_in(owned, &rig->topics[topic].topic_id);
    size_t place = has == NULL ? share_parts_topic_add(owned, &rig->topics[topic].topic_id)
                               : (size_t)(has - owned->topics);

    share_parts_add(owned, place, partition);
    share_parts_replay(owned);
}

/* The member's partitions of a topic as bits. */
static uint64_t
bits_of(const struct rig *rig, int member, int topic)
{
    const struct share_parts_topic *has =
        topic_in(&rig->members[member].target, &rig->topics[topic].topic_id);
    uint64_t bits = 0;

    for (int32_t i = 0; has != NULL && i < has->partition_count; i++)
        bits |= UINT64_C(1) << has->partitions[i];
    return bits;
}

static int
sharing(const struct rig *rig, int topic, int32_t partition)
{
    int count = 0;

    for (int32_t i = 0; i < rig->group.member_count; i++)
        count += (int)(bits_of(rig, i, topic) >> partition & 1);
    return count;
}

static void
one_member_has_everything(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 2, 4, 1);
    share_assignor_simple(&rig.group);
    assert_int_equal(bits_of(&rig, 0, 0), 0xf);
    assert_int_equal(bits_of(&rig, 0, 1), 0xf);
    end(&rig);
}

static void
partitions_go_round_the_members(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 5, 2);
    share_assignor_simple(&rig.group);
    /* Shares are 3 and 2: ceil(2.5), ceil(5) - ceil(2.5). The hash of a partition of this topic is
     * 31 + its number, so that in 16 buckets they come as 1, 2, 3, 4, 0. */
    assert_int_equal(bits_of(&rig, 0, 0), 1 << 0 | 1 << 1 | 1 << 3);
    assert_int_equal(bits_of(&rig, 1, 0), 1 << 2 | 1 << 4);
    end(&rig);
}

static void
more_members_than_partitions_share_them(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 2, 3);
    share_assignor_simple(&rig.group);
    /* Each partition has two; shares are 2, 1, 1. 1 stands before 0: it goes to the first two, and
     * 0 to the third and then to the first again. */
    assert_int_equal(bits_of(&rig, 0, 0), 1 << 0 | 1 << 1);
    assert_int_equal(bits_of(&rig, 1, 0), 1 << 1);
    assert_int_equal(bits_of(&rig, 2, 0), 1 << 0);
    end(&rig);
}

static void
who_has_its_share_keeps_it(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 4, 2);
    own(&rig, 0, 0, 3);
    own(&rig, 0, 0, 1);
    own(&rig, 1, 0, 0);
    own(&rig, 1, 0, 2);
    share_assignor_simple(&rig.group);
    assert_int_equal(bits_of(&rig, 0, 0), 1 << 1 | 1 << 3);
    assert_int_equal(bits_of(&rig, 1, 0), 1 << 0 | 1 << 2);
    end(&rig);
}

static void
a_member_that_comes_gets_what_the_first_of_a_table_gives_up(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 4, 2);
    for (int32_t i = 0; i < 4; i++)
        own(&rig, 0, 0, i);
    share_assignor_simple(&rig.group);
    /* Of 1, 2, 3, 0 the first two are given up. */
    assert_int_equal(bits_of(&rig, 0, 0), 1 << 0 | 1 << 3);
    assert_int_equal(bits_of(&rig, 1, 0), 1 << 1 | 1 << 2);
    end(&rig);
}

static void
a_partition_with_too_many_loses_the_first(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 3, 3);
    /* Shares are 1 each, and a partition is to have one member; 0 has three. */
    for (int i = 0; i < 3; i++)
        own(&rig, i, 0, 0);
    share_assignor_simple(&rig.group);
    assert_int_equal(bits_of(&rig, 2, 0), 1 << 0);
    /* In eight buckets (31 + p) & 7 brings 1, 2, 0. */
    assert_int_equal(bits_of(&rig, 0, 0), 1 << 1);
    assert_int_equal(bits_of(&rig, 1, 0), 1 << 2);
    end(&rig);
}

static void
what_nobody_reads_any_more_goes_where_all_read_the_same(void **state)
{
    static const struct wire_uuid gone = {{9}};
    struct rig rig;

    (void)state;
    begin(&rig, 1, 2, 1);
    share_parts_add(&rig.owned[0], share_parts_topic_add(&rig.owned[0], &gone), 0);
    share_assignor_simple(&rig.group);
    assert_int_equal(bits_of(&rig, 0, 0), 3);
    assert_null(topic_in(&rig.members[0].target, &gone));
    end(&rig);
}

static void
what_nobody_reads_any_more_stays_where_members_differ(void **state)
{
    static const int32_t first[] = {0}, second[] = {1};
    static const struct wire_uuid gone = {{9}};
    struct rig rig;

    (void)state;
    begin(&rig, 2, 2, 2);
    rig.group.homogeneous = false;
    rig.members[0].topics = first;
    rig.members[1].topics = second;
    rig.members[0].topic_count = rig.members[1].topic_count = 1;
    share_parts_add(&rig.owned[0], share_parts_topic_add(&rig.owned[0], &gone), 0);
    own(&rig, 0, 1, 1); /* which it does not read any more */
    share_assignor_simple(&rig.group);
    assert_int_equal(bits_of(&rig, 0, 0), 3);
    assert_int_equal(bits_of(&rig, 0, 1), 0);
    assert_int_equal(bits_of(&rig, 1, 1), 3);
    assert_int_equal(topic_in(&rig.members[0].target, &gone)->partition_count, 1);
    end(&rig);
}

static void
each_topic_is_shared_among_its_readers(void **state)
{
    static const int32_t both[] = {0, 1}, second[] = {1};
    struct rig rig;

    (void)state;
    begin(&rig, 2, 4, 3);
    rig.group.homogeneous = false;
    rig.members[0].topics = both;
    rig.members[1].topics = second;
    rig.members[1].topic_count = 1;
    rig.members[2].topics = both;
    share_assignor_simple(&rig.group);
    assert_int_equal(bits_of(&rig, 0, 0), 1 << 0 | 1 << 2);
    assert_int_equal(bits_of(&rig, 2, 0), 1 << 1 | 1 << 3);
    /* Shares are ceil(4/3), ceil(8/3) - 2, 4 - 3: 2, 1, 1. */
    assert_int_equal(bits_of(&rig, 0, 1), 1 << 0 | 1 << 3);
    assert_int_equal(bits_of(&rig, 1, 1), 1 << 1);
    assert_int_equal(bits_of(&rig, 2, 1), 1 << 2);
    end(&rig);
}

/* Kafka's table keeps the name of what it has emptied, and so do its record and its answer. */
static void
a_topic_of_which_nothing_is_left_is_still_named(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 2, 1, 2);
    own(&rig, 0, 0, 0);
    own(&rig, 0, 1, 0);
    share_assignor_simple(&rig.group);
    assert_int_equal(rig.members[0].target.count, 2);
    assert_int_equal(share_parts_total(&rig.members[0].target), 1);
    assert_int_equal(rig.members[1].target.count, 1);
    end(&rig);
}

static void
only_what_is_open_is_given(void **state)
{
    static const int32_t open[] = {1, 3};
    struct rig rig;

    (void)state;
    begin(&rig, 1, 0, 2);
    rig.topics[0].partitions = open;
    rig.topics[0].partition_count = 2;
    share_assignor_simple(&rig.group);
    assert_int_equal(bits_of(&rig, 0, 0), 1 << 1);
    assert_int_equal(bits_of(&rig, 1, 0), 1 << 3);
    end(&rig);
}

static void
without_members_or_topics_nothing_is_given(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 3, 0);
    share_assignor_simple(&rig.group);
    end(&rig);
    begin(&rig, 0, 3, 2);
    own(&rig, 0, 0, 1);
    share_assignor_simple(&rig.group);
    assert_int_equal(rig.members[0].target.count, 0);
    end(&rig);
}

/* Whatever comes and goes: every partition has as many members as it shall, nobody more than its
 * share, and a second look changes nothing. */
static void
random_histories_stay_even_and_come_to_rest(void **state)
{
    struct rig rig;
    unsigned dice = 1;

    (void)state;
    begin(&rig, 2, 1, MEMBERS_MAX);
    for (int round = 0; round < 400; round++) {
        int32_t partitions, members, want;
        uint64_t before[MEMBERS_MAX][2];

        dice = dice * 1103515245 + 12345;
        partitions = 1 + (int32_t)(dice >> 16) % 40;
        dice = dice * 1103515245 + 12345;
        members = 1 + (int32_t)(dice >> 16) % MEMBERS_MAX;
        /* Kafka's assignor fails where members have what is not there any more. */
        if (partitions < rig.topics[0].partition_count)
            partitions = rig.topics[0].partition_count;
        for (int i = 0; i < 2; i++)
            rig.topics[i].partition_count = partitions;
        for (int i = members; i < MEMBERS_MAX; i++)
            share_parts_fini(&rig.owned[i]);
        rig.group.member_count = members;
        share_assignor_simple(&rig.group);
        want = (members + 2 * partitions - 1) / (2 * partitions);
        for (int t = 0; t < 2; t++)
            for (int32_t p = 0; p < partitions; p++)
                if (sharing(&rig, t, p) > want || sharing(&rig, t, p) < 1)
                    fail_msg("round %d: %d members have partition %d, not %d", round,
                        sharing(&rig, t, p), p, want);
        for (int i = 0; i < members; i++)
            for (int t = 0; t < 2; t++)
                before[i][t] = bits_of(&rig, i, t);
        settle(&rig);
        share_assignor_simple(&rig.group);
        if (members <= 2 * partitions)
            for (int i = 0; i < members; i++)
                for (int t = 0; t < 2; t++)
                    assert_int_equal(bits_of(&rig, i, t), before[i][t]);
        settle(&rig);
    }
    end(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_member_has_everything),
        cmocka_unit_test(partitions_go_round_the_members),
        cmocka_unit_test(more_members_than_partitions_share_them),
        cmocka_unit_test(who_has_its_share_keeps_it),
        cmocka_unit_test(a_member_that_comes_gets_what_the_first_of_a_table_gives_up),
        cmocka_unit_test(a_partition_with_too_many_loses_the_first),
        cmocka_unit_test(what_nobody_reads_any_more_goes_where_all_read_the_same),
        cmocka_unit_test(what_nobody_reads_any_more_stays_where_members_differ),
        cmocka_unit_test(each_topic_is_shared_among_its_readers),
        cmocka_unit_test(a_topic_of_which_nothing_is_left_is_still_named),
        cmocka_unit_test(only_what_is_open_is_given),
        cmocka_unit_test(without_members_or_topics_nothing_is_given),
        cmocka_unit_test(random_histories_stay_even_and_come_to_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
