#include "audit/audit.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit/facts.h"
#include "audit/kcp_state.h"
#include "audit/metrics.h"
#include "audit/probe.h"
#include "audit/request_log.h"
#include "audit/resume.h"
#include "audit/rules.h"
#include "lib/base/env.h"

/* Of --sample-bytes: one part in so many. */
#define TRANSACTION_LOG_SHARE 4
#define COMMIT_LOG_SHARE 8
#define ABORTED_SHARE 16

#define TEXT_BYTES 80
#define TELL_MS 200
/* What was read is kept so often, and less often where that takes long. */
#define KEEP_MS 2000
#define KEEP_PART 20 /* of the time */

static void
tell(const struct audit_options *options, const char *what)
{
    if (options->progress != NULL)
        options->progress(options->arg, what);
}

enum rc
audit_judge(struct audit_inventory *inventory, struct err *e)
{
    facts_derive(inventory);
    rules_apply(inventory);
    return inventory_check(inventory, e);
}

static void
stop(void *arg)
{
    loop_stop(arg);
}

/* Waits until the offsets that are there are rate_ms old, and looks again. */
static void
rates_measure(const struct probe *probe, const struct audit_options *options, int64_t asked_ms)
{
    struct loop *loop = cluster_loop(probe->cluster);
    struct loop_timer timer = {0};

    tell(options, "rates");
    if (loop_now_ms(loop) < asked_ms + options->rate_ms) {
        loop_timer_set(loop, &timer, (asked_ms + options->rate_ms) * 1000, stop, loop);
        loop_run(loop);
    }
    probe_growth(probe);
}

/* Who looks while stored batches are read. */
struct sampled {
    const struct probe *probe;
    const struct audit_options *options;
    struct env env;
    uint32_t before; /* partitions that an audit of before had read */
    int64_t tell_ms; /* when to tell again, */
    int64_t keep_ms; /* and to keep */
};

static void
sampled_tick(void *arg, uint32_t done, uint32_t count)
{
    struct sampled *own = arg;
    int64_t now_ms = env_now_ms(&own->env);
    char what[TEXT_BYTES];

    if (now_ms >= own->tell_ms) {
        snprintf(what, sizeof what, "stored batches: %" PRIu32 " of %" PRIu32 " partitions",
            own->before + done, own->before + count);
        tell(own->options, what);
        own->tell_ms = now_ms + TELL_MS;
    }
    if (own->options->keep == NULL || now_ms < own->keep_ms)
        return;
    own->options->keep(own->options->arg, own->probe->inventory);
    own->keep_ms = now_ms + KEEP_MS + (env_now_ms(&own->env) - now_ms) * KEEP_PART;
}

static void
topics_read(const struct probe *probe, const struct audit_options *options, uint64_t left)
{
    struct sampled own = {.probe = probe, .options = options};
    struct probe_watcher watcher = {sampled_tick, &own};
    uint64_t read = 0;

    env_init_real(&own.env);
    own.keep_ms = env_now_ms(&own.env) + KEEP_MS;
    if (options->begun != NULL)
        own.before = resume_take(probe->inventory, options->begun, &read);
    probe->inventory->sampled_bytes += read;
    if (left > 0)
        left = read < left ? left - read : 1;
    tell(options, "stored batches");
    probe_samples(probe, left - left / ABORTED_SHARE, &watcher);
    /* Rates may take hours. */
    if (options->keep != NULL && options->rate_ms > 0)
        options->keep(options->arg, probe->inventory);
    tell(options, "aborted transactions");
    probe_aborted(probe, left / ABORTED_SHARE);
}

/* The logs of transactions and of groups get a share of the budget, and the topics what is left. */
static void
batches_read(const struct probe *probe, const struct audit_options *options)
{
    uint64_t left = options->sample_bytes, read = 0;

    if (left > 0) {
        tell(options, "the logs of transactions and of groups");
        read = probe_transaction_log(probe, left / TRANSACTION_LOG_SHARE);
        read += probe_commit_log(probe, left / COMMIT_LOG_SHARE);
        /* One batch of a topic is read in any case. */
        left = read < left ? left - read : 1;
    }
    topics_read(probe, options, left);
}

/* States of kcp come behind request logs, which know more of a client. */
static enum rc
files_read(const struct audit_options *options, struct audit_inventory *inventory, struct err *e)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < options->request_logs.count && rc == RC_OK; i++)
        rc = request_log_read(inventory, options->request_logs.paths[i], e);
    for (size_t i = 0; i < options->kcp_states.count && rc == RC_OK; i++)
        rc = kcp_state_read(inventory, options->kcp_states.paths[i], e);
    if (rc == RC_OK && options->metrics.count > 0)
        rc = metrics_read(inventory, options->metrics.paths, options->metrics.count, e);
    return rc;
}

