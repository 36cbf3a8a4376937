#include "audit/audit.h"

#include "audit/facts.h"
#include "audit/probe.h"
#include "audit/rules.h"

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

enum rc
audit_run(struct cluster *cluster, const struct audit_options *options,
    struct audit_inventory *inventory, struct err *e)
{
    static const struct {
        const char *what;
        void (*run)(const struct probe *probe);
    } steps[] = {
        {"rights", probe_rights},
        {"configs", probe_configs},
        {"offsets", probe_offsets},
        {"sizes", probe_sizes},
        {"users, quotas and access rules", probe_cluster},
        {"producers", probe_producers},
        {"transactions", probe_transactions},
        {"groups", probe_groups},
        {"members of groups", probe_members},
    };
    struct probe probe = {inventory, cluster};
    int64_t started_ms = loop_now_ms(cluster_loop(cluster));
    struct conn_stats stats;
    enum rc rc;

    tell(options, "topics");
    rc = probe_topics(&probe, options->patterns, e);
    for (size_t i = 0; rc == RC_OK && i < sizeof steps / sizeof *steps; i++) {
        tell(options, steps[i].what);
        steps[i].run(&probe);
        rc = inventory_check(inventory, e);
    }
    if (rc != RC_OK)
        return rc;
    tell(options, "stored batches");
    probe_samples(&probe, options->sample_bytes);
    cluster_stats(cluster, &stats);
    inventory->requests = stats.requests;
    inventory->took_ms = loop_now_ms(cluster_loop(cluster)) - started_ms;
    return audit_judge(inventory, e);
}
