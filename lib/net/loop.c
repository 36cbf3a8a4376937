#include "lib/net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "lib/base/env.h"
#include "lib/base/xalloc.h"

/* A request of a fan is deferred by the fan, its connection and its socket. */
#define DEFERRED_DEPTH 4

struct deferred {
    loop_fn *fn;
    void *arg;
};

struct watched_signal {
    struct list_node node;
    struct event *event;
    loop_fn *fn;
    void *arg;
};

struct loop {
    struct event_base *base;
    struct event *alarm; /* ends the wait when a timer is due */
    struct event *wake;  /* ends it when a task was posted */
    int wake_fd;
    struct env env;
    int64_t now_us;
    struct heap timers;
    struct list signals;
    struct deferred *deferred;
    size_t deferred_count;
    size_t deferred_capacity;
    loop_fn *tick;
    void *tick_arg;
    bool stopped;
    bool in_round;

    pthread_mutex_t lock; /* guards what follows */
    struct list posted;
    bool wake_sent;
};

struct loop_fd {
    struct loop *loop;
    struct event *read;
    struct event *write;
    loop_fd_fn *fn;
    void *arg;
    unsigned wanted;
};

/* The first callback after a wait reads the clock for the whole round. */
static void
round_begin(struct loop *loop)
{
    if (loop->in_round)
        return;
    loop->now_us = env_now_us(&loop->env);
    loop->in_round = true;
}

static void
on_alarm(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void)what;
    (void)arg;
    /* EAGAIN: somebody else's round has emptied it, which is as good. */
    REQUIRE(read(fd, &count, sizeof count) == (ssize_t)sizeof count || errno == EAGAIN);
}

enum rc
loop_new(struct loop **out, struct err *e)
{
    struct event_config *config = event_config_new();
    struct loop *loop = xcalloc(1, sizeof *loop);

    REQUIRE(config != NULL && pthread_mutex_init(&loop->lock, NULL) == 0);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->base == NULL || loop->wake_fd < 0) {
        int number = errno;

        if (loop->base != NULL)
            event_base_free(loop->base);
        pthread_mutex_destroy(&loop->lock);
        free(loop);
        return err_set_errno(e, RC_IO, number, "cannot make an event loop");
    }
    loop->alarm = evtimer_new(loop->base, on_alarm, NULL);
    loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, NULL);
    REQUIRE(loop->alarm != NULL && loop->wake != NULL && event_add(loop->wake, NULL) == 0);
    env_init_real(&loop->env);
    loop->now_us = env_now_us(&loop->env);
    heap_init(&loop->timers);
    list_init(&loop->signals);
    list_init(&loop->posted);
    *out = loop;
    return RC_OK;
}

static void
posted_run(struct loop *loop)
{
    struct list_node *node;
    size_t count;

    pthread_mutex_lock(&loop->lock);
    loop->wake_sent = false;
    /* A task may post itself again: that is for the next round. */
    count = loop->posted.count;
    pthread_mutex_unlock(&loop->lock);
    for (; count > 0; count--) {
        struct loop_task *task;

        pthread_mutex_lock(&loop->lock);
        node = list_pop(&loop->posted);
        pthread_mutex_unlock(&loop->lock);
        if (node == NULL)
            return;
        task = list_of(node, struct loop_task, node);
        task->fn(task->arg);
    }
}

static void
deferred_run(struct loop *loop)
{
    size_t count = loop->deferred_count;

    for (size_t i = 0; i < count; i++) {
        struct deferred next = loop->deferred[i];

        next.fn(next.arg);
    }
    loop->deferred_count -= count;
    if (count > 0)
        memmove(
            loop->deferred, loop->deferred + count, loop->deferred_count * sizeof *loop->deferred);
}

void
loop_run_deferred(struct loop *loop)
{
    for (int i = 0; i < DEFERRED_DEPTH && loop->deferred_count > 0; i++)
        deferred_run(loop);
}

void
loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    posted_run(loop);
    while (loop->deferred_count > 0)
        deferred_run(loop);
    REQUIRE(list_is_empty(&loop->signals));
    heap_fini(&loop->timers);
    event_free(loop->alarm);
    event_free(loop->wake);
    event_base_free(loop->base);
    close(loop->wake_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop->deferred);
    free(loop);
}

static void
timers_run(struct loop *loop)
{
    struct heap_node *node;

    while ((node = heap_pop_due(&loop->timers, loop->now_us)) != NULL) {
        struct loop_timer *timer = list_of(node, struct loop_timer, node);

        timer->fn(timer->arg);
    }
}

/* How long the wait may take, in microseconds; -1 for ever. */
static int64_t
wait_us(struct loop *loop, int64_t timeout_us)
{
    struct heap_node *first = heap_first(&loop->timers);
    int64_t left_us;

    if (loop->deferred_count > 0)
        return 0;
    if (first == NULL)
        return timeout_us;
    left_us = first->deadline - env_now_us(&loop->env);
    if (left_us < 0)
        left_us = 0;
    return timeout_us < 0 || left_us < timeout_us ? left_us : timeout_us;
}