/* What brokers work on while others ask. */
struct begun {
    struct probe_commits *commits;
    struct probe_sizes *sizes;
    struct probe_configs *configs;
    struct probe_producers *producers;
    struct probe_members *members;
    struct probe_versions *versions;
    struct probe_cluster *cluster;
};

/* Asks for groups and topics. While the list of topics is read, brokers work on sizes and on the
 * groups' offsets, which are asked for behind it. */
static enum rc
lists_read(const struct probe *probe, const struct audit_options *options, struct begun *begun,
    struct err *e)
{
    struct probe_topics *topics;
    enum rc rc;

    tell(options, "groups");
    rc = probe_begin(probe, e);
    if (rc != RC_OK)
        return rc;
    probe_groups(probe);
    tell(options, "topics");
    topics = probe_topics_begin(probe);
    begun->sizes = probe_sizes_begin(probe);
    begun->commits = probe_commits_begin(probe);
    rc = probe_topics_end(topics, options->patterns, e);
    if (rc == RC_OK && options->begun != NULL)
        rc = inventory_is_of_cluster(probe->inventory, options->begun, e);
    if (rc == RC_OK)
        return RC_OK;
    probe_commits_drop(begun->commits);
    probe_sizes_drop(begun->sizes);
    return rc;
}

/* What was begun is to be asked now: what comes next computes for long before it looks at the loop.
 */
static void
ask_now(const struct probe *probe)
{
    loop_run_deferred(cluster_loop(probe->cluster));
}

/* Asks what there is to know of topics and groups; offsets_ms is when their ends were asked for.
 * What has come before is put away while brokers work on configs. */
static enum rc
details_ask(const struct probe *probe, const struct audit_options *options, struct begun *begun,
    int64_t *offsets_ms, struct err *e)
{
    begun->configs = probe_configs_begin(probe);
    ask_now(probe);
    begun->producers = probe_producers_begin(probe);
    ask_now(probe);
    tell(options, "rights");
    probe_rights(probe);
    tell(options, "sizes");
    probe_sizes_end(begun->sizes);
    tell(options, "offsets");
    *offsets_ms = loop_now_ms(cluster_loop(probe->cluster));
    probe_offsets(probe);
    begun->members = probe_members_begin(probe);
    begun->versions = probe_versions_begin(probe);
    begun->cluster = probe_cluster_begin(probe);
    ask_now(probe);
    tell(options, "leader epochs");
    probe_epochs(probe);
    tell(options, "offsets of groups");
    probe_commits_end(begun->commits);
    tell(options, "members of groups");
    probe_members_end(begun->members);
    tell(options, "versions, users, quotas and access rules");
    probe_versions_end(begun->versions);
    probe_cluster_end(begun->cluster);
    tell(options, "transactions");
    probe_transactions(probe);
    tell(options, "configs and producers");
    probe_configs_end(begun->configs);
    probe_tiered(probe);
    probe_producers_end(begun->producers);
    probe_tokens(probe);
    return inventory_check(probe->inventory, e);
}

enum rc
audit_run(struct cluster *cluster, const struct audit_options *options,
    struct audit_inventory *inventory, struct err *e)
{
    struct probe probe = {inventory, cluster};
    int64_t started_ms = loop_now_ms(cluster_loop(cluster)), offsets_ms = 0;
    struct begun begun;
    struct conn_stats stats;
    enum rc rc;

    cluster_avoid_silent(cluster);
    rc = lists_read(&probe, options, &begun, e);
    if (rc == RC_OK)
        rc = details_ask(&probe, options, &begun, &offsets_ms, e);
    if (rc != RC_OK)
        return rc;
    batches_read(&probe, options);
    if (options->rate_ms > 0)
        rates_measure(&probe, options, offsets_ms);
    tell(options, "what files hold");
    rc = files_read(options, inventory, e);
    if (rc != RC_OK)
        return rc;
    inventory->watch =
        (struct audit_watch){.looks = 1, .first_ms = inventory->asked_ms[AUDIT_METADATA]};
    cluster_stats(cluster, &stats);
    inventory->requests = stats.requests;
    inventory->took_ms = loop_now_ms(cluster_loop(cluster)) - started_ms;
    return audit_judge(inventory, e);
}
