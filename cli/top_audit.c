#include "cli/top_audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/facts.h"
#include "audit/rules.h"
#include "cli/top_worker.h"
#include "lib/base/blob.h"
#include "lib/base/env.h"
#include "lib/base/map.h"
#include "lib/base/xalloc.h"
#include "lib/kafka/cluster.h"

#define RETRY_MS 10000
#define PAUSE_PER_WORK 20

/* What the newest audit found. */
struct result {
    struct map traits;          /* name of the topic -> struct top_traits */
    char error[TOP_MODEL_TEXT]; /* "": none */
    int64_t number;             /* 1 for the first; 0: none yet */
};

struct top_audit {
    struct top_worker *worker;
    const struct conf_client *conf;
    struct result newest; /* under the worker's lock */
};

static enum top_known
known(const struct audit_topic *topic, enum audit_fact fact)
{
    static const enum top_known values[] = {
        [AUDIT_UNKNOWN] = TOP_UNKNOWN, [AUDIT_NO] = TOP_NO, [AUDIT_YES] = TOP_YES};

    return values[topic->facts[fact].value];
}

static enum top_verdict
verdict(const struct audit_topic *topic, enum rules_design design)
{
    static const enum top_verdict values[] = {[RULES_READY] = TOP_READY,
        [RULES_READY_WITH_CHANGES] = TOP_CHANGES,
        [RULES_UNKNOWN] = TOP_UNDECIDED,
        [RULES_BLOCKED] = TOP_BLOCKED};
    return values[rules_judge(topic, design)];
}

static void
traits_take(const struct audit_inventory *inventory, struct map *out)
{
    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        const struct audit_topic *topic = &inventory->topics[i];
        struct top_traits *traits;

        if (topic->is_internal)
            continue;
        traits = xcalloc(1, sizeof *traits);
        *traits = (struct top_traits){.transactions = known(topic, AUDIT_FACT_TRANSACTIONS),
            .compaction = known(topic, AUDIT_FACT_COMPACTION),
            .streams = known(topic, AUDIT_FACT_STREAMS_STATE),
            .idempotence = known(topic, AUDIT_FACT_IDEMPOTENCE),
            .coordinated = verdict(topic, RULES_COORDINATED),
            .wal = verdict(topic, RULES_WAL)};
        free(map_put_text(out, topic->name, traits));
    }
}

/* One audit on connections of its own. */
static enum rc
ask(const struct conf_client *conf, uint64_t sample_bytes, struct map *traits, struct err *e)
{
    struct audit_options options = {.patterns = "*", .sample_bytes = sample_bytes};
    struct audit_inventory inventory;
    struct cluster *cluster = NULL;
    struct loop *loop = NULL;
    enum rc rc = loop_new(&loop, e);

    inventory_init(&inventory);
    if (rc == RC_OK)
        rc = cluster_new(loop, conf, &cluster, e);
    if (rc == RC_OK)
        rc = audit_run(cluster, &options, &inventory, e);
    if (rc == RC_OK)
        traits_take(&inventory, traits);
    inventory_fini(&inventory);
    cluster_free(cluster);
    loop_free(loop);
    blob_trim(); /* the next one is a minute away */
    return rc;
}

static void
apply(const struct result *result, struct top_model *model)
{
    memcpy(model->audit_error, result->error, sizeof model->audit_error);
    model->audit_number = result->number;
    for (int32_t i = 0; i < model->topic_count; i++) {
        const struct top_traits *traits = map_get_text(&result->traits, model->topics[i].name);

        if (traits != NULL)
            model->topics[i].traits = *traits;
    }
}

/* Puts a result where top_audit_apply finds it; a failed audit leaves the traits of the one before.
 */
static void
leave(struct top_audit *audit, struct top_worker *worker, struct map *traits, enum rc rc,
    const struct err *e)
{
    struct result *newest = &audit->newest;

    top_worker_lock(worker);
    newest->number++;
    if (rc == RC_OK) {
        map_fini(&newest->traits, free);
        newest->traits = *traits;
        newest->error[0] = '\0';
    } else {
        snprintf(newest->error, sizeof newest->error, "%.250s", e->text);
        map_fini(traits, free);
    }
    top_worker_unlock(worker);
}

static void
audit_main(void *arg, struct top_worker *worker)
{
    struct top_audit *audit = arg;
    uint64_t sample_bytes = 0;
    int64_t pause_ms;
    struct env env;

    env_init_real(&env);
    do {
        int64_t started_ms = env_now_ms(&env);
        struct map traits;
        struct err e;
        enum rc rc;

        map_init(&traits);
        rc = ask(audit->conf, sample_bytes, &traits, &e);
        leave(audit, worker, &traits, rc, &e);
        pause_ms = (env_now_ms(&env) - started_ms) * PAUSE_PER_WORK;
        if (rc != RC_OK)
            pause_ms = RETRY_MS;
        else if (sample_bytes == 0)
            pause_ms = 0;
        else if (pause_ms < TOP_AUDIT_PAUSE_MS)
            pause_ms = TOP_AUDIT_PAUSE_MS;
        if (rc == RC_OK)
            sample_bytes = TOP_AUDIT_SAMPLE_BYTES;
    } while (top_worker_pause(worker, pause_ms));
}

struct top_audit *
top_audit_start(const struct conf_client *conf)
{
    struct top_audit *audit = xcalloc(1, sizeof *audit);

    audit->conf = conf;
    map_init(&audit->newest.traits);
    audit->worker = top_worker_start(audit_main, audit);
    return audit;
}

bool
top_audit_stop(struct top_audit *audit, int64_t patience_ms)
{
    if (!top_worker_stop(audit->worker, patience_ms))
        return false;
    map_fini(&audit->newest.traits, free);
    free(audit);
    return true;
}

void
top_audit_apply(struct top_audit *audit, struct top_model *model)
{
    top_worker_lock(audit->worker);
    if (model->audit_number != audit->newest.number)
        apply(&audit->newest, model);
    top_worker_unlock(audit->worker);
}

void
top_audit_once(const struct conf_client *conf, struct top_model *model)
{
    struct result result = {.number = 1};
    struct err e;

    map_init(&result.traits);
    if (ask(conf, TOP_AUDIT_SAMPLE_BYTES, &result.traits, &e) != RC_OK)
        snprintf(result.error, sizeof result.error, "%.250s", e.text);
    apply(&result, model);
    map_fini(&result.traits, free);
}