void
loop_step(struct loop *loop, int64_t timeout_us)
{
    int64_t left_us = wait_us(loop, timeout_us);

    if (left_us > 0) {
        struct timeval tv = {left_us / 1000000, left_us % 1000000};

        REQUIRE(event_add(loop->alarm, &tv) == 0);
    }
    loop->in_round = false;
    REQUIRE(event_base_loop(loop->base, left_us == 0 ? EVLOOP_NONBLOCK : EVLOOP_ONCE) >= 0);
    round_begin(loop);
    if (left_us > 0)
        event_del(loop->alarm);
    timers_run(loop);
    posted_run(loop);
    if (loop->tick != NULL)
        loop->tick(loop->tick_arg);
    deferred_run(loop);
    loop->in_round = false;
}

void
loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped)
        loop_step(loop, -1);
}

void
loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

int64_t
loop_now_us(const struct loop *loop)
{
    /* Between two rounds the owner may have been busy for long. */
    return loop->in_round ? loop->now_us : env_now_us(&loop->env);
}

int64_t
loop_now_ms(const struct loop *loop)
{
    return loop_now_us(loop) / 1000;
}

void
loop_set_tick(struct loop *loop, loop_fn *fn, void *arg)
{
    loop->tick = fn;
    loop->tick_arg = arg;
}

void
loop_timer_set(
    struct loop *loop, struct loop_timer *timer, int64_t deadline_us, loop_fn *fn, void *arg)
{
    /* Never due in the round that is under way, so that a timer which sets itself anew does not
     * hold it up. */
    if (deadline_us <= loop->now_us)
        deadline_us = loop->now_us + 1;
    timer->fn = fn;
    timer->arg = arg;
    heap_put(&loop->timers, &timer->node, deadline_us);
}

void
loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
    heap_remove(&loop->timers, &timer->node);
}

bool
loop_timer_is_set(const struct loop_timer *timer)
{
    return timer->node.place != 0;
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct loop_fd *watch = arg;

    (void)fd;
    round_begin(watch->loop);
    watch->fn(watch->arg, what & EV_READ ? LOOP_READ : LOOP_WRITE);
}

struct loop_fd *
loop_fd_new(struct loop *loop, int fd, loop_fd_fn *fn, void *arg)
{
    struct loop_fd *watch = xcalloc(1, sizeof *watch);

    watch->loop = loop;
    watch->fn = fn;
    watch->arg = arg;
    watch->read = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_ready, watch);
    watch->write = event_new(loop->base, fd, EV_WRITE | EV_PERSIST, on_ready, watch);
    REQUIRE(watch->read != NULL && watch->write != NULL);
    return watch;
}

static void
event_switch(struct event *event, bool on)
{
    REQUIRE((on ? event_add(event, NULL) : event_del(event)) == 0);
}

void
loop_fd_want(struct loop_fd *watch, unsigned events)
{
    unsigned changed = watch->wanted ^ events;

    if (changed & LOOP_READ)
        event_switch(watch->read, events & LOOP_READ);
    if (changed & LOOP_WRITE)
        event_switch(watch->write, events & LOOP_WRITE);
    watch->wanted = events;
}

void
loop_fd_free(struct loop_fd *watch)
{
    if (watch == NULL)
        return;
    event_free(watch->read);
    event_free(watch->write);
    free(watch);
}

void
loop_defer(struct loop *loop, loop_fn *fn, void *arg)
{
    if (loop->deferred_count == loop->deferred_capacity) {
        loop->deferred_capacity = loop->deferred_capacity == 0 ? 16 : 2 * loop->deferred_capacity;
        loop->deferred = xrealloc(loop->deferred, loop->deferred_capacity, sizeof *loop->deferred);
    }
    loop->deferred[loop->deferred_count++] = (struct deferred){fn, arg};
}

void
loop_post(struct loop *loop, struct loop_task *task)
{
    static const uint64_t one = 1;

    pthread_mutex_lock(&loop->lock);
    if (!list_is_linked(&task->node))
        list_push_back(&loop->posted, &task->node);
    if (!loop->wake_sent) {
        loop->wake_sent = true;
        REQUIRE(write(loop->wake_fd, &one, sizeof one) == (ssize_t)sizeof one);
    }
    pthread_mutex_unlock(&loop->lock);
}

void
loop_task_cancel(struct loop *loop, struct loop_task *task)
{
    pthread_mutex_lock(&loop->lock);
    list_remove(&loop->posted, &task->node);
    pthread_mutex_unlock(&loop->lock);
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
    struct watched_signal *watched = arg;

    (void)fd;
    (void)what;
    watched->fn(watched->arg);
}

void
loop_signal_add(struct loop *loop, int signal_number, loop_fn *fn, void *arg)
{
    struct watched_signal *watched = xcalloc(1, sizeof *watched);

    watched->fn = fn;
    watched->arg = arg;
    watched->event = evsignal_new(loop->base, signal_number, on_signal, watched);
    REQUIRE(watched->event != NULL && event_add(watched->event, NULL) == 0);
    list_push_back(&loop->signals, &watched->node);
}

void
loop_signal_clear(struct loop *loop)
{
    struct list_node *node;

    while ((node = list_pop(&loop->signals)) != NULL) {
        struct watched_signal *watched = list_of(node, struct watched_signal, node);

        event_free(watched->event);
        free(watched);
    }
}
