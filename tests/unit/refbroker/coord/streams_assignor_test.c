/* What the assignor of streams groups promises. The expected targets were worked out by hand from
 * the rules of Kafka 4.3.1's StickyTaskAssignor, order of its tables and queues included. */
#include "refbroker/coord/streams_assignor.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

#define MEMBERS_MAX 24
#define SUBTOPOLOGIES_MAX 4

struct rig {
    struct streams_assignor_subtopology subtopologies[SUBTOPOLOGIES_MAX];
    struct streams_assignor_member members[MEMBERS_MAX];
    struct streams_assignment owned[MEMBERS_MAX];
    char member_ids[MEMBERS_MAX][8];
    char process_ids[MEMBERS_MAX][8];
    struct streams_assignor_group group;
};

static const char *const ids[SUBTOPOLOGIES_MAX] = {"0", "1", "2", "3"};

/* Subtopologies of so many tasks each, and members m0, m1, ..., each in a process of its own. */
static void
begin(struct rig *rig, int32_t subtopologies, int32_t tasks, int32_t members, int32_t replicas)
{
    memset(rig, 0, sizeof *rig);
    for (int32_t i = 0; i < subtopologies; i++)
        rig->subtopologies[i] = (struct streams_assignor_subtopology){ids[i], tasks, true};
    for (int32_t i = 0; i < MEMBERS_MAX; i++) {
        (void)snprintf(rig->member_ids[i], sizeof rig->member_ids[i], "m%d", i);
        (void)snprintf(rig->process_ids[i], sizeof rig->process_ids[i], "p%d", i);
        rig->members[i] = (struct streams_assignor_member){
            rig->member_ids[i], rig->process_ids[i], &rig->owned[i], {.active = {.runs = NULL}}};
    }
    rig->group = (struct streams_assignor_group){
        rig->subtopologies, subtopologies, rig->members, members, replicas};
}

static void
end(struct rig *rig)
{
    for (int i = 0; i < MEMBERS_MAX; i++) {
        streams_assignment_fini(&rig->owned[i]);
        streams_assignment_fini(&rig->members[i].target);
    }
}

/* The targets become what is owned. */
static void
settle(struct rig *rig)
{
    for (int i = 0; i < MEMBERS_MAX; i++)
        streams_assignment_move(&rig->owned[i], &rig->members[i].target);
}

/* A member's partitions of a subtopology as bits. */
static uint64_t
bits_of(const struct streams_tasks *tasks, int subtopology)
{
    const struct streams_run *run = streams_tasks_run(tasks, ids[subtopology]);
    uint64_t bits = 0;

    for (size_t i = 0; run != NULL && i < run->count; i++)
        bits |= UINT64_C(1) << run->tasks[i].partition;
    return bits;
}

static uint64_t
active(const struct rig *rig, int member, int subtopology)
{
    return bits_of(&rig->members[member].target.active, subtopology);
}

static uint64_t
standby(const struct rig *rig, int member, int subtopology)
{
    return bits_of(&rig->members[member].target.standby, subtopology);
}

static void
processes_get_tasks_in_turn(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 4, 2, 0);
    streams_assignor_sticky(&rig.group);
    assert_int_equal(active(&rig, 0, 0), 1 << 0 | 1 << 2);
    assert_int_equal(active(&rig, 1, 0), 1 << 1 | 1 << 3);
    assert_true(streams_tasks_is_empty(&rig.members[0].target.standby));
    assert_true(streams_tasks_is_empty(&rig.members[0].target.warmup));
    end(&rig);
}

static void
members_of_a_process_get_tasks_as_its_queue_has_them(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 5, 3, 0);
    for (int i = 0; i < 3; i++)
        rig.members[i].process_id = "p";
    streams_assignor_sticky(&rig.group);
    /* The queue is m0 m1 m2; whoever comes back goes behind those of its load, but the last one
     * takes the first one's place: m0, m2, m1, m2, m1. */
    assert_int_equal(active(&rig, 0, 0), 1 << 0);
    assert_int_equal(active(&rig, 1, 0), 1 << 2 | 1 << 4);
    assert_int_equal(active(&rig, 2, 0), 1 << 1 | 1 << 3);
    end(&rig);
}

