/*
 * A group of the consumer protocol in a whole broker: how members go from state to state, what ends
 * with time, and what a crash leaves. SEEDS chooses how many crashes.
 */
#include "refbroker/coord/consumer_group.h"

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "tests/sim/broker_world.h"
#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)1 << 20)
#define VERSION 1
#define REBALANCE_MS 20000
#define PARTITIONS BROKER_WORLD_PARTITIONS
#define MEMBERS 3
#define NONE (-1)

#define OK 0
#define UNKNOWN_MEMBER 25
#define GROUP_NOT_FOUND 69
#define FENCED_EPOCH 110

/* A member as it sees itself. */
struct member {
    const char *id;
    int32_t epoch;
    bool has[PARTITIONS];
    int16_t code; /* of the last answer */
    bool unsure;  /* its last answer got lost in a crash */
};

struct rig {
    struct broker_world world;
    struct member members[MEMBERS];
};

static const struct consumer_group *
group_of(const struct rig *rig)
{
    const struct group *group = groups_find(rig->world.broker->groups, request_text("g"));

    return group == NULL ? NULL : group->consumer;
}

static const struct consumer_member *
member_of(const struct rig *rig, int member)
{
    return consumer_member_find(group_of(rig), request_text(rig->members[member].id));
}

static const struct wire_uuid *
topic_id_of(const struct rig *rig)
{
    return &topics_find(&rig->world.broker->topics, "wal", 3)->topic_id;
}

static void
coordinator_wait(struct rig *rig)
{
    struct km_find_coordinator_request in;
    struct km_find_coordinator_response out;
    struct arena arena;

    arena_init(&arena, BYTES_MAX);
    codec_init(&km_find_coordinator_request_desc, &in);
    in.key = request_text("g");
    do {
        assert_true(broker_world_call(&rig->world, KM_FIND_COORDINATOR, 3, &in, &arena, &out));
        arena_reset(&arena);
        broker_world_rest(&rig->world, 10);
    } while (out.error_code != 0);
    arena_fini(&arena);
}

static void
answer_take(struct member *member, const struct km_consumer_group_heartbeat_response *out)
{
    member->code = out->error_code;
    member->unsure = false;
    if (out->error_code != OK)
        return;
    member->epoch = out->member_epoch;
    if (out->assignment == NULL)
        return;
    memset(member->has, 0, sizeof member->has);
    for (int32_t i = 0; i < out->assignment->topic_partitions.count; i++)
        for (int32_t k = 0; k < out->assignment->topic_partitions.items[i].partitions.count; k++)
            member->has[out->assignment->topic_partitions.items[i].partitions.items[k]] = true;
}

/* Sends a heartbeat at an epoch, with what the member has where `told`; false where the disk stops
 * before the answer. */
static bool
beat_at(struct rig *rig, int number, int32_t epoch, bool told)
{
    struct member *member = &rig->members[number];
    struct km_consumer_group_heartbeat_request_topic_partitions owned = {0};
    struct km_consumer_group_heartbeat_request in;
    struct km_consumer_group_heartbeat_response out;
    struct wire_string topic = request_text("wal");
    int32_t partitions[PARTITIONS];
    struct arena arena;
    bool answered;

    arena_init(&arena, BYTES_MAX);
    codec_init(&km_consumer_group_heartbeat_request_desc, &in);
    in.group_id = request_text("g");
    in.member_id = request_text(member->id);
    in.member_epoch = epoch;
    owned.topic_id = *topic_id_of(rig);
    owned.partitions.items = partitions;
    for (int32_t i = 0; i < PARTITIONS; i++)
        if (member->has[i])
            partitions[owned.partitions.count++] = i;
    in.topic_partitions.count = told ? 0 : -1;
    if (told && epoch > 0) {
        in.topic_partitions.items = &owned;
        in.topic_partitions.count = 1;
    }
    if (epoch == 0) {
        in.rebalance_timeout_ms = REBALANCE_MS;
        in.subscribed_topic_names.items = &topic;
        in.subscribed_topic_names.count = 1;
    }
    answered =
        broker_world_call(&rig->world, KM_CONSUMER_GROUP_HEARTBEAT, VERSION, &in, &arena, &out);
    if (answered)
        answer_take(member, &out);
    arena_fini(&arena);
    return answered;
}

