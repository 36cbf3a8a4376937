/* Crashes of the WAL: kills and power cuts at every point of random and of fixed histories, failed
 * syncs, full disks, and the proof that no sync is there for nothing. */
#include "tests/unit/refbroker/log/wal_rig.h"

#include "tests/unit/log_capture.h"
#include "tests/unit/unit.h"

#define RANDOM_SEEDS 400
#define STARTS 5

/* Whether full files get an index, in fixed histories. */
static bool has_index;

static int
without_index(void **state)
{
    (void)state;
    has_index = false;
    return 0;
}

static int
with_index(void **state)
{
    (void)state;
    has_index = true;
    return 0;
}

static struct wal_rig *
rig_new(uint64_t seed, bool index)
{
    struct wal_rig *rig = wal_rig_new(seed);

    rig->index_bytes_max = index ? WAL_RIG_FILE_BYTES / 8 : 0;
    return rig;
}

/* Crashes until `starts` starts were judged; each crash comes at a random step. */
static const char *
play_and_crash(struct wal_rig *rig, int starts, bool with_faults)
{
    const char *wrong = wal_rig_start(rig);

    for (int i = 1; i < starts && wrong == NULL; i++) {
        if (with_faults && env_random_below(&rig->env, 2) == 0)
            disk_cut_fault(rig->disk,
                (enum disk_cut_fault[]){DISK_CUT_FAIL_SYNC, DISK_CUT_FAIL_WRITE}[i % 2],
                1 + env_random_below(&rig->env, 12));
        if (with_faults && env_random_below(&rig->env, 4) == 0)
            disk_cut_limit(rig->disk, env_random_below(&rig->env, 40) * DISK_ALIGN_BYTES);
        disk_cut_stop_at(rig->disk, 1 + env_random_below(&rig->env, 60));
        wal_rig_play(rig, 20 + env_random_below(&rig->env, 400));
        wal_rig_crash(rig, env_random_below(&rig->env, 4) > 0);
        do {
            /* Some starts are cut short themselves. */
            if (env_random_below(&rig->env, 3) == 0)
                disk_cut_stop_at(rig->disk, 1 + env_random_below(&rig->env, 4));
            wrong = wal_rig_start(rig);
            if (!disk_cut_is_stopped(rig->disk))
                break;
            wrong = NULL;
            if (rig->wal != NULL)
                wal_rig_crash(rig, true);
            else
                disk_cut_power(rig->disk);
        } while (true);
        disk_cut_stop_at(rig->disk, 0);
    }
    return wrong;
}

static void
acknowledged_batches_survive_cuts_and_kills_at_random_points(void **state)
{
    uint64_t cuts = 0, durable = 0, heads = 0;

    (void)state;
    for (uint64_t seed = 0; seed < RANDOM_SEEDS; seed++) {
        struct wal_rig *rig = rig_new(seed, seed % 4 != 0);
        const char *wrong = play_and_crash(rig, STARTS, false);

        if (wrong != NULL)
            fail_msg("seed %llu, start %zu: %s", (unsigned long long)seed, rig->starts, wrong);
        cuts += disk_cut_counts(rig->disk)->cuts;
        durable += rig->durable_count;
        heads += rig->heads_count;
        wal_rig_free(rig);
    }
    print_message("# %llu power cuts, %llu batches acknowledged, %llu found by their heads\n",
        (unsigned long long)cuts, (unsigned long long)durable, (unsigned long long)heads);
    assert_true(cuts >= 1000);
    assert_true(durable >= 10 * cuts);
    assert_true(heads >= durable / 20);
}

static void
acknowledged_batches_survive_failed_syncs_and_full_disks_too(void **state)
{
    uint64_t cuts = 0, lost = 0;

    (void)state;
    for (uint64_t seed = 0; seed < RANDOM_SEEDS; seed++) {
        struct wal_rig *rig = rig_new(seed + 5000, seed % 4 != 0);
        const char *wrong = play_and_crash(rig, STARTS, true);

        if (wrong != NULL)
            fail_msg("seed %llu, start %zu: %s", (unsigned long long)seed, rig->starts, wrong);
        cuts += disk_cut_counts(rig->disk)->cuts;
        lost += rig->lost_count;
        wal_rig_free(rig);
    }
    print_message("# %llu power cuts, %llu batches reported lost\n", (unsigned long long)cuts,
        (unsigned long long)lost);
    assert_true(lost > 100);
}

/* --- fixed histories -------------------------------------------------------------------------- */

