/*
 * top_worker: a thread of the dashboard that works, pauses, and works again.
 *
 * The screen must never wait for the network, not at its end either: a worker that hangs in a
 * request when it is stopped is left behind.
 */
#ifndef CLI_TOP_WORKER_H
#define CLI_TOP_WORKER_H

#include <stdbool.h>
#include <stdint.h>

struct top_worker;

/* Runs on the thread; ends soon after top_worker_pause returned false. */
typedef void top_worker_fn(void *arg, struct top_worker *worker);

/* top_worker_start begins. The worker is known to its function from the first moment on. */
struct top_worker *top_worker_start(top_worker_fn *fn, void *arg);

/* top_worker_pause waits, on the worker's thread; false as soon as the worker is to end. */
bool top_worker_pause(struct top_worker *worker, int64_t pause_ms);

/* top_worker_lock and _unlock guard what the thread shares with the others. */
void top_worker_lock(struct top_worker *worker);
void top_worker_unlock(struct top_worker *worker);

/* top_worker_stop ends and frees. False where the thread still works after patience_ms: then it and
 * all that it uses must stay as they are until the process ends. */
bool top_worker_stop(struct top_worker *worker, int64_t patience_ms);

#endif
