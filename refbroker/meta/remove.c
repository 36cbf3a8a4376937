#include "refbroker/meta/remove.h"

#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/group_expiry.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/coord/share_update.h"
#include "refbroker/log/append.h"
#include "refbroker/log/fetch_wait.h"

struct job {
    struct catalog_job job;
    struct broker *broker;
    struct wire_uuid *ids;
    size_t count;
    remove_done_fn *done;
    void *arg;
};

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < job->count && rc == RC_OK; i++)
        rc = catalog_delete_topic(catalog, &job->ids[i], e);
    return rc;
}

/* Fetches look again and find the topic gone; until they do they hang in its partitions, so they
 * are made to leave here. */
static void
waiters_end(struct broker *broker, struct topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++) {
        struct partition *partition = topic->partitions[i];

        append_fail_waiters(broker, partition, KE_UNKNOWN_TOPIC_OR_PARTITION);
        fetch_wait_wake(broker, partition);
    }
}

static void
job_done(struct catalog_job *catalog_job)
{
    struct job *job = (struct job *)(void *)catalog_job;
    struct broker *broker = job->broker;

    if (catalog_job->rc != RC_OK)
        log_error("TOPIC-DELETE", "%s", catalog_job->err.text);
    for (size_t i = 0; i < job->count && catalog_job->rc == RC_OK; i++) {
        struct topic *topic = topics_find_id(&broker->topics, &job->ids[i]);
        char *name;

        if (topic == NULL)
            continue;
        waiters_end(broker, topic);
        broker->stats.topics--;
        broker->stats.partitions -= topic->partition_count;
        name = xstrdup(topic->name);
        topics_remove(&broker->topics, topic);
        group_expiry_topic_gone(broker->groups, name);
        share_states_topic_gone(broker->share_states, &job->ids[i]);
        share_update_topic_gone(broker->groups, &job->ids[i]);
        free(name);
    }
    catalog_job->err.code = catalog_job->rc;
    job->done(broker, job->arg, &catalog_job->err);
    free(job->ids);
    free(job);
}

void
remove_submit(struct broker *broker, struct wire_uuid *ids_take, size_t count, remove_done_fn *done,
    void *arg)
{
    struct job *job = xcalloc(1, sizeof *job);

    job->broker = broker;
    job->ids = ids_take;
    job->count = count;
    job->done = done;
    job->arg = arg;
    job->job.apply = apply;
    job->job.done = job_done;
    catalog_submit(broker->catalog, &job->job);
}
