#include "audit/rules.h"

#include "audit/facts.h"
#include "lib/base/xalloc.h"

typedef bool condition_fn(const struct audit_inventory *inventory, const struct audit_topic *topic);

static bool
is(const struct audit_topic *topic, enum audit_fact fact, enum audit_value value)
{
    return topic->facts[fact].value == value;
}

static bool
has_keys(
    const struct audit_inventory *inventory, const struct audit_topic *topic, enum facts_keys keys)
{
    return is(topic, AUDIT_FACT_COMPACTION, AUDIT_YES) && facts_role(topic) == AUDIT_ROLE_NONE &&
           facts_keys(inventory, topic) == keys;
}

static bool
is_transactional(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    (void)inventory;
    return is(topic, AUDIT_FACT_TRANSACTIONS, AUDIT_YES);
}

static bool
may_be_transactional(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    (void)inventory;
    return is(topic, AUDIT_FACT_TRANSACTIONS, AUDIT_UNKNOWN);
}

static bool
has_repeating_keys(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    return has_keys(inventory, topic, FACTS_KEYS_REPEAT);
}

static bool
has_program_state(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    return has_keys(inventory, topic, FACTS_KEYS_PROGRAM);
}

static bool
has_unproven_keys(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    return has_keys(inventory, topic, FACTS_KEYS_UNPROVEN);
}

static bool
has_unique_keys(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    return has_keys(inventory, topic, FACTS_KEYS_UNIQUE);
}

static bool
may_be_compacted(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    (void)inventory;
    return is(topic, AUDIT_FACT_COMPACTION, AUDIT_UNKNOWN);
}

static bool
is_changelog(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    (void)inventory;
    return facts_role(topic) == AUDIT_ROLE_CHANGELOG;
}

static bool
is_repartition(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    (void)inventory;
    return facts_role(topic) == AUDIT_ROLE_REPARTITION;
}

static bool
may_be_streams(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    (void)inventory;
    return is(topic, AUDIT_FACT_STREAMS_STATE, AUDIT_UNKNOWN);
}

static bool
is_shared(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    return facts_is_shared(inventory, topic);
}

static const struct rules_rule rules[] = {
#define RULE(id, when, coordinated, wal, why, remedy)                                              \
    {id, {RULES_##coordinated, RULES_##wal}, why, remedy},
#include "audit/rules.def"
#undef RULE
};

static condition_fn *const conditions[] = {
#define RULE(id, when, coordinated, wal, why, remedy) when,
#include "audit/rules.def"
#undef RULE
};

_Static_assert(ARRAY_LEN(rules) <= RULES_REASONS_MAX, "a topic may have all reasons");

void
rules_judge(const struct audit_inventory *inventory, const struct audit_topic *topic,
    enum rules_design design, struct rules_result *out)
{
    *out = (struct rules_result){.verdict = RULES_READY};
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        enum rules_verdict verdict = rules[i].verdicts[design];

        if (verdict == RULES_READY || !conditions[i](inventory, topic))
            continue;
        out->reasons[out->reason_count++] = &rules[i];
        if (verdict > out->verdict)
            out->verdict = verdict;
    }
}

const char *
rules_verdict(enum rules_verdict verdict)
{
    static const char *const names[] = {"READY", "READY_WITH_CHANGES", "UNKNOWN", "BLOCKED"};

    return names[verdict];
}

const char *
rules_design(enum rules_design design)
{
    static const char *const names[] = {"coordinated", "wal"};

    return names[design];
}
