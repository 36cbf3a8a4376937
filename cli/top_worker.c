#include "cli/top_worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/blob.h"
#include "lib/base/xalloc.h"

struct top_worker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t stop_asked;
    bool stopping;
    top_worker_fn *fn;
    void *arg;
};

static struct timespec
time_after(int64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static void *
worker_main(void *arg)
{
    struct top_worker *worker = arg;

    worker->fn(worker->arg, worker);
    blob_trim();
    return NULL;
}

struct top_worker *
top_worker_start(top_worker_fn *fn, void *arg)
{
    struct top_worker *worker = xcalloc(1, sizeof *worker);

    worker->fn = fn;
    worker->arg = arg;
    REQUIRE(pthread_mutex_init(&worker->mutex, NULL) == 0);
    REQUIRE(pthread_cond_init(&worker->stop_asked, NULL) == 0);
    REQUIRE(pthread_create(&worker->thread, NULL, worker_main, worker) == 0);
    return worker;
}

bool
top_worker_pause(struct top_worker *worker, int64_t pause_ms)
{
    struct timespec until = time_after(pause_ms);
    bool stopping;

    pthread_mutex_lock(&worker->mutex);
    while (!worker->stopping &&
           pthread_cond_timedwait(&worker->stop_asked, &worker->mutex, &until) != ETIMEDOUT)
        continue;
    stopping = worker->stopping;
    pthread_mutex_unlock(&worker->mutex);
    return !stopping;
}

void
top_worker_lock(struct top_worker *worker)
{
    pthread_mutex_lock(&worker->mutex);
}

void
top_worker_unlock(struct top_worker *worker)
{
    pthread_mutex_unlock(&worker->mutex);
}

bool
top_worker_stop(struct top_worker *worker, int64_t patience_ms)
{
    struct timespec until = time_after(patience_ms);

    pthread_mutex_lock(&worker->mutex);
    worker->stopping = true;
    pthread_cond_signal(&worker->stop_asked);
    pthread_mutex_unlock(&worker->mutex);
    if (pthread_timedjoin_np(worker->thread, NULL, &until) != 0)
        return false;
    pthread_cond_destroy(&worker->stop_asked);
    pthread_mutex_destroy(&worker->mutex);
    free(worker);
    return true;
}
