/*
 * What share groups keep, in a simulated world: power cuts and kills at any step, by seed. SEEDS
 * and FIRST_SEED choose others.
 *
 * Groups begin, read, write and delete their partitions at random, while snapshots and prunings
 * come all the time. After each cut every partition of a group is in a state that it was in: the
 * last one that was acknowledged, or one behind that. Partitions of the log are cut off in between,
 * so that a snapshot which was not durable when what it replaced went would be missed.
 */
#include "refbroker/coord/share_states.h"

#include "lib/base/xalloc.h"
#include "tests/unit/refbroker/coord/share_rig.h"

#define SEEDS 40
#define CUTS_PER_SEED 5
#define STEPS_PER_LIFE 150
#define GROUPS 4
#define KEYS (GROUPS * BROKER_WORLD_PARTITIONS)
#define TEXTS_MAX (STEPS_PER_LIFE + 2)

/* What a partition of a group has been since the last start. */
struct history {
    char *texts[TEXTS_MAX];
    int count;
    int acked; /* the last one that is durable */
};

/* A change that waits. */
struct change {
    struct waited waited;
    int key;
    int text;
};

struct life {
    struct history histories[KEYS];
    struct change changes[STEPS_PER_LIFE];
    int change_count;
    size_t acked_count;
    size_t failed_count;
};

static uint64_t
number_of(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text == NULL ? fallback : strtoull(text, NULL, 10);
}

static struct share_key
key_at(int i)
{
    static const char *const groups[GROUPS] = {"a", "b", "c", "d"};

    return key_of(groups[i / BROKER_WORLD_PARTITIONS], i % BROKER_WORLD_PARTITIONS);
}

static void
history_add(struct history *history, const char *text)
{
    assert_true(history->count < TEXTS_MAX);
    history->texts[history->count++] = xstrdup(text);
}

static void
history_begin(struct history *history, const char *text)
{
    for (int i = 0; i < history->count; i++)
        free(history->texts[i]);
    history->count = 0;
    history->acked = 0;
    if (text != NULL)
        history_add(history, text);
}

/* --- one life --------------------------------------------------------------------------------- */

static int16_t
change_make(const struct share_key *key, struct append_waiter *waiter)
{
    struct share_states *states = world.broker->share_states;
    const struct share_state *now = share_states_find(states, key), *read;
    struct env *dice = &world.env;
    int64_t start = now == NULL || now->start_offset < 0 ? 0 : now->start_offset;
    int64_t first = start + (int64_t)env_random_below(dice, 30);
    struct share_batch batch = {first, first + (int64_t)env_random_below(dice, 20),
        (int16_t)(1 + env_random_below(dice, 3)), (int8_t)env_random_below(dice, 5)};
    struct share_write write = {-1, -1, -1, (int32_t)env_random_below(dice, 100), &batch, 1};

    if (now == NULL)
        return share_states_initialize(states, key, 1, 0, waiter, &why);
    switch (env_random_below(dice, 12)) {
    case 0:
        return share_states_delete(states, key, waiter, &why);
    case 1:
        return share_states_initialize(states, key, now->state_epoch + 1, start, waiter, &why);
    case 2:
        return share_states_read(states, key, now->leader_epoch + 1, &read, waiter, &why);
    case 3:
    case 4:
        write.start_offset = first;
        /* fallthrough */
    default:
        return share_states_write(states, key, &write, waiter, &why);
    }
}

static void
acks_take(struct life *life)
{
    for (int i = 0; i < life->change_count; i++) {
        struct change *change = &life->changes[i];
        struct history *history = &life->histories[change->key];

        if (change->waited.done && change->waited.error == KE_NONE &&
            change->text > history->acked) {
            history->acked = change->text;
            life->acked_count++;
        }
    }
}

static void
live(struct life *life)
{
    life->change_count = 0;
    for (int i = 0; i < STEPS_PER_LIFE && !disk_cut_is_stopped(world.disk); i++) {
        struct change *change = &life->changes[life->change_count];
        struct share_key key;

        *change = (struct change){.waited.waiter.done = waited_done};
        change->key = (int)env_random_below(&world.env, KEYS);
        key = key_at(change->key);
        if (change_make(&key, &change->waited.waiter) == KE_NONE) {
            history_add(&life->histories[change->key], text_of(&key));
            change->text = life->histories[change->key].count - 1;
            life->change_count++;
        } else {
            life->failed_count++;
        }
        broker_world_rest(&world, (int)env_random_below(&world.env, 12));
    }
    broker_world_rest(&world, (int)env_random_below(&world.env, 50));
    acks_take(life);
}

/* Every key is in a state that it may be in, and begins anew from there. */
static void
check(struct life *life, uint64_t seed)
{
    for (int i = 0; i < KEYS; i++) {
        struct history *history = &life->histories[i];
        struct share_key key = key_at(i);
        char text[TEXT_BYTES];
        bool found = false;

        snprintf(text, sizeof text, "%s", text_of(&key));
        for (int k = history->acked; k < history->count; k++)
            found = found || strcmp(history->texts[k], text) == 0;
        if (!found)
            fail_msg("seed %llu: key %d is %s, acknowledged was %s", (unsigned long long)seed, i,
                text, history->texts[history->acked]);
        history_begin(history, text);
    }
}

static size_t
lives(uint64_t seed, bool power)
{
    static const char *const settings[] = {
        "share.coordinator.snapshot.update.records.per.snapshot=4",
        "share.coordinator.cold.partition.snapshot.interval.ms=150",
        "share.coordinator.state.topic.prune.interval.ms=40",
        "share.coordinator.state.topic.num.partitions=3", NULL};
    struct life *life = xcalloc(1, sizeof *life);
    size_t acked;

    broker_world_init(&world, seed);
    world.settings = settings;
    assert_null(broker_world_start(&world));
    log_make();
    for (int i = 0; i < KEYS; i++)
        history_begin(&life->histories[i], "none");
    for (int i = 0; i < CUTS_PER_SEED; i++) {
        disk_cut_stop_at(world.disk, 1 + env_random_below(&world.env, 400));
        live(life);
        broker_world_crash(&world);
        acks_take(life);
        if (power)
            disk_cut_power(world.disk);
        else
            disk_cut_kill(world.disk);
        assert_null(broker_world_start(&world));
        check(life, seed);
    }
    acked = life->acked_count;
    for (int i = 0; i < KEYS; i++)
        history_begin(&life->histories[i], NULL);
    broker_world_fini(&world);
    free(life);
    return acked;
}

static void
a_power_cut_leaves_what_was_acknowledged(void **state)
{
    uint64_t first = number_of("FIRST_SEED", 1), seeds = number_of("SEEDS", SEEDS);
    size_t acked = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        acked += lives(seed, true);
    print_message("# %zu changes acknowledged, %llu cuts\n", acked,
        (unsigned long long)seeds * CUTS_PER_SEED);
    assert_true(acked > seeds * 50);
}

static void
a_kill_leaves_what_was_acknowledged(void **state)
{
    uint64_t first = number_of("FIRST_SEED", 1), seeds = number_of("SEEDS", SEEDS) / 3 + 1;
    size_t acked = 0;

    (void)state;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        acked += lives(seed, false);
    assert_true(acked > seeds * 50);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_leaves_what_was_acknowledged),
        cmocka_unit_test(a_kill_leaves_what_was_acknowledged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
