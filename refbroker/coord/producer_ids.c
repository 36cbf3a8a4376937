#include "refbroker/coord/producer_ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define BLOCK_IDS 1000
#define SETTING "producer_id_next"

struct job {
    struct catalog_job job;
    struct broker *broker;
    int64_t end;
};

enum rc
producer_ids_raise_stored(struct catalog *catalog, int64_t end, struct err *e)
{
    char text[24];
    enum rc rc = catalog_get_setting(catalog, SETTING, text, sizeof text, e);

    if (rc != RC_OK || strtoll(text, NULL, 10) >= end)
        return rc;
    snprintf(text, sizeof text, "%" PRId64, end);
    return catalog_put_setting(catalog, SETTING, text, e);
}

void
producer_ids_raise(struct broker *broker, int64_t end)
{
    if (end > broker->producer_id_next)
        broker->producer_id_next = end;
    if (end > broker->producer_id_end)
        broker->producer_id_end = end;
}

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;

    return producer_ids_raise_stored(catalog, job->end, e);
}

static void
job_done(struct catalog_job *catalog_job)
{
    struct job *job = (struct job *)(void *)catalog_job;
    struct broker *broker = job->broker;
    int16_t error = KE_NONE;
    struct list_node *node;

    if (catalog_job->rc != RC_OK)
        log_error("PID-BLOCK", "%s", catalog_job->err.text);
    else if (job->end > broker->producer_id_end)
        broker->producer_id_end = job->end;
    broker->producer_ids_reserving = false;
    free(job);
    while ((node = list_pop(&broker->producer_id_waiters)) != NULL) {
        struct producer_ids_waiter *waiter = list_of(node, struct producer_ids_waiter, node);

        if (broker->producer_id_next >= broker->producer_id_end)
            error = KE_COORDINATOR_NOT_AVAILABLE;
        waiter->ready(broker, waiter, error);
    }
}

static void
reserve(struct broker *broker)
{
    struct job *job;

    if (broker->producer_ids_reserving)
        return;
    broker->producer_ids_reserving = true;
    job = xcalloc(1, sizeof *job);
    job->broker = broker;
    job->end = broker->producer_id_end + BLOCK_IDS;
    job->job.apply = apply;
    job->job.done = job_done;
    catalog_submit(broker->catalog, &job->job);
}

int64_t
producer_ids_peek(struct broker *broker)
{
    if (broker->producer_id_end - broker->producer_id_next < BLOCK_IDS / 2)
        reserve(broker);
    return broker->producer_id_next < broker->producer_id_end ? broker->producer_id_next : -1;
}

int64_t
producer_ids_take(struct broker *broker)
{
    int64_t id = producer_ids_peek(broker);

    REQUIRE(id >= 0);
    broker->producer_id_next++;
    return id;
}

void
producer_ids_wait(struct broker *broker, struct producer_ids_waiter *waiter)
{
    list_push_back(&broker->producer_id_waiters, &waiter->node);
    reserve(broker);
}
