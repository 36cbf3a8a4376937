/*
 * Members of a streams group live on while the power goes in the middle of their heartbeats: what
 * they were told is so after every start, and no task ever has two active owners. SEEDS chooses how
 * many crashes.
 */
#include <stdlib.h>

#include "lib/wire/kerr.h"
#include "tests/unit/refbroker/coord/streams_group_rig.h"

#define NONE (-1)
#define ALL STREAMS_RIG_ALL

static bool
has(const struct streams_rig_member *member, int task)
{
    return member->epoch > 0 && (member->active[task] || member->standby[task]);
}

/* No two members think that they have the same active task, and no process has a task twice. */
static void
assert_disjoint(const struct streams_rig *rig, uint64_t seed)
{
    for (int k = 0; k < ALL; k++) {
        int owners = 0;

        for (int i = 0; i < STREAMS_RIG_MEMBERS; i++) {
            const struct streams_rig_member *member = &rig->members[i];

            owners += member->epoch > 0 && member->active[k];
            if (member->epoch > 0 && member->active[k] && member->standby[k])
                fail_msg(
                    "seed %llu: %s has task %d twice", (unsigned long long)seed, member->id, k);
            for (int j = 0; j < i; j++)
                if (has(member, k) && has(&rig->members[j], k) &&
                    strcmp(member->process, rig->members[j].process) == 0)
                    fail_msg("seed %llu: process %s has task %d twice", (unsigned long long)seed,
                        member->process, k);
        }
        if (owners > 1)
            fail_msg("seed %llu: task %d has %d owners", (unsigned long long)seed, k, owners);
    }
}

static void
abandon(struct streams_rig_member *member)
{
    memset(member->active, 0, sizeof member->active);
    memset(member->standby, 0, sizeof member->standby);
    member->epoch = STREAMS_EPOCH_JOIN;
}

/* One member does something; who is out abandons everything and comes again. False where the disk
 * stops before the answer. */
static bool
live(struct streams_rig *rig, int who)
{
    struct streams_rig_member *member = &rig->members[who];
    uint64_t dice = env_random_below(&rig->world.env, 10);
    int32_t epoch = member->epoch;

    if (epoch > 0 && dice == 0) {
        abandon(member);
        if (!streams_rig_beat_at(rig, who, STREAMS_EPOCH_LEAVE, false))
            return false;
        assert_true(member->code == KE_NONE || member->code == KE_UNKNOWN_MEMBER_ID);
        member->epoch = STREAMS_EPOCH_JOIN;
        return true;
    }
    if (!streams_rig_beat_at(rig, who, epoch, epoch == STREAMS_EPOCH_JOIN || dice != 1))
        return false;
    if (member->code != KE_NONE)
        abandon(member);
    return true;
}

static bool
holds(const struct streams_member *known, int32_t partition)
{
    return streams_tasks_find(&known->assigned.active, "0", partition) != NULL ||
           streams_tasks_find(&known->revoking.active, "0", partition) != NULL;
}

/* Members whose answers all came must not notice the crash; of the one whose answer is missing the
 * broker may have the state before or behind. */
static void
assert_unnoticed(struct streams_rig *rig, int asking, uint64_t seed)
{
    for (int i = 0; i < STREAMS_RIG_MEMBERS; i++) {
        struct streams_rig_member *member = &rig->members[i];
        const struct streams_member *known = streams_rig_member(rig, i);

        member->unsure = member->unsure || i == asking;
        if (member->unsure || member->epoch == STREAMS_EPOCH_JOIN)
            continue;
        if (known == NULL || known->epoch != member->epoch)
            fail_msg("seed %llu: member %s was at epoch %d, is at %d", (unsigned long long)seed,
                member->id, member->epoch, known == NULL ? NONE : known->epoch);
        for (int32_t k = 0; k < ALL; k++)
            assert_true(!member->active[k] || holds(known, k));
    }
}

/* Some groups wait before they assign tasks. */
static void
settings_make(struct streams_rig *rig, uint64_t seed)
{
    rig->world.broker->options.groups.streams_initial_rebalance_delay_ms = seed % 3 == 0 ? 20 : 0;
    rig->world.broker->options.groups.streams_assignment_interval_ms = seed % 5 == 0 ? 5 : 0;
    resource_configs_set(&rig->world.broker->resource_configs, RESOURCE_GROUP, "g",
        "streams.num.standby.replicas", "1");
}

/* Comes back after a crash in which who asked, if anybody, got no answer. */
static void
revive(struct streams_rig *rig, int asking, uint64_t seed)
{
    bool power = env_random_below(&rig->world.env, 2) == 0;

    broker_world_crash(&rig->world);
    if (power)
        disk_cut_power(rig->world.disk);
    else
        disk_cut_kill(rig->world.disk);
    streams_rig_start(rig);
    settings_make(rig, seed);
    assert_unnoticed(rig, asking, seed);
}

static void
no_crash_is_noticed_and_no_task_has_two_owners(void **state)
{
    const char *seeds_text = getenv("SEEDS");
    uint64_t seeds = seeds_text == NULL ? 40 : strtoull(seeds_text, NULL, 10);
    size_t crashes = 0, answers = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct streams_rig *rig = streams_rig_new(seed);
        void *made = rig;

        rig->stateful = true;
        rig->members[1].process = seed % 2 == 0 ? "pa" : "pb";
        settings_make(rig, seed);
        for (int life = 0; life < 4; life++) {
            int who = 0;
            bool stopped;

            disk_cut_stop_at(rig->world.disk, 1 + env_random_below(&rig->world.env, 80));
            for (int i = 0; i < 40; i++) {
                who = (int)env_random_below(&rig->world.env, STREAMS_RIG_MEMBERS);
                if (!live(rig, who))
                    break;
                answers++;
                assert_disjoint(rig, seed);
            }
            stopped = disk_cut_is_stopped(rig->world.disk);
            crashes += stopped;
            revive(rig, stopped ? who : NONE, seed);
        }
        (void)streams_rig_teardown(&made);
    }
    print_message("# %zu answers, %zu crashes in the middle of one\n", answers, crashes);
    assert_true(crashes > seeds / 2 && answers > seeds * 10);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_is_noticed_and_no_task_has_two_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
