/* What the assignors promise; tests/kafka/groups.t compares them with Kafka's own. */
#include "refbroker/coord/assignor.h"

#include "tests/unit/unit.h"

#define TOPICS 3
#define MEMBERS 4
#define PARTITIONS 5

struct rig {
    struct assignor_topic topics[TOPICS];
    struct assignor_member members[MEMBERS];
    struct topic_parts owned[MEMBERS];
    struct assignor_group group;
};

static const int32_t all[TOPICS] = {0, 1, 2};
static const char *const ids[MEMBERS] = {"d", "c", "b", "a"};

static void
begin(struct rig *rig, int32_t members)
{
    memset(rig, 0, sizeof *rig);
    for (uint8_t i = 0; i < TOPICS; i++) {
        rig->topics[i].topic_id.bytes[0] = i;
        rig->topics[i].partition_count = PARTITIONS;
    }
    for (int32_t i = 0; i < members; i++)
        rig->members[i] = (struct assignor_member){
            .member_id = ids[i], .topics = all, .topic_count = TOPICS, .owned = &rig->owned[i]};
    rig->group = (struct assignor_group){rig->topics, TOPICS, rig->members, members, true};
}

static void
end(struct rig *rig)
{
    for (int i = 0; i < MEMBERS; i++) {
        topic_parts_fini(&rig->owned[i]);
        topic_parts_fini(&rig->members[i].target);
    }
}

/* The targets become what is owned. */
static void
settle(struct rig *rig)
{
    for (int i = 0; i < MEMBERS; i++)
        topic_parts_move(&rig->owned[i], &rig->members[i].target);
}

static void
assert_complete_and_disjoint(const struct rig *rig)
{
    for (int32_t t = 0; t < TOPICS; t++)
        for (int32_t p = 0; p < PARTITIONS; p++) {
            int owners = 0;

            for (int32_t i = 0; i < rig->group.member_count; i++)
                owners +=
                    topic_parts_find(&rig->members[i].target, &rig->topics[t].topic_id, p) != NULL;
            assert_int_equal(owners, 1);
        }
}

static void
uniform_is_even_and_moves_no_more_than_it_must(void **state)
{
    struct rig rig;
    size_t kept = 0;

    (void)state;
    begin(&rig, 2);
    assignor_uniform(&rig.group);
    assert_complete_and_disjoint(&rig);
    settle(&rig);
    rig.members[2] = (struct assignor_member){
        .member_id = ids[2], .topics = all, .topic_count = TOPICS, .owned = &rig.owned[2]};
    rig.group.member_count = 3;
    assignor_uniform(&rig.group);
    assert_complete_and_disjoint(&rig);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rig.members[i].target.count, TOPICS * PARTITIONS / 3);
        for (size_t k = 0; k < rig.members[i].target.count; k++)
            kept += topic_parts_find(&rig.owned[i], &rig.members[i].target.items[k].topic_id,
                        rig.members[i].target.items[k].partition) != NULL;
    }
    assert_int_equal(kept, TOPICS * PARTITIONS * 2 / 3);
    end(&rig);
}

static void
range_gives_each_member_one_range_per_topic_by_id(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 2);
    rig.members[0].instance_id = "z"; /* static members come first */
    assignor_range(&rig.group);
    assert_complete_and_disjoint(&rig);
    assert_int_equal(rig.members[0].target.count, 3 * TOPICS);
    assert_int_equal(rig.members[0].target.items[2].partition, 2);
    assert_int_equal(rig.members[1].target.items[0].partition, 3);
    end(&rig);
}

static void
members_get_only_what_they_read(void **state)
{
    static const int32_t one[] = {1}, two[] = {1, 2};
    struct rig rig;

    (void)state;
    begin(&rig, 3);
    rig.group.homogeneous = false;
    rig.members[0].topics = one;
    rig.members[0].topic_count = 1;
    rig.members[1].topics = two;
    rig.members[1].topic_count = 2;
    assignor_uniform(&rig.group);
    assert_complete_and_disjoint(&rig);
    for (int i = 0; i < 3; i++)
        for (size_t k = 0; k < rig.members[i].target.count; k++)
            assert_true(assignor_reads(&rig.members[i],
                assignor_topic_find(&rig.group, &rig.members[i].target.items[k].topic_id)));
    assert_int_equal(rig.members[0].target.count, PARTITIONS);
    end(&rig);
}

/* Targets of topics that are gone, and of partitions that never were. */
static void
what_is_owned_and_not_there_is_dropped(void **state)
{
    struct topic_part gone = {.partition = 1}, beyond = {.partition = PARTITIONS};
    struct rig rig;

    (void)state;
    for (int homogeneous = 0; homogeneous < 2; homogeneous++) {
        begin(&rig, 2);
        memset(&gone.topic_id, 0xff, sizeof gone.topic_id);
        topic_parts_add(&rig.owned[0], &beyond);
        topic_parts_add(&rig.owned[0], &gone);
        rig.group.homogeneous = homogeneous == 1;
        assignor_uniform(&rig.group);
        assert_complete_and_disjoint(&rig);
        assert_null(topic_parts_find(&rig.members[0].target, &gone.topic_id, 1));
        assert_null(topic_parts_find(&rig.members[0].target, &beyond.topic_id, PARTITIONS));
        end(&rig);
    }
}

static void
nobody_and_nothing_are_no_trouble(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 0);
    assignor_uniform(&rig.group);
    assignor_range(&rig.group);
    begin(&rig, 2);
    rig.group.topic_count = 0;
    rig.members[0].topic_count = rig.members[1].topic_count = 0;
    assignor_uniform(&rig.group);
    assignor_range(&rig.group);
    assignor_balance(&rig.group);
    assert_int_equal(rig.members[0].target.count, 0);
    assert_ptr_equal(assignor_find("range"), assignor_range);
    assert_ptr_equal(assignor_find(assignor_default_name()), assignor_uniform);
    assert_null(assignor_find("foo"));
    end(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_is_even_and_moves_no_more_than_it_must),
        cmocka_unit_test(range_gives_each_member_one_range_per_topic_by_id),
        cmocka_unit_test(members_get_only_what_they_read),
        cmocka_unit_test(what_is_owned_and_not_there_is_dropped),
        cmocka_unit_test(nobody_and_nothing_are_no_trouble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
