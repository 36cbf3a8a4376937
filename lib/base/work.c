#include "lib/base/work.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"

struct lane {
    struct work *work;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct list queue;
    bool stopping;
    size_t pending; /* the owner's count */
    unsigned index;
};

struct work {
    struct lane lanes[WORK_LANES_MAX];
    unsigned lane_count;
    bool threaded;
    work_wake_fn *wake;
    void *wake_arg;
    pthread_mutex_t mutex;
    pthread_cond_t job_finished;
    struct list finished[WORK_LANES_MAX];
};

static void
finish(struct lane *lane, struct work_job *job)
{
    struct work *work = lane->work;

    pthread_mutex_lock(&work->mutex);
    list_push_back(&work->finished[lane->index], &job->node);
    pthread_cond_signal(&work->job_finished);
    pthread_mutex_unlock(&work->mutex);
    if (work->wake != NULL)
        work->wake(work->wake_arg);
}

static void *
lane_main(void *arg)
{
    struct lane *lane = arg;
    struct list_node *node;

    for (;;) {
        pthread_mutex_lock(&lane->mutex);
        while (list_is_empty(&lane->queue) && !lane->stopping)
            pthread_cond_wait(&lane->filled, &lane->mutex);
        node = list_pop(&lane->queue);
        pthread_mutex_unlock(&lane->mutex);
        if (node == NULL)
            return NULL;
        list_of(node, struct work_job, node)->run(list_of(node, struct work_job, node));
        finish(lane, list_of(node, struct work_job, node));
    }
}

struct work *
work_new(unsigned lanes, bool threaded, work_wake_fn *wake, void *arg)
{
    struct work *work = xcalloc(1, sizeof *work);

    REQUIRE(lanes > 0 && lanes <= WORK_LANES_MAX);
    work->lane_count = lanes;
    work->threaded = threaded;
    work->wake = wake;
    work->wake_arg = arg;
    REQUIRE(pthread_mutex_init(&work->mutex, NULL) == 0);
    REQUIRE(pthread_cond_init(&work->job_finished, NULL) == 0);
    for (unsigned i = 0; i < lanes; i++) {
        struct lane *lane = &work->lanes[i];

        lane->work = work;
        lane->index = i;
        list_init(&lane->queue);
        list_init(&work->finished[i]);
        REQUIRE(pthread_mutex_init(&lane->mutex, NULL) == 0);
        REQUIRE(pthread_cond_init(&lane->filled, NULL) == 0);
        if (threaded)
            REQUIRE(pthread_create(&lane->thread, NULL, lane_main, lane) == 0);
    }
    return work;
}

void
work_submit(struct work *work, unsigned index, struct work_job *job)
{
    struct lane *lane = &work->lanes[index];

    REQUIRE(index < work->lane_count);
    lane->pending++;
    pthread_mutex_lock(&lane->mutex);
    list_push_back(&lane->queue, &job->node);
    pthread_cond_signal(&lane->filled);
    pthread_mutex_unlock(&lane->mutex);
}

static struct work_job *
finished_pop(struct work *work, unsigned index)
{
    struct list_node *node;

    pthread_mutex_lock(&work->mutex);
    node = list_pop(&work->finished[index]);
    pthread_mutex_unlock(&work->mutex);
    return node == NULL ? NULL : list_of(node, struct work_job, node);
}

size_t
work_reap(struct work *work)
{
    size_t count = 0;

    for (unsigned i = 0; i < work->lane_count; i++) {
        struct work_job *job;

        while ((job = finished_pop(work, i)) != NULL) {
            work->lanes[i].pending--;
            job->done(job);
            count++;
        }
    }
    return count;
}

size_t
work_pending(const struct work *work, unsigned lane)
{
    return work->lanes[lane].pending;
}

bool
work_step(struct work *work, unsigned index)
{
    struct lane *lane = &work->lanes[index];
    struct list_node *node;

    REQUIRE(!work->threaded && index < work->lane_count);
    node = list_pop(&lane->queue);
    if (node == NULL)
        return false;
    list_of(node, struct work_job, node)->run(list_of(node, struct work_job, node));
    finish(lane, list_of(node, struct work_job, node));
    return true;
}

/* Until a lane has run a job. */
static void
lane_wait(struct work *work, unsigned index)
{
    pthread_mutex_lock(&work->mutex);
    while (list_is_empty(&work->finished[index]))
        pthread_cond_wait(&work->job_finished, &work->mutex);
    pthread_mutex_unlock(&work->mutex);
}

void
work_wait(struct work *work, unsigned index)
{
    while (work->lanes[index].pending > 0) {
        struct work_job *job;

        if (work->threaded)
            lane_wait(work, index);
        else
            (void)work_step(work, index);
        job = finished_pop(work, index);
        work->lanes[index].pending--;
        job->done(job);
    }
}

static bool
is_anything_finished(const struct work *work)
{
    for (unsigned i = 0; i < work->lane_count; i++)
        if (!list_is_empty(&work->finished[i]))
            return true;
    return false;
}

/* Runs a job of some lane, or waits until a lane has run one. */
static void
advance(struct work *work)
{
    if (!work->threaded) {
        for (unsigned i = 0; i < work->lane_count; i++)
            (void)work_step(work, i);
        return;
    }
    pthread_mutex_lock(&work->mutex);
    while (!is_anything_finished(work))
        pthread_cond_wait(&work->job_finished, &work->mutex);
    pthread_mutex_unlock(&work->mutex);
}

static size_t
pending_of_all(const struct work *work)
{
    size_t pending = 0;

    for (unsigned i = 0; i < work->lane_count; i++)
        pending += work->lanes[i].pending;
    return pending;
}

/* A `done` may submit again, so this goes on until nothing is left. */
static void
drain(struct work *work)
{
    while (pending_of_all(work) > 0) {
        advance(work);
        (void)work_reap(work);
    }
}

void
work_free(struct work *work)
{
    if (work == NULL)
        return;
    drain(work);
    for (unsigned i = 0; i < work->lane_count; i++) {
        struct lane *lane = &work->lanes[i];

        pthread_mutex_lock(&lane->mutex);
        lane->stopping = true;
        pthread_cond_signal(&lane->filled);
        pthread_mutex_unlock(&lane->mutex);
        if (work->threaded)
            pthread_join(lane->thread, NULL);
        pthread_cond_destroy(&lane->filled);
        pthread_mutex_destroy(&lane->mutex);
    }
    pthread_cond_destroy(&work->job_finished);
    pthread_mutex_destroy(&work->mutex);
    free(work);
}
