/* Every wait here ends by a fact: a timer that is due, a byte that was written, a task posted. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "lib/net/loop.h"

/* Arguments of callbacks, which are not const. */
#define TEXT(text) ((char[]){text})

static struct loop *loop;
static char trace[256];

static int
start(void **state)
{
    (void)state;
    trace[0] = '\0';
    return loop_new(&loop, NULL) == RC_OK ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void
note(void *arg)
{
    strncat(trace, arg, sizeof trace - strlen(trace) - 1);
}

static void
stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void
timers_fire_in_the_order_of_their_deadlines(void **state)
{
    struct loop_timer a = {.fn = NULL}, b = a, c = a, d = a, last = a;
    int64_t now_us = loop_now_us(loop);

    (void)state;
    loop_timer_set(loop, &c, now_us + 3000, note, TEXT("c"));
    loop_timer_set(loop, &a, now_us - 5, note, TEXT("a"));
    loop_timer_set(loop, &b, now_us + 2000, note, TEXT("b"));
    loop_timer_set(loop, &d, now_us + 1000, note, TEXT("d"));
    loop_timer_cancel(loop, &d);
    assert_false(loop_timer_is_set(&d));
    assert_true(loop_timer_is_set(&b));
    loop_timer_set(loop, &b, now_us + 4000, note, TEXT("b"));
    loop_timer_set(loop, &last, now_us + 5000, stop, NULL);
    loop_run(loop);
    assert_string_equal(trace, "acb");
    assert_true(loop_now_us(loop) >= now_us + 5000);
}

struct again {
    struct loop_timer timer;
    int count;
};

static void
set_again(void *arg)
{
    struct again *again = arg;

    if (++again->count == 1000)
        loop_stop(loop);
    else
        loop_timer_set(loop, &again->timer, 0, set_again, again);
}

static void
a_timer_that_sets_itself_anew_lets_the_others_run(void **state)
{
    struct again a = {.count = 0}, b = {.count = 0};

    (void)state;
    set_again(&a);
    set_again(&b);
    loop_run(loop);
    assert_true(a.count >= 999 && b.count >= 998);
}

struct pipe_end {
    struct loop_fd *watch;
    int fd;
    int reads;
};

static void
on_pipe_read(void *arg, unsigned events)
{
    struct pipe_end *end_of = arg;
    char byte;

    assert_int_equal(events, LOOP_READ);
    assert_int_equal(read(end_of->fd, &byte, 1), 1);
    if (++end_of->reads == 3) {
        loop_fd_free(end_of->watch);
        loop_stop(loop);
    }
}

static void
on_pipe_write(void *arg, unsigned events)
{
    struct pipe_end *end_of = arg;

    assert_int_equal(events, LOOP_WRITE);
    assert_int_equal(write(end_of->fd, "xyz", 3), 3);
    loop_fd_want(end_of->watch, 0);
}

static void
descriptors_are_called_as_long_as_they_are_ready(void **state)
{
    struct pipe_end in = {.reads = 0}, out = in;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    in.fd = fds[0];
    out.fd = fds[1];
    in.watch = loop_fd_new(loop, in.fd, on_pipe_read, &in);
    out.watch = loop_fd_new(loop, out.fd, on_pipe_write, &out);
    loop_step(loop, 0);
    assert_int_equal(in.reads, 0);
    loop_fd_want(in.watch, LOOP_READ);
    loop_fd_want(out.watch, LOOP_WRITE);
    loop_run(loop);
    assert_int_equal(in.reads, 3);
    loop_fd_free(out.watch);
    close(fds[0]);
    close(fds[1]);
}

#define POSTERS 4
#define POSTS 500

struct poster {
    struct loop_task tasks[POSTS];
    pthread_t thread;
};

static int posts_seen;

static void
on_post(void *arg)
{
    (void)arg;
    if (++posts_seen == POSTERS * POSTS)
        loop_stop(loop);
}

static void *
post_all(void *arg)
{
    struct poster *poster = arg;

    for (int i = 0; i < POSTS; i++) {
        poster->tasks[i].fn = on_post;
        loop_post(loop, &poster->tasks[i]);
    }
    return NULL;
}

static void
other_threads_post_and_nothing_is_lost(void **state)
{
    static struct poster posters[POSTERS];

    (void)state;
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_all, &posters[i]), 0);
    loop_run(loop);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    assert_int_equal(posts_seen, POSTERS * POSTS);
}

