#include "refbroker/api/alteration.h"

#include "refbroker/api/handlers.h"

static enum rc
apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    const struct alteration *alteration = (const struct alteration *)(const void *)job;

    return alteration->kind->write(catalog, alteration, e);
}

static void
done(struct catalog_job *job)
{
    struct alteration *alteration = (struct alteration *)(void *)job;
    const struct alteration_kind *kind = alteration->kind;
    struct err e = job->err;
    enum rc rc = job->rc;

    if (rc == RC_OK)
        rc = kind->take_effect(alteration, &e);
    if (rc != RC_OK)
        kind->complain(&e);
    if (alteration->request != NULL) {
        if (rc != RC_OK)
            kind->fail(alteration, alteration->request->out);
        broker_finish(alteration->broker, alteration->request);
    }
    kind->free(alteration);
}

static void
dropped(struct broker *broker, struct request *request)
{
    struct alteration *alteration = request->park;

    (void)broker;
    alteration->request = NULL;
}

void
alteration_init(struct alteration *alteration, const struct alteration_kind *kind,
    struct broker *broker, struct request *request)
{
    *alteration = (struct alteration){.kind = kind, .broker = broker, .request = request};
    alteration->job.apply = apply;
    alteration->job.done = done;
}

enum h_result
alteration_end(struct alteration *take, bool has_changes)
{
    struct request *request = take->request;
    bool is_full = arena_is_full(&request->arena);

    if (is_full || !has_changes) {
        take->kind->free(take);
        return is_full ? H_CLOSE : H_DONE;
    }
    request->park = take;
    request->on_drop = dropped;
    catalog_submit(take->broker->catalog, &take->job);
    return H_PARK;
}
