/*
 * loop: one thread that waits for descriptors, timers, signals and other threads, and calls back.
 *
 * The loop belongs to the thread that runs it; every function but loop_post is for that thread
 * only. It goes in rounds: wait, descriptors, timers that are due, posted tasks, the tick (what the
 * owner wants done once per round), then what was deferred. Times are microseconds of a monotonic
 * clock, which is read once per round.
 *
 * The only module that includes libevent's headers.
 */
#ifndef LIB_NET_LOOP_H
#define LIB_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/heap.h"
#include "lib/base/list.h"

struct loop;
struct loop_fd;

typedef void loop_fn(void *arg);

/* New, run, free. */

MUST_CHECK enum rc loop_new(struct loop **out, struct err *e);

/* loop_free runs what is deferred and posted, then frees; NULL is accepted. Its loop_fd and signals
 * must be gone, and no thread may post any more. */
void loop_free(struct loop *loop);

/* loop_run goes round until loop_stop is called in a callback. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* loop_step goes one round, and waits at most timeout_us for something to happen; -1 waits without
 * end. */
void loop_step(struct loop *loop, int64_t timeout_us);

/* loop_now_us is the time of the round, or the clock's when called outside of one. */
int64_t loop_now_us(const struct loop *loop);
int64_t loop_now_ms(const struct loop *loop);

/* loop_set_tick has fn called once per round. */
void loop_set_tick(struct loop *loop, loop_fn *fn, void *arg);

/* Timers: embedded in their owner, zeroed at first. One that is set again moves. */

struct loop_timer {
    struct heap_node node;
    loop_fn *fn;
    void *arg;
};

/* loop_timer_set has fn called once at or after deadline_us; a deadline in the past means the next
 * round. */
void loop_timer_set(
    struct loop *loop, struct loop_timer *timer, int64_t deadline_us, loop_fn *fn, void *arg);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);
bool loop_timer_is_set(const struct loop_timer *timer);

/* Descriptors. */

#define LOOP_READ 1U
#define LOOP_WRITE 2U

typedef void loop_fd_fn(void *arg, unsigned events);

/* loop_fd_new watches nothing until loop_fd_want says what (LOOP_READ | LOOP_WRITE). fn is called
 * as long as the descriptor is ready. */
struct loop_fd *loop_fd_new(struct loop *loop, int fd, loop_fd_fn *fn, void *arg);
void loop_fd_want(struct loop_fd *watch, unsigned events);

/* loop_fd_free stops watching, at once, also inside of fn; the descriptor stays open. NULL is
 * accepted. */
void loop_fd_free(struct loop_fd *watch);

/* Later, and from elsewhere. */

/* loop_defer calls fn at the end of this round: the place to free what may still be in use further
 * up. */
void loop_defer(struct loop *loop, loop_fn *fn, void *arg);

/* loop_run_deferred runs what is deferred, and what that defers, a few times: outside of a round,
 * for who has begun something that is to go out, and computes for long before the next round. */
void loop_run_deferred(struct loop *loop);

/* A task is zeroed at first, belongs to its poster and must stay until it ran or was canceled. */
struct loop_task {
    struct list_node node;
    loop_fn *fn;
    void *arg;
};

/* loop_post has task->fn called on the loop's thread. For any thread. A task that is posted already
 * stays posted once. */
void loop_post(struct loop *loop, struct loop_task *task);

/* loop_task_cancel takes a posted task back; the poster makes sure that nobody posts it anew. */
void loop_task_cancel(struct loop *loop, struct loop_task *task);

/* loop_signal_add has fn called for a signal of the process; several may be watched. Only one loop
 * of a process can watch signals. loop_signal_clear forgets all of them. */
void loop_signal_add(struct loop *loop, int signal_number, loop_fn *fn, void *arg);
void loop_signal_clear(struct loop *loop);

#endif
