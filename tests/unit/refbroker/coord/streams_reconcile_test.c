/* How a member of a streams group comes to its target: steps that a whole broker seldom shows, and
 * random lives in which no task may have two owners. */
#include "lib/base/env.h"
#include "refbroker/coord/streams_update.h"
#include "tests/unit/refbroker/coord/streams_group_rig.h"

#define TASKS 6
#define MEMBERS 4
#define STEPS 3000

/* A group in a broker, of members that a test moves by itself. */
struct parts {
    struct streams_rig *rig;
    struct streams_group *streams;
};

static void
begin(struct parts *p)
{
    p->rig = streams_rig_new(1);
    p->streams = streams_group_attach(groups_make(p->rig->world.broker->groups, request_text("g")));
    p->streams->target_epoch = 10;
}

static void
end(struct parts *p)
{
    void *made = p->rig;

    (void)streams_rig_teardown(&made);
}

static struct streams_member *
member_make(const struct parts *p, const char *id, const char *process, int32_t epoch)
{
    struct streams_member *member = streams_member_add(p->streams, request_text(id));

    streams_member_set_process(member, request_text(process));
    member->epoch = epoch;
    return member;
}

/* Gives a member tasks of subtopology "0": the first active ones, then standbys; -1 ends each. */
static void
hold(struct streams_member *member, const int32_t *active, const int32_t *standby)
{
    struct streams_assignment assigned = {0}, none = {0};

    for (; *active >= 0; active++)
        streams_tasks_add(&assigned.active, "0", *active, member->epoch);
    for (; *standby >= 0; standby++)
        streams_tasks_add(&assigned.standby, "0", *standby, 0);
    streams_member_hold(member, &assigned, &none);
}

static void
aim(struct streams_member *member, const int32_t *active, const int32_t *standby)
{
    streams_assignment_fini(&member->target);
    for (; *active >= 0; active++)
        streams_tasks_add(&member->target.active, "0", *active, 0);
    for (; *standby >= 0; standby++)
        streams_tasks_add(&member->target.standby, "0", *standby, 0);
}

#define LIST(...) ((const int32_t[]){__VA_ARGS__})
#define NO_TASKS LIST(-1)

static void
assert_member(const struct streams_member *member, enum streams_member_state state, int32_t epoch,
    int32_t previous_epoch, size_t active, size_t standby, size_t revoking)
{
    assert_int_equal(member->state, state);
    assert_int_equal(member->epoch, epoch);
    assert_int_equal(member->previous_epoch, previous_epoch);
    assert_int_equal(member->assigned.active.task_count, active);
    assert_int_equal(member->assigned.standby.task_count, standby);
    assert_int_equal(
        member->revoking.active.task_count + member->revoking.standby.task_count, revoking);
}

static void
what_is_gained_has_the_target_s_epoch_and_what_is_kept_its_own(void **state)
{
    struct streams_member *member;
    struct parts p;

    (void)state;
    begin(&p);
    member = member_make(&p, "a", "p", 9);
    hold(member, LIST(0, -1), NO_TASKS);
    aim(member, LIST(0, 1, -1), LIST(2, -1));
    assert_true(streams_reconcile(member, &member->target, NULL));
    assert_member(member, STREAMS_STABLE, 10, 9, 2, 1, 0);
    assert_int_equal(streams_tasks_find(&member->assigned.active, "0", 0)->epoch, 9);
    assert_int_equal(streams_tasks_find(&member->assigned.active, "0", 1)->epoch, 10);
    assert_int_equal(streams_tasks_find(&member->assigned.standby, "0", 2)->epoch, 0);
    assert_false(streams_reconcile(member, &member->target, NULL));
    end(&p);
}

static void
a_standby_becomes_active_in_two_steps(void **state)
{
    struct streams_assignment owned = {0};
    struct streams_member *member;
    struct parts p;

    (void)state;
    begin(&p);
    member = member_make(&p, "a", "p", 9);
    hold(member, NO_TASKS, LIST(3, -1));
    aim(member, LIST(3, -1), NO_TASKS);
    assert_true(streams_reconcile(member, &member->target, NULL));
    assert_member(member, STREAMS_UNREVOKED, 9, 9, 0, 0, 1);
    assert_false(streams_reconcile(member, &member->target, NULL));
    /* It has said that it has nothing, but its own tasks count as taken until it is heard again. */
    assert_true(streams_reconcile(member, &member->target, &owned));
    assert_member(member, STREAMS_UNRELEASED, 10, 9, 0, 0, 0);
    assert_true(streams_reconcile(member, &member->target, &owned));
    assert_member(member, STREAMS_STABLE, 10, 10, 1, 0, 0);
    end(&p);
}