enum move_kind { END, APPEND, TRIM, SPOIL };

/* One move and what it is about: bytes of a batch, a sequence, or the sync that will fail. */
struct move {
    enum move_kind kind;
    uint64_t value;
};

/* Files with several groups and one group larger than a file; files are recycled and used again. */
static const struct move plain_history[] = {{APPEND, 500}, {APPEND, 9000}, {APPEND, 9000},
    {APPEND, 20000}, {APPEND, 9000}, {APPEND, 9000}, {TRIM, 2}, {APPEND, 50000}, {TRIM, 4},
    {APPEND, 9000}, {APPEND, 3000}, {APPEND, 9000}, {APPEND, 9000}, {TRIM, 7}, {APPEND, 9000},
    {APPEND, 9000}, {END, 0}};

/* The oldest file cannot be cleared, because a sync fails, and is removed. */
static const struct move spoilt_history[] = {{APPEND, 9000}, {APPEND, 9000}, {APPEND, 9000},
    {APPEND, 9000}, {APPEND, 9000}, {APPEND, 9000}, {SPOIL, 1}, {TRIM, 2}, {TRIM, 2},
    {APPEND, 9000}, {APPEND, 9000}, {END, 0}};

static const struct move *const histories[] = {plain_history, spoilt_history};

/*
 * What a sync is good for can show long after it, or never, where the history takes care of it by
 * chance. So it is looked for in two ways: behind the sync that is left out the history goes on, or
 * takes a detour: everything is trimmed.
 */
static void
history_play(struct wal_rig *rig, const struct move *move, bool detour)
{
    for (; move->kind != END; move++) {
        if (detour && !disk_cut_fault_is_due(rig->disk, DISK_CUT_OMIT_SYNC)) {
            wal_rig_trim(rig, UINT64_MAX);
            wal_rig_settle(rig);
            return;
        }
        if (move->kind == APPEND)
            wal_rig_append(rig, (int)(rig->batch_count % WAL_RIG_PARTITIONS), move->value);
        else if (move->kind == TRIM)
            wal_rig_trim(rig, move->value);
        else
            disk_cut_fault(rig->disk, DISK_CUT_FAIL_SYNC, move->value);
        wal_rig_settle(rig);
    }
}

/* How many steps and syncs a history has, from the first start on. */
static void
measure(const struct move *history, uint64_t *steps, uint64_t *syncs)
{
    struct wal_rig *rig = rig_new(0, has_index);

    assert_null(wal_rig_start(rig));
    history_play(rig, history, false);
    assert_null(rig->wrong);
    *steps = disk_cut_counts(rig->disk)->steps;
    *syncs = disk_cut_counts(rig->disk)->syncs;
    wal_rig_free(rig);
}

/* Starts on an empty disk, leaves out a sync (0: none) and stops in the middle of a step. */
static struct wal_rig *
run_until(const struct move *history, uint64_t seed, uint64_t stop, uint64_t omitted_sync)
{
    struct wal_rig *rig = rig_new(seed, has_index);
    const char *wrong;
    struct err e;

    disk_cut_stop_at(rig->disk, stop);
    disk_cut_fault(rig->disk, DISK_CUT_OMIT_SYNC, omitted_sync);
    if (wal_rig_open(rig, &wrong, &e) == RC_OK) {
        history_play(rig, history, omitted_sync != 0 && seed % 2 == 1);
        assert_null(rig->wrong);
        wal_rig_crash(rig, false);
    }
    return rig;
}

/* Starts again, goes on by a trim of everything, by some groups, or by both, and loses the power.
 * The seed decides. */
static const char *
go_on_and_cut(struct wal_rig *rig, uint64_t seed)
{
    const char *wrong = wal_rig_start(rig);

    if (wrong != NULL)
        return wrong;
    if (seed % 3 != 0) {
        for (size_t id = 0; id < rig->batch_count; id++)
            if (rig->sequence_max < rig->batches[id].sequence)
                rig->sequence_max = rig->batches[id].sequence;
        wal_rig_trim(rig, UINT64_MAX);
        wal_rig_settle(rig);
    }
    for (int i = 0; i < 3 && seed % 3 != 1; i++) {
        wal_rig_append(rig, i, 0);
        wal_rig_settle(rig);
    }
    wal_rig_crash(rig, true);
    return wal_rig_start(rig);
}

