#include "refbroker/log/garbage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "refbroker/log/reader.h"

#define OBJECTS_AT_ONCE 100

/* One round: mark and choose in the catalog, delete in the store, forget in the catalog. */
struct round {
    struct catalog_job job;
    struct work_job remove;
    struct garbage *garbage;
    int64_t now_ms;
    int64_t ids[OBJECTS_AT_ONCE];
    size_t count;
};

struct garbage {
    struct broker *broker;
    struct round *busy;
    int64_t next_ms;
};

struct garbage *
garbage_new(struct broker *broker)
{
    struct garbage *garbage = xcalloc(1, sizeof *garbage);

    garbage->broker = broker;
    garbage->next_ms = env_now_ms(broker->env) + broker->options.garbage_check_ms;
    return garbage;
}

void
garbage_free(struct garbage *garbage)
{
    if (garbage == NULL)
        return;
    free(garbage->busy);
    free(garbage);
}

static void
round_end(struct round *round)
{
    struct garbage *garbage = round->garbage;

    garbage->busy = NULL;
    garbage->next_ms = env_now_ms(garbage->broker->env) + garbage->broker->options.garbage_check_ms;
    free(round);
}

static enum rc
forget_apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    struct round *round = (struct round *)(void *)job;
    enum rc rc = RC_OK;

    for (size_t i = 0; i < round->count && rc == RC_OK; i++)
        rc = catalog_delete_object(catalog, round->ids[i], e);
    return rc;
}

static void
forget_done(struct catalog_job *job)
{
    if (job->rc != RC_OK)
        log_warn("GARBAGE", "%s", job->err.text);
    round_end((struct round *)(void *)job);
}

static void
remove_run(struct work_job *job)
{
    struct round *round = list_of(job, struct round, remove);
    char names[OBJECTS_AT_ONCE][READER_KEY_BYTES];
    const char *keys[OBJECTS_AT_ONCE];
    bool removed[OBJECTS_AT_ONCE];
    size_t kept = 0;
    struct err e;
    enum rc rc;

    for (size_t i = 0; i < round->count; i++) {
        reader_key(names[i], round->ids[i]);
        keys[i] = names[i];
    }
    rc = store_remove_many(round->garbage->broker->store, keys, round->count, removed, &e);
    if (rc != RC_OK && !store_has_told(rc))
        log_warn("GARBAGE", "%s", e.text);
    for (size_t i = 0; i < round->count; i++)
        if (removed[i])
            round->ids[kept++] = round->ids[i];
    round->count = kept;
}

static void
remove_done(struct work_job *job)
{
    struct round *round = list_of(job, struct round, remove);
    struct broker *broker = round->garbage->broker;

    round->job.apply = forget_apply;
    round->job.done = forget_done;
    catalog_submit(broker->catalog, &round->job);
}

static enum rc
mark_apply(struct catalog *catalog, struct catalog_job *job, struct err *e)
{
    struct round *round = (struct round *)(void *)job;
    int64_t grace_ms = round->garbage->broker->options.garbage_grace_ms;
    enum rc rc = catalog_mark_objects(catalog, round->now_ms, e);

    if (rc == RC_OK)
        rc = catalog_marked_objects(
            catalog, round->now_ms - grace_ms, round->ids, OBJECTS_AT_ONCE, &round->count, e);
    return rc;
}

static void
mark_done(struct catalog_job *job)
{
    struct round *round = (struct round *)(void *)job;

    if (job->rc != RC_OK)
        log_warn("GARBAGE", "%s", job->err.text);
    if (job->rc != RC_OK || round->count == 0) {
        round_end(round);
        return;
    }
    round->remove.run = remove_run;
    round->remove.done = remove_done;
    work_submit(round->garbage->broker->options.work, LANE_CLEANER, &round->remove);
}

int64_t
garbage_tick(struct garbage *garbage)
{
    struct round *round;

    if (garbage->busy != NULL)
        return INT64_MAX;
    if (env_now_ms(garbage->broker->env) < garbage->next_ms)
        return garbage->next_ms;
    round = garbage->busy = xcalloc(1, sizeof *round);
    round->garbage = garbage;
    round->now_ms = env_wall_ms(garbage->broker->env);
    round->job.apply = mark_apply;
    round->job.done = mark_done;
    catalog_submit(garbage->broker->catalog, &round->job);
    return INT64_MAX;
}

/* --- at a start ------------------------------------------------------------------------------- */

struct sweep {
    struct broker *broker;
    enum rc rc;
    struct err *e;
    size_t removed;
};

static void
key_found(void *arg, const char *key)
{
    struct sweep *sweep = arg;
    int64_t id;
    bool known = false;

    if (sweep->rc != RC_OK || !reader_key_parse(key, &id))
        return;
    sweep->rc = catalog_has_object(sweep->broker->catalog, id, &known, sweep->e);
    if (sweep->rc != RC_OK || known)
        return;
    sweep->rc = store_remove(sweep->broker->store, key, sweep->e);
    sweep->removed++;
}

enum rc
garbage_sweep_orphans(struct broker *broker, struct err *e)
{
    struct sweep sweep = {.broker = broker, .e = e};
    enum rc rc = store_list(broker->store, key_found, &sweep, e);

    if (rc == RC_OK)
        rc = sweep.rc;
    if (sweep.removed > 0)
        log_notice("ORPHANS", "%zu objects of interrupted uploads removed", sweep.removed);
    return rc;
}