static void
processes_come_in_the_order_of_their_table(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 1, 3, 0);
    /* 3 processes in 4 buckets: "p0" has the hash 3520, bucket 0; "p3" is in 3, "p5" in 1. */
    rig.members[0].process_id = "p3";
    rig.members[1].process_id = "p5";
    rig.members[2].process_id = "p0";
    streams_assignor_sticky(&rig.group);
    assert_int_equal(active(&rig, 2, 0), 1);
    end(&rig);
}

static void
tasks_are_given_by_subtopology(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 2, 2, 2, 0);
    streams_assignor_sticky(&rig.group);
    assert_int_equal(active(&rig, 0, 0), 1 << 0);
    assert_int_equal(active(&rig, 1, 0), 1 << 1);
    assert_int_equal(active(&rig, 0, 1), 1 << 0);
    assert_int_equal(active(&rig, 1, 1), 1 << 1);
    end(&rig);
}

static void
a_new_member_gets_what_others_have_beyond_their_share(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 4, 2, 0);
    streams_assignor_sticky(&rig.group);
    settle(&rig);
    rig.group.member_count = 3;
    streams_assignor_sticky(&rig.group);
    /* A share is 2. With task 2 the first has it, and of 2 tasks for 2 members 1 is left each. */
    assert_int_equal(active(&rig, 0, 0), 1 << 0 | 1 << 2);
    assert_int_equal(active(&rig, 1, 0), 1 << 1);
    assert_int_equal(active(&rig, 2, 0), 1 << 3);
    end(&rig);
}

static void
tasks_of_who_is_gone_go_to_who_has_least(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 3, 3, 0);
    streams_assignor_sticky(&rig.group);
    settle(&rig);
    /* In the queue of processes, too, the last one takes the first one's place. */
    assert_int_equal(bits_of(&rig.owned[0].active, 0), 1 << 0);
    assert_int_equal(bits_of(&rig.owned[1].active, 0), 1 << 2);
    assert_int_equal(bits_of(&rig.owned[2].active, 0), 1 << 1);
    rig.group.member_count = 2;
    streams_assignor_sticky(&rig.group);
    assert_int_equal(active(&rig, 0, 0), 1 << 0 | 1 << 1);
    assert_int_equal(active(&rig, 1, 0), 1 << 2);
    end(&rig);
}

static void
standbys_go_to_other_processes(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 2, 2, 1);
    streams_assignor_sticky(&rig.group);
    assert_int_equal(active(&rig, 0, 0), 1 << 0);
    assert_int_equal(active(&rig, 1, 0), 1 << 1);
    assert_int_equal(standby(&rig, 0, 0), 1 << 1);
    assert_int_equal(standby(&rig, 1, 0), 1 << 0);
    end(&rig);
}

static void
there_are_no_more_standbys_than_other_processes(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 2, 3, INT32_MAX);
    rig.members[2].process_id = "p0";
    streams_assignor_sticky(&rig.group);
    for (int task = 0; task < 2; task++) {
        int count = 0;

        for (int i = 0; i < 3; i++)
            count += (int)(standby(&rig, i, 0) >> task & 1);
        assert_int_equal(count, 1);
    }
    end(&rig);
}

static void
tasks_without_state_have_no_standbys(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 2, 2, 2, 1);
    rig.subtopologies[0].is_stateful = false;
    streams_assignor_sticky(&rig.group);
    assert_int_equal(standby(&rig, 0, 0) | standby(&rig, 1, 0), 0);
    assert_int_equal(standby(&rig, 0, 1) | standby(&rig, 1, 1), 3);
    end(&rig);
}