static void
a_task_posted_twice_runs_once_and_a_canceled_one_never(void **state)
{
    struct loop_task once = {.fn = note, .arg = TEXT("1")}, never = {.fn = note, .arg = TEXT("2")};

    (void)state;
    loop_post(loop, &once);
    loop_post(loop, &once);
    loop_post(loop, &never);
    loop_task_cancel(loop, &never);
    loop_step(loop, -1);
    loop_step(loop, 0);
    assert_string_equal(trace, "1");
    loop_post(loop, &once);
    loop_step(loop, -1);
    assert_string_equal(trace, "11");
}

static void
defer_note(void *arg)
{
    loop_defer(loop, note, arg);
    note(TEXT("t"));
}

static void
what_is_deferred_runs_after_the_tick_of_its_round(void **state)
{
    struct loop_task task = {.fn = defer_note, .arg = TEXT("d")};

    (void)state;
    loop_set_tick(loop, note, TEXT("|"));
    loop_post(loop, &task);
    loop_step(loop, -1);
    assert_string_equal(trace, "t|d");
    loop_set_tick(loop, NULL, NULL);
    loop_defer(loop, defer_note, TEXT("e"));
    /* It is not kept waiting, and what it defers itself is done in the next round. */
    loop_step(loop, -1);
    assert_string_equal(trace, "t|dt");
    loop_step(loop, -1);
    assert_string_equal(trace, "t|dte");
}

static void
defer_often(void *arg)
{
    note(arg);
    if (strlen(trace) < 20)
        loop_defer(loop, defer_often, arg);
}

static void
what_is_deferred_runs_at_once_where_that_is_asked_for(void **state)
{
    (void)state;
    loop_defer(loop, defer_note, TEXT("d"));
    loop_run_deferred(loop);
    assert_string_equal(trace, "td");
    loop_run_deferred(loop);
    assert_string_equal(trace, "td");
    /* Nobody keeps it from coming back. */
    loop_defer(loop, defer_often, TEXT("e"));
    loop_run_deferred(loop);
    assert_string_equal(trace, "tdeeee");
    loop_step(loop, -1);
    assert_string_equal(trace, "tdeeeee");
}

static void
signals_arrive_as_callbacks(void **state)
{
    (void)state;
    loop_signal_add(loop, SIGUSR1, note, TEXT("u"));
    loop_signal_add(loop, SIGUSR2, stop, NULL);
    raise(SIGUSR1);
    loop_step(loop, -1);
    assert_string_equal(trace, "u");
    raise(SIGUSR2);
    loop_run(loop);
    loop_signal_clear(loop);
}

static void
a_step_waits_no_longer_than_it_is_told(void **state)
{
    int64_t before_us = loop_now_us(loop);

    (void)state;
    loop_step(loop, 20000);
    assert_true(loop_now_us(loop) - before_us >= 20000);
    assert_int_equal(loop_now_ms(loop), loop_now_us(loop) / 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_the_order_of_their_deadlines, start, end),
        cmocka_unit_test_setup_teardown(
            a_timer_that_sets_itself_anew_lets_the_others_run, start, end),
        cmocka_unit_test_setup_teardown(
            descriptors_are_called_as_long_as_they_are_ready, start, end),
        cmocka_unit_test_setup_teardown(other_threads_post_and_nothing_is_lost, start, end),
        cmocka_unit_test_setup_teardown(
            a_task_posted_twice_runs_once_and_a_canceled_one_never, start, end),
        cmocka_unit_test_setup_teardown(
            what_is_deferred_runs_after_the_tick_of_its_round, start, end),
        cmocka_unit_test_setup_teardown(
            what_is_deferred_runs_at_once_where_that_is_asked_for, start, end),
        cmocka_unit_test_setup_teardown(signals_arrive_as_callbacks, start, end),
        cmocka_unit_test_setup_teardown(a_step_waits_no_longer_than_it_is_told, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