static void
join(struct rig *rig, int member)
{
    memset(rig->members[member].has, 0, sizeof rig->members[member].has);
    assert_true(beat_at(rig, member, 0, true));
    assert_int_equal(rig->members[member].code, OK);
}

static void
beat(struct rig *rig, int member)
{
    assert_true(beat_at(rig, member, rig->members[member].epoch, true));
}

static int
count_of(const struct rig *rig, int member)
{
    int count = 0;

    for (int i = 0; i < PARTITIONS; i++)
        count += rig->members[member].has[i];
    return count;
}

static int
setup(void **state)
{
    static const char *const ids[MEMBERS] = {"a", "b", "c"};
    struct rig *rig = xcalloc(1, sizeof *rig);

    broker_world_init(&rig->world, 1);
    assert_null(broker_world_start(&rig->world));
    rig->world.broker->options.groups.consumer_assignment_interval_ms = 0;
    for (int i = 0; i < MEMBERS; i++)
        rig->members[i].id = ids[i];
    coordinator_wait(rig);
    *state = rig;
    return 0;
}

static int
teardown(void **state)
{
    struct rig *rig = *state;

    broker_world_fini(&rig->world);
    free(rig);
    return 0;
}

/* --- states --------------------------------------------------------------------------------------
 */

/* What member a of a group of a and b does, or what happens to it, and what comes of it. */
enum event {
    BEATS,          /* with what it has */
    BEATS_SILENTLY, /* without telling what it has */
    BEATS_LATE,     /* with the epoch before the last one */
    BEATS_EARLY,    /* with one that it has not got */
    REJOINS,
    LEAVES,
    OTHER_BEATS, /* b, with what it has */
    OTHER_LEAVES,
    TOO_LATE, /* the rebalance timeout passes while it sends heartbeats */
    SILENCE,  /* the session timeout passes */
};

enum start {
    ALONE,  /* a has everything */
    TOLD,   /* b has joined, and a was told what to give up: UNREVOKED */
    WAITED, /* the same, but b is looked at, which waits for it: UNRELEASED */
    SHARED, /* both have their parts */
};

struct transition {
    enum start start;
    enum event event;
    int16_t code;   /* answered to who did it; NONE: nobody asked */
    int state;      /* of a, or NONE where it is gone */
    int32_t epochs; /* that a went on */
    int has;        /* of what it was told to have */
};

static const struct transition transitions[] = {
    {ALONE, BEATS, OK, MEMBER_STABLE, 0, 3},
    {ALONE, BEATS_SILENTLY, OK, MEMBER_STABLE, 0, 3},
    {ALONE, BEATS_LATE, FENCED_EPOCH, MEMBER_STABLE, 0, 3},
    {ALONE, BEATS_EARLY, FENCED_EPOCH, MEMBER_STABLE, 0, 3},
    {ALONE, REJOINS, OK, MEMBER_STABLE, 0, 3},
    {ALONE, LEAVES, OK, NONE, 0, 3},
    {ALONE, SILENCE, NONE, NONE, 0, 3},

    {TOLD, BEATS_SILENTLY, OK, MEMBER_UNREVOKED, 0, 2},
    {TOLD, BEATS, OK, MEMBER_STABLE, 1, 2},
    {TOLD, BEATS_EARLY, FENCED_EPOCH, MEMBER_UNREVOKED, 0, 2},
    {TOLD, OTHER_BEATS, OK, MEMBER_UNREVOKED, 0, 2},
    {TOLD, OTHER_LEAVES, OK, MEMBER_UNREVOKED, 0, 2},
    {TOLD, REJOINS, OK, MEMBER_STABLE, 1, 2},
    {TOLD, LEAVES, OK, NONE, 0, 2},
    {TOLD, TOO_LATE, UNKNOWN_MEMBER, NONE, 0, 2},
    {TOLD, SILENCE, NONE, NONE, 0, 2},

    {WAITED, OTHER_BEATS, OK, MEMBER_UNREVOKED, 0, 2},

    {SHARED, BEATS, OK, MEMBER_STABLE, 0, 2},
    {SHARED, BEATS_LATE, OK, MEMBER_STABLE, 0, 2}, /* the answer may have been lost */
    {SHARED, OTHER_LEAVES, OK, MEMBER_STABLE, 0, 2},
    {SHARED, LEAVES, OK, NONE, 0, 2},
};