static void
a_standby_becomes_the_active_one(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 2, 2, 1);
    /* Whoever had both as active ones is gone. */
    streams_tasks_add(&rig.owned[0].standby, "0", 1, 0);
    streams_tasks_add(&rig.owned[1].standby, "0", 0, 0);
    streams_assignor_sticky(&rig.group);
    assert_int_equal(active(&rig, 0, 0), 1 << 1);
    assert_int_equal(active(&rig, 1, 0), 1 << 0);
    assert_int_equal(standby(&rig, 0, 0), 1 << 0);
    assert_int_equal(standby(&rig, 1, 0), 1 << 1);
    end(&rig);
}

static void
of_several_standbys_the_one_with_less_load_is_preferred(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 2, 1, 2, 0);
    /* Of 2 tasks a share is 1: the first member keeps that of "0", the second gets that of "1". */
    streams_tasks_add(&rig.owned[0].active, "0", 0, 0);
    streams_tasks_add(&rig.owned[0].standby, "1", 0, 0);
    streams_tasks_add(&rig.owned[1].standby, "1", 0, 0);
    streams_assignor_sticky(&rig.group);
    assert_int_equal(active(&rig, 0, 0), 1);
    assert_int_equal(active(&rig, 1, 1), 1);
    end(&rig);
}

static void
who_had_a_task_last_of_several_keeps_it(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 2, 2, 0);
    streams_tasks_add(&rig.owned[0].active, "0", 1, 0);
    streams_tasks_add(&rig.owned[1].active, "0", 1, 0);
    streams_assignor_sticky(&rig.group);
    assert_int_equal(active(&rig, 0, 0), 1 << 0);
    assert_int_equal(active(&rig, 1, 0), 1 << 1);
    end(&rig);
}

static void
tasks_that_are_no_more_are_left_out(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 1, 1, 1);
    streams_tasks_add(&rig.owned[0].active, "0", 1, 0);
    streams_tasks_add(&rig.owned[0].active, "0", -1, 0);
    streams_tasks_add(&rig.owned[0].active, "9", 0, 0);
    streams_tasks_add(&rig.owned[0].standby, "0", INT32_MAX, 0);
    streams_assignor_sticky(&rig.group);
    assert_int_equal(rig.members[0].target.active.task_count, 1);
    assert_true(streams_tasks_is_empty(&rig.members[0].target.standby));
    end(&rig);
}

static void
nothing_is_given_where_nobody_or_nothing_is(void **state)
{
    struct rig rig;

    (void)state;
    begin(&rig, 1, 3, 0, 1);
    streams_assignor_sticky(&rig.group);
    rig.group.member_count = 2;
    rig.group.subtopology_count = 0;
    streams_assignor_sticky(&rig.group);
    for (int i = 0; i < 2; i++)
        assert_true(streams_assignment_is_empty(&rig.members[i].target));
    end(&rig);
}

/* --- any group -----------------------------------------------------------------------------------
 */

/* Who of the group has a task in one of its kinds; the last one. */
static int
holders(const struct rig *rig, int subtopology, int task, bool actively, int *last)
{
    int count = 0;

    for (int i = 0; i < rig->group.member_count; i++) {
        const struct streams_assignment *target = &rig->members[i].target;

        if (bits_of(actively ? &target->active : &target->standby, subtopology) >> task & 1) {
            count++;
            *last = i;
        }
    }
    return count;
}

static int
processes_count(const struct rig *rig)
{
    int count = 0;

    for (int i = 0; i < rig->group.member_count; i++) {
        bool seen = false;

        for (int k = 0; k < i; k++)
            seen |= strcmp(rig->members[k].process_id, rig->members[i].process_id) == 0;
        count += !seen;
    }
    return count;
}

