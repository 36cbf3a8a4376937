#include "refbroker/log/log_start.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/log/fetch_wait.h"

struct job {
    struct catalog_job job;
    struct broker *broker;
    struct partition *partition; /* held */
    int64_t offset;
    bool position;
    log_start_done_fn *done;
    void *arg;
};

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;
    const struct wire_uuid *topic_id = &job->partition->topic_id;
    enum rc rc = catalog_put_log_start(catalog, topic_id, job->partition->index, job->offset, e);

    if (rc == RC_OK)
        rc = catalog_delete_runs(catalog, topic_id, job->partition->index, job->offset, e);
    return rc;
}

static void
moved(struct job *job)
{
    struct partition *partition = job->partition;

    if (job->offset <= partition->log_start_offset)
        return;
    partition->log_start_offset = job->offset;
    if (job->position && partition->log_end_offset < job->offset) {
        partition->log_end_offset = job->offset;
        partition->high_watermark = job->offset;
        partition->committed_end = job->offset;
        cache_commit(partition, job->offset);
    }
    run_index_trim(&partition->runs, job->offset);
    if (partition->producers != NULL)
        producers_trim(partition->producers, job->offset);
    fetch_wait_wake(job->broker, partition);
}

static void
job_done(struct catalog_job *catalog_job)
{
    struct job *job = (struct job *)(void *)catalog_job;
    bool there = job->partition->topic != NULL;
    int16_t error = there ? KE_NONE : KE_UNKNOWN_TOPIC_OR_PARTITION;

    if (catalog_job->rc != RC_OK) {
        log_error("LOG-START", "%s", catalog_job->err.text);
        error = KE_KAFKA_STORAGE_ERROR;
    }
    if (error == KE_NONE)
        moved(job);
    job->done(job->broker, job->arg, there ? job->partition : NULL, error);
    partition_release(job->partition);
    free(job);
}

void
log_start_move(struct broker *broker, struct partition *partition, int64_t offset, bool position,
    log_start_done_fn *done, void *arg)
{
    struct job *job;

    if (offset <= partition->log_start_offset) {
        done(broker, arg, partition, KE_NONE);
        return;
    }
    REQUIRE(position || offset <= partition->high_watermark);
    job = xcalloc(1, sizeof *job);
    partition_hold(partition);
    job->broker = broker;
    job->partition = partition;
    job->offset = offset;
    job->position = position;
    job->done = done;
    job->arg = arg;
    job->job.apply = apply;
    job->job.done = job_done;
    catalog_submit(broker->catalog, &job->job);
}