static void
bring(struct rig *rig, enum start start)
{
    join(rig, 0);
    assert_int_equal(count_of(rig, 0), PARTITIONS);
    if (start == ALONE)
        return;
    join(rig, 1);
    assert_int_equal(count_of(rig, 1), 0);
    assert_int_equal(member_of(rig, 1)->state, MEMBER_UNRELEASED);
    beat(rig, 0);
    assert_int_equal(count_of(rig, 0), 2);
    assert_int_equal(member_of(rig, 0)->state, MEMBER_UNREVOKED);
    if (start != SHARED)
        return;
    beat(rig, 0);
    beat(rig, 1);
    assert_int_equal(count_of(rig, 1), 1);
}

/* Returns who asked. */
static int
happen(struct rig *rig, enum event event)
{
    int32_t epoch = rig->members[0].epoch;

    switch (event) {
    case BEATS:
    case BEATS_SILENTLY:
        assert_true(beat_at(rig, 0, epoch, event == BEATS));
        return 0;
    case BEATS_LATE:
    case BEATS_EARLY:
        assert_true(beat_at(rig, 0, event == BEATS_LATE ? epoch - 1 : epoch + 1, true));
        return 0;
    case REJOINS:
        memset(rig->members[0].has, 0, sizeof rig->members[0].has);
        assert_true(beat_at(rig, 0, 0, true));
        return 0;
    case LEAVES:
        assert_true(beat_at(rig, 0, CONSUMER_EPOCH_LEAVE, false));
        return 0;
    case OTHER_BEATS:
        beat(rig, 1);
        return 1;
    case OTHER_LEAVES:
        assert_true(beat_at(rig, 1, CONSUMER_EPOCH_LEAVE, false));
        return 1;
    case TOO_LATE:
        for (int i = 0; i < 3; i++) {
            assert_true(beat_at(rig, 0, epoch, false));
            env_advance(&rig->world.time, (REBALANCE_MS / 2 + 1) * 1000);
            (void)broker_tick(rig->world.broker);
        }
        assert_true(beat_at(rig, 0, epoch, false));
        return 0;
    case SILENCE:
        env_advance(&rig->world.time, INT64_C(45001000));
        (void)broker_tick(rig->world.broker);
        return NONE;
    }
    return NONE;
}

static void
a_member_goes_from_state_to_state_as_kafkas_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
        const struct transition *row = &transitions[i];
        const struct consumer_member *member;
        int32_t before;
        void *made;
        struct rig *rig;
        int who;

        (void)setup(&made);
        rig = made;
        bring(rig, row->start);
        before = member_of(rig, 0)->epoch;
        who = happen(rig, row->event);
        member = member_of(rig, 0);
        if ((who != NONE && rig->members[who].code != row->code) ||
            (member == NULL ? NONE : (int)member->state) != row->state ||
            (member != NULL && member->epoch - before != row->epochs) ||
            count_of(rig, 0) != row->has)
            fail_msg("row %zu: code %d, state %d, %d epochs, has %d", i,
                who == NONE ? NONE : rig->members[who].code,
                member == NULL ? NONE : (int)member->state,
                member == NULL ? 0 : member->epoch - before, count_of(rig, 0));
        (void)teardown(&made);
    }
}