/* Each task is active once, and has its standbys on as many other processes as there are. */
static void
assert_complete(const struct rig *rig)
{
    int others = processes_count(rig) - 1;
    int wanted = rig->group.standby_replicas < others ? rig->group.standby_replicas : others;

    for (int s = 0; s < rig->group.subtopology_count; s++)
        for (int task = 0; task < rig->subtopologies[s].task_count; task++) {
            int owner = -1, unused;

            assert_int_equal(holders(rig, s, task, true, &owner), 1);
            assert_int_equal(holders(rig, s, task, false, &unused),
                rig->subtopologies[s].is_stateful ? wanted : 0);
            for (int i = 0; i < rig->group.member_count; i++)
                if (strcmp(rig->members[i].process_id, rig->members[owner].process_id) == 0)
                    assert_false(standby(rig, i, s) >> task & 1);
        }
}

/* Where every process has one member, their active tasks differ by one at most. */
static void
assert_balanced(const struct rig *rig)
{
    size_t least = SIZE_MAX, most = 0;

    for (int i = 0; i < rig->group.member_count; i++) {
        size_t count = rig->members[i].target.active.task_count;

        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    assert_true(most <= least + 1);
}

static void
random_groups_are_complete_balanced_and_sticky(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 300; seed++) {
        struct rig rig;
        bool alone;

        srand(seed);
        begin(&rig, 1 + rand() % SUBTOPOLOGIES_MAX, 1, 1 + rand() % 12, rand() % 3);
        alone = rand() % 2 == 0;
        for (int i = 0; i < SUBTOPOLOGIES_MAX; i++) {
            rig.subtopologies[i].task_count = 1 + rand() % 20;
            rig.subtopologies[i].is_stateful = rand() % 2 == 0;
        }
        for (int i = 0; !alone && i < MEMBERS_MAX; i++)
            rig.members[i].process_id = rig.process_ids[rand() % 4];
        for (int round = 0; round < 6; round++) {
            streams_assignor_sticky(&rig.group);
            assert_complete(&rig);
            if (alone && rig.group.standby_replicas == 0)
                assert_balanced(&rig);
            settle(&rig);
            streams_assignor_sticky(&rig.group);
            assert_complete(&rig);
            for (int i = 0; alone && rig.group.standby_replicas == 0 && i < rig.group.member_count;
                 i++)
                assert_true(streams_assignment_same(&rig.owned[i], &rig.members[i].target));
            settle(&rig);
            rig.group.member_count = 1 + rand() % MEMBERS_MAX;
        }
        end(&rig);
    }
}

static void
equal_groups_get_equal_targets(void **state)
{
    struct rig a, b;

    (void)state;
    begin(&a, 3, 7, 5, 2);
    begin(&b, 3, 7, 5, 2);
    streams_assignor_sticky(&a.group);
    streams_assignor_sticky(&b.group);
    for (int i = 0; i < 5; i++)
        assert_true(streams_assignment_equal(&a.members[i].target, &b.members[i].target));
    end(&a);
    end(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_get_tasks_in_turn),
        cmocka_unit_test(members_of_a_process_get_tasks_as_its_queue_has_them),
        cmocka_unit_test(processes_come_in_the_order_of_their_table),
        cmocka_unit_test(tasks_are_given_by_subtopology),
        cmocka_unit_test(a_new_member_gets_what_others_have_beyond_their_share),
        cmocka_unit_test(tasks_of_who_is_gone_go_to_who_has_least),
        cmocka_unit_test(standbys_go_to_other_processes),
        cmocka_unit_test(there_are_no_more_standbys_than_other_processes),
        cmocka_unit_test(tasks_without_state_have_no_standbys),
        cmocka_unit_test(a_standby_becomes_the_active_one),
        cmocka_unit_test(of_several_standbys_the_one_with_less_load_is_preferred),
        cmocka_unit_test(who_had_a_task_last_of_several_keeps_it),
        cmocka_unit_test(tasks_that_are_no_more_are_left_out),
        cmocka_unit_test(nothing_is_given_where_nobody_or_nothing_is),
        cmocka_unit_test(random_groups_are_complete_balanced_and_sticky),
        cmocka_unit_test(equal_groups_get_equal_targets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