static void
a_process_has_a_task_once(void **state)
{
    struct streams_member *a, *b, *c;
    struct parts p;

    (void)state;
    begin(&p);
    a = member_make(&p, "a", "p", 10);
    b = member_make(&p, "b", "p", 9);
    c = member_make(&p, "c", "q", 9);
    hold(a, LIST(0, -1), LIST(1, -1));
    aim(b, LIST(1, -1), LIST(0, -1));
    assert_true(streams_reconcile(b, &b->target, NULL));
    assert_member(b, STREAMS_UNRELEASED, 10, 9, 0, 0, 0);
    /* In another process a standby beside the active task is what it is for. */
    aim(c, LIST(1, -1), LIST(0, -1));
    assert_true(streams_reconcile(c, &c->target, NULL));
    assert_member(c, STREAMS_STABLE, 10, 9, 1, 1, 0);
    end(&p);
}

static void
a_target_that_moves_on_meanwhile_is_gone_to_at_once(void **state)
{
    struct streams_assignment owned = {0};
    struct streams_member *member;
    struct parts p;

    (void)state;
    begin(&p);
    member = member_make(&p, "a", "p", 5);
    hold(member, LIST(0, 1, 2, -1), NO_TASKS);
    aim(member, LIST(0, 1, -1), NO_TASKS);
    assert_true(streams_reconcile(member, &member->target, NULL));
    assert_member(member, STREAMS_UNREVOKED, 5, 5, 2, 0, 1);
    aim(member, LIST(0, -1), NO_TASKS);
    p.streams->target_epoch = 11;
    streams_tasks_add(&owned.active, "0", 0, 0);
    streams_tasks_add(&owned.active, "0", 1, 0);
    assert_true(streams_reconcile(member, &member->target, &owned));
    assert_member(member, STREAMS_UNREVOKED, 6, 5, 1, 0, 1);
    streams_assignment_fini(&owned);
    streams_tasks_add(&owned.active, "0", 0, 0);
    assert_true(streams_reconcile(member, &member->target, &owned));
    assert_member(member, STREAMS_STABLE, 11, 6, 1, 0, 0);
    streams_assignment_fini(&owned);
    end(&p);
}

static bool
has_it(const struct streams_tasks *tasks, int32_t partition)
{
    return streams_tasks_find(tasks, "0", partition) != NULL;
}

static void
assert_owned_once(struct streams_member *const members[MEMBERS], int step)
{
    for (int32_t k = 0; k < TASKS; k++)
        for (int i = 0; i < MEMBERS; i++)
            for (int j = 0; j < MEMBERS; j++) {
                const struct streams_member *a = members[i], *b = members[j];
                bool active = has_it(&a->assigned.active, k) || has_it(&a->revoking.active, k);
                bool standby = has_it(&b->assigned.standby, k) || has_it(&b->revoking.standby, k);

                if (active && i != j &&
                    (has_it(&b->assigned.active, k) || has_it(&b->revoking.active, k)))
                    fail_msg("step %d: task %d has two owners", step, k);
                if (active && standby && strcmp(a->process_id, b->process_id) == 0)
                    fail_msg("step %d: process %s has task %d twice", step, a->process_id, k);
            }
}

/* Every task goes to somebody, and a standby of it to another. */
static void
targets_throw(struct env *dice, struct streams_member *const members[MEMBERS])
{
    for (int i = 0; i < MEMBERS; i++)
        streams_assignment_fini(&members[i]->target);
    for (int32_t k = 0; k < TASKS; k++) {
        uint64_t to = env_random_below(dice, MEMBERS);

        streams_tasks_add(&members[to]->target.active, "0", k, 0);
        streams_tasks_add(
            &members[(to + 1 + env_random_below(dice, MEMBERS - 1)) % MEMBERS]->target.standby, "0",
            k, 0);
    }
}

static void
no_task_ever_has_two_owners(void **state)
{
    static const char *const ids[MEMBERS] = {"a", "b", "c", "d"};
    static const char *const processes[MEMBERS] = {"p", "p", "q", "r"};
    struct streams_member *members[MEMBERS];
    struct parts p;
    struct env dice;

    (void)state;
    begin(&p);
    env_init_seeded(&dice, 7, 0);
    for (int i = 0; i < MEMBERS; i++)
        members[i] = member_make(&p, ids[i], processes[i], 0);
    for (int step = 0; step < STEPS; step++) {
        struct streams_member *member = members[env_random_below(&dice, MEMBERS)];

        if (env_random_below(&dice, 20) == 0) {
            targets_throw(&dice, members);
            p.streams->target_epoch++;
        }
        (void)streams_reconcile(
            member, &member->target, env_random_below(&dice, 3) == 0 ? NULL : &member->assigned);
        assert_owned_once(members, step);
    }
    /* Left alone, all come to their targets. */
    for (int i = 0; i < 4 * MEMBERS; i++)
        (void)streams_reconcile(
            members[i % MEMBERS], &members[i % MEMBERS]->target, &members[i % MEMBERS]->assigned);
    for (int i = 0; i < MEMBERS; i++)
        assert_int_equal(members[i]->epoch, p.streams->target_epoch);
    end(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_gained_has_the_target_s_epoch_and_what_is_kept_its_own),
        cmocka_unit_test(a_standby_becomes_active_in_two_steps),
        cmocka_unit_test(a_process_has_a_task_once),
        cmocka_unit_test(a_target_that_moves_on_meanwhile_is_gone_to_at_once),
        cmocka_unit_test(no_task_ever_has_two_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