static void
the_group_s_state_tells_what_it_waits_for(void **state)
{
    struct rig *rig = *state;

    join(rig, 0);
    assert_string_equal(consumer_group_state(group_of(rig)), "Stable");
    join(rig, 1);
    assert_string_equal(consumer_group_state(group_of(rig)), "Reconciling");
    assert_true(beat_at(rig, 1, CONSUMER_EPOCH_LEAVE, false));
    assert_string_equal(consumer_group_state(group_of(rig)), "Assigning");
    assert_true(beat_at(rig, 0, CONSUMER_EPOCH_LEAVE, false));
    assert_string_equal(consumer_group_state(group_of(rig)), "Empty");
}

static void
targets_are_not_made_more_often_than_the_interval_allows(void **state)
{
    struct rig *rig = *state;

    rig->world.broker->options.groups.consumer_assignment_interval_ms = 1000000;
    join(rig, 0);
    join(rig, 1);
    assert_int_equal(group_of(rig)->epoch, group_of(rig)->target_epoch + 1);
    beat(rig, 0);
    assert_int_equal(count_of(rig, 0), PARTITIONS);
    rig->world.broker->options.groups.consumer_assignment_interval_ms = 0;
    beat(rig, 0);
    assert_int_equal(group_of(rig)->epoch, group_of(rig)->target_epoch);
    assert_int_equal(count_of(rig, 0), 2);
}

static void
a_group_takes_no_more_members_than_it_may(void **state)
{
    struct rig *rig = *state;

    rig->world.broker->options.groups.consumer_max_size = 1;
    join(rig, 0);
    assert_true(beat_at(rig, 1, 0, true));
    assert_int_equal(rig->members[1].code, 81);
    join(rig, 0);
}

/* --- crashes -------------------------------------------------------------------------------------
 */

/* No two members think that they have the same partition. */
static void
assert_disjoint(const struct rig *rig, uint64_t seed)
{
    for (int p = 0; p < PARTITIONS; p++) {
        int owners = 0;

        for (int i = 0; i < MEMBERS; i++)
            owners += rig->members[i].epoch > 0 && rig->members[i].has[p];
        if (owners > 1)
            fail_msg("seed %llu: partition %d has %d owners", (unsigned long long)seed, p, owners);
    }
}

/* One member does something; who is out abandons everything and comes again. */
static bool
live(struct rig *rig, int who)
{
    struct member *member = &rig->members[who];
    uint64_t dice = env_random_below(&rig->world.env, 10);
    int32_t epoch = member->epoch;

    if (epoch == 0)
        memset(member->has, 0, sizeof member->has);
    if (epoch > 0 && dice == 0) {
        memset(member->has, 0, sizeof member->has);
        member->epoch = 0;
        return beat_at(rig, who, CONSUMER_EPOCH_LEAVE, false) &&
               (member->epoch = 0, member->code == OK || member->code == UNKNOWN_MEMBER);
    }
    if (!beat_at(rig, who, epoch, dice != 1))
        return false;
    if (member->code != OK) {
        memset(member->has, 0, sizeof member->has);
        member->epoch = 0;
    }
    return true;
}

/* Members whose answers all came must not notice the crash; of the one whose answer is missing the
 * broker may have the state before or behind. */
