#include "audit/diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_report.h"
#include "audit/facts.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

#define DIFF_BYTES_MAX ((size_t)512 << 20)

struct comparing {
    struct diff *diff;
    const struct audit_inventory *before;
    const struct audit_inventory *after;
    uint32_t designs;
    size_t room;
};

static struct diff_change *
change_add(struct comparing *c, enum diff_kind kind, const char *topic, const char *what)
{
    struct diff *diff = c->diff;

    if (diff->change_count == c->room) {
        c->room = c->room == 0 ? 64 : 2 * c->room;
        diff->changes = xrealloc(diff->changes, c->room, sizeof *diff->changes);
    }
    diff->changes[diff->change_count] =
        (struct diff_change){.kind = kind, .topic = topic, .what = what};
    return &diff->changes[diff->change_count++];
}

static void
number_compare(struct comparing *c, enum diff_kind kind, const char *topic, const char *what,
    int64_t before, int64_t after)
{
    struct diff_change *change;

    if (before == after)
        return;
    change = change_add(c, kind, topic, what);
    change->before = arena_printf(&c->diff->arena, "%" PRId64, before);
    change->after = arena_printf(&c->diff->arena, "%" PRId64, after);
}

/* --- a topic ------------------------------------------------------------------------------------
 */

/* A new topic (before is NULL) begins as one that nothing stands in the way of. */
static void
verdicts_compare(
    struct comparing *c, const struct audit_topic *before, const struct audit_topic *after)
{
    for (unsigned d = 0; d < RULES_DESIGNS && !after->is_internal; d++) {
        enum rules_design design = (enum rules_design)d;
        enum rules_verdict old = before == NULL ? RULES_READY : rules_judge(before, design);
        enum rules_verdict new = rules_judge(after, design);
        const struct audit_hit *hit = rules_worst(after, design);
        struct diff_change *change;

        if ((c->designs & 1U << d) == 0 || old == new)
            continue;
        change = change_add(c, DIFF_VERDICT, after->name, rules_design(design));
        change->before = before == NULL ? NULL : rules_verdict(old);
        change->after = rules_verdict(new);
        change->worse = new > old ? 1 : -1;
        change->why = new > old &&hit != NULL
                          ? arena_printf(&c->diff->arena, "%s %s", hit->rule->id, hit->rule->title)
                          : NULL;
        c->diff->worse += new > old;
        c->diff->better += new < old;
    }
}

static void
facts_compare(
    struct comparing *c, const struct audit_topic *before, const struct audit_topic *after)
{
    for (unsigned f = 0; f < AUDIT_FACTS; f++) {
        struct diff_change *change;

        if (before->facts[f].value == after->facts[f].value)
            continue;
        change = change_add(c, DIFF_FACT, after->name, facts_name((enum audit_fact)f));
        change->before = facts_value(before->facts[f].value);
        change->after = facts_value(after->facts[f].value);
    }
}

static void
configs_compare(
    struct comparing *c, const struct audit_topic *before, const struct audit_topic *after)
{
    for (unsigned k = 0; k < AUDIT_TOPIC_CONFIGS; k++) {
        const char *old = before->configs[k].value, *new = after->configs[k].value;
        struct diff_change *change;

        if (old == NULL || new == NULL || strcmp(old, new) == 0)
            continue;
        change = change_add(
            c, DIFF_CONFIG, after->name, inventory_topic_key((enum audit_topic_config)k));
        change->before = old;
        change->after = new;
    }
}

/* Groups of `topic` that `other`, the same topic in the other audit, does not have. */
static void
groups_compare(struct comparing *c, enum diff_kind kind, const struct audit_inventory *inventory,
    const struct audit_topic *topic, const struct audit_inventory *others,
    const struct audit_topic *other)
{
    for (const struct audit_use *use = topic->uses; use != NULL; use = use->next) {
        const char *id = inventory->groups[use->group].id;
        uint32_t group = inventory_group(others, codec_string(id));
        const struct audit_use *same = group == INVENTORY_NO_NUMBER ? NULL : other->uses;

        while (same != NULL && same->group != group)
            same = same->next;
        if (same == NULL)
            change_add(c, kind, topic->name, id);
    }
}

static void
growth_note(struct comparing *c, const struct audit_topic *before, const struct audit_topic *after)
{
    struct diff *diff = c->diff;
    int64_t records = 0;

    for (int32_t p = 0; p < before->partition_count && p < after->partition_count; p++) {
        int64_t old = c->before->partitions[before->first + (uint32_t)p].end_offset;
        int64_t new = c->after->partitions[after->first + (uint32_t)p].end_offset;

        /* An end that fell back is a topic made anew, of which less is known. */
        if (old >= 0 && new > old &&new - old <= INT64_MAX - records)
            records += new - old;
    }
    if (records > 0)
        diff->rates[diff->rate_count++] = (struct diff_rate){after->name, records, 0};
}

static void
topic_compare(
    struct comparing *c, const struct audit_topic *before, const struct audit_topic *after)
{
    verdicts_compare(c, before, after);
    facts_compare(c, before, after);
    number_compare(
        c, DIFF_PARTITIONS, after->name, NULL, before->partition_count, after->partition_count);
    configs_compare(c, before, after);
    groups_compare(c, DIFF_GROUP_ADDED, c->after, after, c->before, before);
    groups_compare(c, DIFF_GROUP_GONE, c->before, before, c->after, after);
    growth_note(c, before, after);
}

