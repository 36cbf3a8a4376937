#include "lib/base/work.h"

#include <pthread.h>
#include <stdbool.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define JOBS 1000

struct job {
    struct work_job job;
    int number;
    struct work *work; /* to submit once more to */
    pthread_t ran_on;
};

static int run_order[JOBS], done_order[JOBS], run_count, done_count;
static int wake_fds[2];

static void
run(struct work_job *job)
{
    struct job *j = (struct job *)(void *)job;

    j->ran_on = pthread_self();
    run_order[run_count++] = j->number;
}

static void
done(struct work_job *job)
{
    struct job *j = (struct job *)(void *)job;

    done_order[done_count++] = j->number;
    if (j->work != NULL) {
        struct work *work = j->work;

        j->work = NULL;
        work_submit(work, 0, job);
    }
}

static void
wake(void *arg)
{
    (void)arg;
    assert_int_equal(write(wake_fds[1], "w", 1), 1);
}

static int
setup(void **state)
{
    (void)state;
    run_count = done_count = 0;
    return pipe(wake_fds);
}

static int
teardown(void **state)
{
    (void)state;
    close(wake_fds[0]);
    close(wake_fds[1]);
    return 0;
}

static void
submit(struct work *work, unsigned lane, struct job *jobs, int count)
{
    for (int i = 0; i < count; i++) {
        jobs[i] = (struct job){.job = {.run = run, .done = done}, .number = i};
        work_submit(work, lane, &jobs[i].job);
    }
}

static void
without_threads_nothing_runs_by_itself(void **state)
{
    struct work *work = work_new(2, false, NULL, NULL);
    struct job jobs[3];

    (void)state;
    submit(work, 1, jobs, 3);
    assert_int_equal(work_pending(work, 1), 3);
    assert_int_equal(work_pending(work, 0), 0);
    assert_int_equal(work_reap(work), 0);
    assert_int_equal(run_count, 0);
    assert_false(work_step(work, 0));
    assert_true(work_step(work, 1));
    assert_int_equal(run_count, 1);
    assert_int_equal(done_count, 0);
    assert_int_equal(work_pending(work, 1), 3);
    assert_int_equal(work_reap(work), 1);
    assert_int_equal(done_count, 1);
    assert_int_equal(work_pending(work, 1), 2);
    assert_true(work_step(work, 1));
    assert_true(work_step(work, 1));
    assert_false(work_step(work, 1));
    assert_int_equal(work_reap(work), 2);
    work_free(work);
    work_free(NULL);
}

static void
free_runs_what_is_queued_and_what_its_done_submits(void **state)
{
    struct work *work = work_new(1, false, NULL, NULL);
    struct job jobs[5];

    (void)state;
    submit(work, 0, jobs, 5);
    jobs[4].work = work;
    work_free(work);
    assert_int_equal(run_count, 6);
    assert_int_equal(done_count, 6);
    assert_int_equal(done_order[5], 4);
}

/* Reads the wake-ups of `count` jobs and reaps meanwhile. */
static void
reap_until(struct work *work, int count)
{
    char byte;

    while (done_count < count) {
        assert_int_equal(read(wake_fds[0], &byte, 1), 1);
        (void)work_reap(work);
    }
}

static void
a_lane_runs_its_jobs_in_order_on_a_thread_of_its_own(void **state)
{
    struct work *work = work_new(1, true, wake, NULL);
    static struct job jobs[JOBS];

    (void)state;
    submit(work, 0, jobs, JOBS);
    reap_until(work, JOBS);
    assert_int_equal(work_pending(work, 0), 0);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(run_order[i], i);
        assert_int_equal(done_order[i], i);
        assert_true(pthread_equal(jobs[i].ran_on, jobs[0].ran_on));
        assert_false(pthread_equal(jobs[i].ran_on, pthread_self()));
    }
    work_free(work);
}

static int gate[2]; /* a job waits here for a byte */

static void
run_behind_gate(struct work_job *job)
{
    char byte;

    (void)job;
    assert_int_equal(read(gate[0], &byte, 1), 1);
}

static void
a_lane_that_is_held_up_does_not_hold_up_another(void **state)
{
    struct work *work = work_new(2, true, wake, NULL);
    struct job slow = {.job = {.run = run_behind_gate, .done = done}, .number = 99}, fast[3];

    (void)state;
    assert_int_equal(pipe(gate), 0);
    work_submit(work, 0, &slow.job);
    submit(work, 1, fast, 3);
    reap_until(work, 3);
    assert_int_equal(work_pending(work, 0), 1);
    assert_int_equal(write(gate[1], "x", 1), 1);
    reap_until(work, 4);
    assert_int_equal(done_order[3], 99);
    work_free(work);
    close(gate[0]);
    close(gate[1]);
}

static pid_t owner;
static bool owner_slept;

/* Looks at the owner's thread until it sleeps; one that spins never does. */
static void
run_until_owner_sleeps(struct work_job *job)
{
    char path[64], line[256];

    (void)job;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)owner);
    for (int i = 0; i < 100000 && !owner_slept; i++) {
        FILE *file = fopen(path, "r");
        const char *end;

        if (file == NULL)
            return;
        end = fgets(line, sizeof line, file) == NULL ? NULL : strrchr(line, ')');
        owner_slept = end != NULL && end[2] == 'S';
        fclose(file);
    }
}

static void
free_sleeps_until_what_runs_is_done(void **state)
{
    struct work *work = work_new(1, true, wake, NULL);
    struct job slow = {.job = {.run = run_until_owner_sleeps, .done = done}, .number = 1};

    (void)state;
    owner = gettid();
    owner_slept = false;
    work_submit(work, 0, &slow.job);
    work_free(work);
    assert_int_equal(done_count, 1);
    assert_true(owner_slept);
}

static void
free_of_a_threaded_lane_also_runs_what_done_submits(void **state)
{
    struct work *work = work_new(3, true, wake, NULL);
    struct job jobs[20];

    (void)state;
    submit(work, 0, jobs, 20);
    jobs[3].work = jobs[19].work = work;
    work_free(work);
    assert_int_equal(done_count, 22);
}

/* Those of another lane stay where they are. */
static void
who_waits_for_a_lane_has_its_jobs_done(void **state)
{
    (void)state;
    for (int threaded = 0; threaded < 2; threaded++) {
        struct work *work = work_new(2, threaded == 1, threaded == 1 ? wake : NULL, NULL);
        struct job jobs[3] = {0}, other[1] = {0};

        run_count = done_count = 0;
        work_wait(work, 0);
        submit(work, 0, jobs, 3);
        jobs[2].work = work; /* is submitted once more when it is done */
        work_wait(work, 0);
        assert_int_equal(done_count, 4);
        assert_int_equal(work_pending(work, 0), 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(done_order[i], i);
        submit(work, 1, other, 1);
        work_wait(work, 0);
        assert_int_equal(done_count, 4);
        assert_int_equal(work_pending(work, 1), 1);
        work_free(work);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_threads_nothing_runs_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(
            free_runs_what_is_queued_and_what_its_done_submits, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_lane_runs_its_jobs_in_order_on_a_thread_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_lane_that_is_held_up_does_not_hold_up_another, setup, teardown),
        cmocka_unit_test_setup_teardown(who_waits_for_a_lane_has_its_jobs_done, setup, teardown),
        cmocka_unit_test_setup_teardown(free_sleeps_until_what_runs_is_done, setup, teardown),
        cmocka_unit_test_setup_teardown(
            free_of_a_threaded_lane_also_runs_what_done_submits, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