static void
a_cut_or_kill_at_every_step_loses_nothing(void **state)
{
    uint64_t steps, syncs, cuts = 0;

    (void)state;
    for (size_t h = 0; h < sizeof histories / sizeof *histories; h++) {
        measure(histories[h], &steps, &syncs);
        assert_true(steps > 30 && syncs > 12);
        for (uint64_t stop = 1; stop <= steps + 1; stop++)
            for (uint64_t seed = 0; seed < 60; seed++) {
                struct wal_rig *rig = run_until(histories[h], seed, stop, 0);
                const char *wrong;

                if (seed % 4 == 0)
                    disk_cut_power(rig->disk);
                else
                    disk_cut_kill(rig->disk);
                wrong = go_on_and_cut(rig, seed);
                if (wrong != NULL)
                    fail_msg("history %zu, stop %d, seed %d: %s", h, (int)stop, (int)seed, wrong);
                cuts += disk_cut_counts(rig->disk)->cuts;
                wal_rig_free(rig);
            }
    }
    print_message("# %llu power cuts\n", (unsigned long long)cuts);
}

/* True where leaving out the sync shows at some stop and seed. */
static bool
sync_is_missed(const struct move *history, uint64_t steps, uint64_t omitted_sync)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        for (uint64_t stop = 1; stop <= steps + 1; stop++) {
            struct wal_rig *rig = run_until(history, seed, stop, omitted_sync);
            bool missed;

            disk_cut_power(rig->disk);
            missed = wal_rig_start(rig) != NULL;
            wal_rig_free(rig);
            if (missed)
                return true;
        }
    return false;
}

static void
no_sync_of_a_running_wal_can_be_left_out(void **state)
{
    uint64_t steps, syncs;

    (void)state;
    for (size_t h = 0; h < sizeof histories / sizeof *histories; h++) {
        measure(histories[h], &steps, &syncs);
        for (uint64_t k = 1; k <= syncs; k++)
            if (!sync_is_missed(histories[h], steps, k))
                fail_msg(
                    "history %zu: without sync %d of %d nothing is lost", h, (int)k, (int)syncs);
    }
}

/* The process is killed, starts again without its k-th sync, goes on, and the power goes. */
static bool
start_sync_is_missed(const struct move *history, uint64_t k)
{
    uint64_t steps, syncs;

    measure(history, &steps, &syncs);
    for (uint64_t seed = 0; seed < 20; seed++)
        for (uint64_t stop = 1; stop <= steps + 1; stop++) {
            struct wal_rig *rig = run_until(history, seed, stop, 0);
            bool missed;

            disk_cut_kill(rig->disk);
            disk_cut_fault(rig->disk, DISK_CUT_OMIT_SYNC, k);
            missed = go_on_and_cut(rig, seed) != NULL;
            wal_rig_free(rig);
            if (missed)
                return true;
        }
    return false;
}

/* The folder that holds the WAL, the last group, a file that was being emptied, names in the WAL's
 * folder: each can be what the process before had just not synced. */
static void
no_sync_of_a_start_can_be_left_out(void **state)
{
    enum { SYNCS = 4 };
    struct wal_rig *rig = rig_new(0, has_index);
    uint64_t syncs;

    (void)state;
    assert_null(wal_rig_start(rig));
    history_play(rig, plain_history, false);
    wal_rig_crash(rig, false);
    syncs = disk_cut_counts(rig->disk)->syncs;
    assert_null(wal_rig_start(rig));
    assert_int_equal(disk_cut_counts(rig->disk)->syncs, syncs + 2);
    wal_rig_free(rig);
    for (uint64_t k = 1; k <= SYNCS; k++)
        if (!start_sync_is_missed(plain_history, k) && !start_sync_is_missed(spoilt_history, k))
            fail_msg("without sync %d of a start nothing is lost", (int)k);
    assert_true(start_sync_is_missed(spoilt_history, 3));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_batches_survive_cuts_and_kills_at_random_points),
        cmocka_unit_test(acknowledged_batches_survive_failed_syncs_and_full_disks_too),
        cmocka_unit_test_setup(a_cut_or_kill_at_every_step_loses_nothing, without_index),
        cmocka_unit_test_setup(a_cut_or_kill_at_every_step_loses_nothing, with_index),
        cmocka_unit_test_setup(no_sync_of_a_running_wal_can_be_left_out, without_index),
        cmocka_unit_test_setup(no_sync_of_a_running_wal_can_be_left_out, with_index),
        cmocka_unit_test_setup(no_sync_of_a_start_can_be_left_out, without_index),
        cmocka_unit_test_setup(no_sync_of_a_start_can_be_left_out, with_index),
    };

    log_capture_quiet();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