static void
topics_compare(struct comparing *c)
{
    for (uint32_t t = 0; t < c->after->topic_count; t++) {
        const struct audit_topic *after = &c->after->topics[t];
        uint32_t place = inventory_topic(c->before, codec_string(after->name));

        if (place != INVENTORY_NO_NUMBER) {
            topic_compare(c, &c->before->topics[place], after);
            continue;
        }
        change_add(c, DIFF_TOPIC_ADDED, after->name, NULL)->after =
            arena_printf(&c->diff->arena, "%" PRId32, after->partition_count);
        verdicts_compare(c, NULL, after);
    }
    for (uint32_t t = 0; t < c->before->topic_count; t++) {
        const struct audit_topic *before = &c->before->topics[t];

        if (inventory_topic(c->after, codec_string(before->name)) == INVENTORY_NO_NUMBER)
            change_add(c, DIFF_TOPIC_GONE, before->name, NULL)->before =
                arena_printf(&c->diff->arena, "%" PRId32, before->partition_count);
    }
}

/* --- all ----------------------------------------------------------------------------------------
 */

/* What one of the two could not see is no difference. */
static void
counts_compare(
    struct comparing *c, enum audit_probe probe, const char *what, uint32_t before, uint32_t after)
{
    if (c->before->gaps[probe].why == NULL && c->after->gaps[probe].why == NULL)
        number_compare(c, DIFF_CLUSTER, NULL, what, before, after);
}

static void
cluster_compare(struct comparing *c)
{
    const struct audit_inventory *a = c->before, *b = c->after;
    const char *old = a->cluster_id == NULL ? "" : a->cluster_id;
    const char *new = b->cluster_id == NULL ? "" : b->cluster_id;

    if (strcmp(old, new) != 0) {
        struct diff_change *change = change_add(c, DIFF_CLUSTER, NULL, "cluster id");

        change->before = old;
        change->after = new;
    }
    number_compare(c, DIFF_CLUSTER, NULL, "brokers", a->brokers, b->brokers);
    number_compare(c, DIFF_CLUSTER, NULL, "groups", a->group_count, b->group_count);
    number_compare(c, DIFF_CLUSTER, NULL, "transactional ids", a->transactional_id_count,
        b->transactional_id_count);
    counts_compare(c, AUDIT_ACLS, "access rules", a->cluster.acls, b->cluster.acls);
    counts_compare(c, AUDIT_QUOTAS, "quotas", a->cluster.quotas, b->cluster.quotas);
    counts_compare(
        c, AUDIT_SCRAM_USERS, "SCRAM users", a->cluster.scram_users, b->cluster.scram_users);
    counts_compare(c, AUDIT_TOKENS, "delegation tokens", a->cluster.tokens, b->cluster.tokens);
    counts_compare(c, AUDIT_METRICS_SUBSCRIPTIONS, "subscriptions to clients' metrics",
        a->cluster.metrics_subscriptions, b->cluster.metrics_subscriptions);
    for (unsigned k = 0; k < AUDIT_BROKER_CONFIGS; k++)
        if (a->configs[k].value != NULL && b->configs[k].value != NULL &&
            strcmp(a->configs[k].value, b->configs[k].value) != 0) {
            struct diff_change *change = change_add(
                c, DIFF_CLUSTER, NULL, inventory_broker_key((enum audit_broker_config)k));

            change->before = a->configs[k].value;
            change->after = b->configs[k].value;
        }
}

/* Keeps the order of equals: comparisons were made topic by topic. */
static void
changes_sort(struct diff *diff)
{
    struct diff_change *sorted = xcalloc(diff->change_count + 1, sizeof *sorted);
    size_t count = 0;

    for (unsigned kind = 0; kind < DIFF_KINDS; kind++)
        for (size_t i = 0; i < diff->change_count; i++)
            if (diff->changes[i].kind == (enum diff_kind)kind)
                sorted[count++] = diff->changes[i];
    free(diff->changes);
    diff->changes = sorted;
}

static int
by_records(const void *a, const void *b)
{
    const struct diff_rate *x = a, *y = b;

    return (y->records > x->records) - (y->records < x->records);
}

enum rc
diff_make(struct diff *diff, const struct audit_inventory *before,
    const struct audit_inventory *after, uint32_t designs, struct err *e)
{
    struct comparing c;
    double seconds;

    *diff = (struct diff){.rates = xcalloc((size_t)after->topic_count + 1, sizeof *diff->rates),
        .before_ms = before->asked_ms[AUDIT_OFFSETS],
        .after_ms = after->asked_ms[AUDIT_OFFSETS]};
    arena_init(&diff->arena, DIFF_BYTES_MAX);
    c = (struct comparing){diff, before, after, designs, 0};
    topics_compare(&c);
    cluster_compare(&c);
    changes_sort(diff);
    seconds = ((double)diff->after_ms - (double)diff->before_ms) / 1000;
    for (size_t i = 0; i < diff->rate_count; i++)
        diff->rates[i].per_s =
            diff->before_ms > 0 && seconds > 0 ? (double)diff->rates[i].records / seconds : 0;
    qsort(diff->rates, diff->rate_count, sizeof *diff->rates, by_records);
    if (arena_is_full(&diff->arena))
        return err_set(e, RC_LIMIT, "the audits differ in too much to be told");
    return RC_OK;
}

void
diff_free(struct diff *diff)
{
    free(diff->changes);
    free(diff->rates);
    arena_fini(&diff->arena);
}

const char *
diff_kind_name(enum diff_kind kind)
{
    static const char *const names[] = {
#define KIND(name, json) json,
#include "audit/diff.def"
#undef KIND
    };

    return names[kind];
}
