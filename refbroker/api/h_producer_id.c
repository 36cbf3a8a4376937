/*
 * InitProducerId for idempotent producers (TransactionCoordinator.handleInitProducerId without a
 * transactional id).
 *
 * Producer ids are unique for ever: they are handed out from blocks that the catalog has reserved
 * before the first of them leaves the broker, and never again after a crash. Epochs begin at 0.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gen/messages.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

#define BLOCK_IDS 1000

struct job {
    struct catalog_job job;
    struct broker *broker;
    struct request *request; /* NULL once it is gone */
    int64_t end;
};

static void
hand_out(struct broker *broker, struct km_init_producer_id_response *out)
{
    out->producer_id = broker->producer_id_next++;
    out->producer_epoch = 0;
}

static enum rc
apply(struct catalog *catalog, struct catalog_job *catalog_job, struct err *e)
{
    struct job *job = (struct job *)(void *)catalog_job;
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, job->end);
    return catalog_put_setting(catalog, "producer_id_next", text, e);
}

static void
job_done(struct catalog_job *catalog_job)
{
    struct job *job = (struct job *)(void *)catalog_job;
    struct broker *broker = job->broker;

    if (catalog_job->rc != RC_OK) {
        log_error("PID-BLOCK", "%s", catalog_job->err.text);
    } else if (job->end > broker->producer_id_end) {
        broker->producer_id_end = job->end;
    }
    if (job->request != NULL) {
        struct km_init_producer_id_response *out = job->request->out;

        if (broker->producer_id_next < broker->producer_id_end)
            hand_out(broker, out);
        else
            out->error_code = KE_COORDINATOR_NOT_AVAILABLE;
        broker_finish(broker, job->request);
    }
    free(job);
}

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct job *)request->park)->request = NULL;
}

enum h_result
h_init_producer_id(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_init_producer_id_request *in = in_;
    struct km_init_producer_id_response *out = out_;
    struct job *job;

    if (in->transactional_id.size >= 0) {
        /* No transaction coordinator here: FindCoordinator says so too. An empty id is wrong
         * anywhere. */
        out->error_code = in->transactional_id.size == 0 ? KE_INVALID_REQUEST
                                                         : KE_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
        return H_DONE;
    }
    if ((in->producer_id < 0) != (in->producer_epoch < 0)) {
        out->error_code = KE_INVALID_REQUEST;
        return H_DONE;
    }
    if (broker->producer_id_next < broker->producer_id_end) {
        hand_out(broker, out);
        return H_DONE;
    }
    job = xcalloc(1, sizeof *job);
    job->broker = broker;
    job->request = request;
    job->end = broker->producer_id_end + BLOCK_IDS;
    job->job.apply = apply;
    job->job.done = job_done;
    request->park = job;
    request->on_drop = dropped;
    catalog_submit(broker->catalog, &job->job);
    return H_PARK;
}