static void
revive(struct rig *rig, uint64_t seed, int asking, bool power)
{
    broker_world_crash(&rig->world);
    if (power)
        disk_cut_power(rig->world.disk);
    else
        disk_cut_kill(rig->world.disk);
    assert_null(broker_world_start(&rig->world));
    rig->world.broker->options.groups.consumer_assignment_interval_ms = 0;
    for (int i = 0; i < MEMBERS; i++) {
        struct member *member = &rig->members[i];
        const struct consumer_member *known = group_of(rig) == NULL ? NULL : member_of(rig, i);

        member->unsure = member->unsure || i == asking;
        if (member->unsure || member->epoch == 0)
            continue;
        if (known == NULL || known->epoch != member->epoch)
            fail_msg("seed %llu: member %s was at epoch %d, is at %d", (unsigned long long)seed,
                member->id, member->epoch, known == NULL ? NONE : known->epoch);
        for (int32_t p = 0; p < PARTITIONS; p++)
            assert_true(!member->has[p] ||
                        topic_parts_find(&known->assigned, topic_id_of(rig), p) != NULL ||
                        topic_parts_find(&known->revoking, topic_id_of(rig), p) != NULL);
    }
}

static void
members_and_epochs_survive_a_crash(void **state)
{
    const char *seeds_text = getenv("SEEDS");
    uint64_t seeds = seeds_text == NULL ? 60 : strtoull(seeds_text, NULL, 10);
    size_t crashes = 0, answers = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        void *made;
        struct rig *rig;

        (void)setup(&made);
        rig = made;
        broker_world_fini(&rig->world);
        broker_world_init(&rig->world, seed);
        assert_null(broker_world_start(&rig->world));
        rig->world.broker->options.groups.consumer_assignment_interval_ms = 0;
        coordinator_wait(rig);
        for (int life = 0; life < 4; life++) {
            int who = 0;

            disk_cut_stop_at(rig->world.disk, 1 + env_random_below(&rig->world.env, 60));
            for (int i = 0; i < 40; i++) {
                who = (int)env_random_below(&rig->world.env, MEMBERS);
                if (!live(rig, who))
                    break;
                answers++;
                assert_disjoint(rig, seed);
            }
            crashes += disk_cut_is_stopped(rig->world.disk);
            revive(rig, seed, disk_cut_is_stopped(rig->world.disk) ? who : NONE,
                env_random_below(&rig->world.env, 2) == 0);
            if (disk_cut_is_stopped(rig->world.disk))
                fail_msg("the disk did not come back");
            /* Who got no answer does what a client does: it sends the same again. */
            if (rig->members[who].epoch == 0)
                memset(rig->members[who].has, 0, sizeof rig->members[who].has);
        }
        (void)teardown(&made);
    }
    print_message("# %zu answers, %zu crashes in the middle of one\n", answers, crashes);
    assert_true(crashes > seeds / 2 && answers > seeds * 10);
}

static void
a_deleted_group_is_not_there_after_a_crash(void **state)
{
    struct rig *rig = *state;
    struct km_delete_groups_request in;
    struct km_delete_groups_response out;
    struct wire_string name = request_text("g");
    struct arena arena;

    join(rig, 0);
    assert_true(beat_at(rig, 0, CONSUMER_EPOCH_LEAVE, false));
    arena_init(&arena, BYTES_MAX);
    codec_init(&km_delete_groups_request_desc, &in);
    in.groups_names.items = &name;
    in.groups_names.count = 1;
    assert_true(broker_world_call(&rig->world, KM_DELETE_GROUPS, 2, &in, &arena, &out));
    assert_int_equal(out.results.items[0].error_code, OK);
    arena_fini(&arena);
    broker_world_crash(&rig->world);
    disk_cut_power(rig->world.disk);
    assert_null(broker_world_start(&rig->world));
    assert_null(groups_find(rig->world.broker->groups, request_text("g")));
    rig->members[0].epoch = 2;
    beat(rig, 0);
    assert_int_equal(rig->members[0].code, GROUP_NOT_FOUND);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_goes_from_state_to_state_as_kafkas_does),
        TEST(the_group_s_state_tells_what_it_waits_for),
        TEST(targets_are_not_made_more_often_than_the_interval_allows),
        TEST(a_group_takes_no_more_members_than_it_may),
        cmocka_unit_test(members_and_epochs_survive_a_crash),
        TEST(a_deleted_group_is_not_there_after_a_crash),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
