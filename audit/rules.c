#include "audit/rules.h"

#include <string.h>
#include <strings.h>

#include "audit/names.h"
#include "audit/rules_when.h"
#include "lib/base/xalloc.h"

#define NEEDS(probe) (UINT64_C(1) << AUDIT_##probe)

static const struct rules_rule rules[] = {
#define RULE(id, subject, when, needs, weights, title, why, remedy, command)                       \
    {id, RULES_OF_##subject, weights, needs, title, why, remedy, command},
#include "audit/rules.def"
#undef RULE
};

static rules_when_fn *const conditions[] = {
#define RULE(id, subject, when, needs, weights, title, why, remedy, command) rules_when_##when,
#include "audit/rules.def"
#undef RULE
};

_Static_assert(AUDIT_PROBES <= 64, "needs has a bit for each probe");

/* The probes that left a gap, as bits of NEEDS; topic NULL: for the cluster as a whole. */
static uint64_t
gaps_of(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    uint64_t gaps = 0;

    for (unsigned i = 0; i < AUDIT_PROBES; i++)
        if (inventory->gaps[i].why != NULL || (topic != NULL && topic->gaps[i].why != NULL))
            gaps |= UINT64_C(1) << i;
    return gaps;
}

/* The gap of the first probe that a rule needs and that left one, and which it is. */
static const struct audit_gap *
gap_of(const struct rules_look *look, uint64_t gaps, enum audit_probe *probe)
{
    if (gaps == 0)
        return NULL;
    *probe = (enum audit_probe)__builtin_ctzll(gaps);
    return look->topic == NULL ? &look->inventory->gaps[*probe]
                               : inventory_gap_of(look->inventory, look->topic, *probe);
}

/* Looks at one rule, and appends a hit to what ends at `end`. */
static struct audit_hit **
look_at(struct rules_look look, size_t place, uint64_t gaps, struct audit_hit **end)
{
    enum audit_value value = conditions[place](&look) ? AUDIT_YES : AUDIT_NO;
    const struct audit_gap *gap;

    if (value == AUDIT_NO) {
        gap = gap_of(&look, rules[place].needs & gaps, &look.probe);
        if (gap == NULL)
            return end;
        value = AUDIT_UNKNOWN;
        look.text = gap->why;
    }
    *end = arena_alloc(&look.inventory->arena, sizeof **end);
    if (*end == NULL)
        return end;
    **end = (struct audit_hit){
        .rule = &rules[place], .value = value, .probe = look.probe, .text = look.text};
    return &(*end)->next;
}

static void
look_at_all(const struct rules_look *look, enum rules_subject subject, struct audit_hit **end)
{
    uint64_t gaps = gaps_of(look->inventory, look->topic);

    *end = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].subject == subject)
            end = look_at(*look, i, gaps, end);
}

void
rules_apply(struct audit_inventory *inventory)
{
    struct rules_look look = {.inventory = inventory, .probe = AUDIT_METADATA};
    const char *names[NAMES_KINDS];

    look_at_all(&look, RULES_OF_CLUSTER, &inventory->hits);
    look.names = names;
    for (uint32_t t = 0; t < inventory->topic_count; t++) {
        look.topic = &inventory->topics[t];
        names_find(look.topic->name, names);
        look_at_all(&look, RULES_OF_TOPIC, &inventory->topics[t].hits);
    }
}

/* The letters of rules.def, in the order of enum rules_weight. */
static const char letters[] = ".nwcub";

enum rules_weight
rules_weight_of(const struct rules_rule *rule, enum rules_design design)
{
    const char *at = strchr(letters, rule->weights[design]);

    return at == NULL ? RULES_NOTHING : (enum rules_weight)(at - letters);
}

enum rules_weight
rules_weight(const struct audit_hit *hit, enum rules_design design)
{
    enum rules_weight weight = rules_weight_of(hit->rule, design);

    if (hit->value == AUDIT_YES)
        return weight;
    return weight >= RULES_CHANGES ? RULES_NOT_KNOWN : RULES_NOTHING;
}

enum rules_verdict
rules_allows(enum rules_weight weight)
{
    static const enum rules_verdict verdicts[RULES_WEIGHTS] = {
        [RULES_CHANGES] = RULES_READY_WITH_CHANGES,
        [RULES_NOT_KNOWN] = RULES_UNKNOWN,
        [RULES_BLOCKS] = RULES_BLOCKED,
    };

    return verdicts[weight];
}

static const struct audit_hit *
worst_of(const struct audit_topic *topic, enum rules_design design, bool known_too)
{
    enum rules_weight worst = RULES_WARNING;
    const struct audit_hit *found = NULL;

    for (const struct audit_hit *hit = topic->hits; hit != NULL; hit = hit->next)
        if (hit->waiver == NULL && (known_too || !hit->is_known) &&
            rules_weight(hit, design) > worst) {
            worst = rules_weight(hit, design);
            found = hit;
        }
    return found;
}

static enum rules_verdict
allowed_by(const struct audit_hit *worst, enum rules_design design)
{
    return worst == NULL ? RULES_READY : rules_allows(rules_weight(worst, design));
}

const struct audit_hit *
rules_worst(const struct audit_topic *topic, enum rules_design design)
{
    return worst_of(topic, design, true);
}

const struct audit_hit *
rules_worst_new(const struct audit_topic *topic, enum rules_design design)
{
    return worst_of(topic, design, false);
}

enum rules_verdict
rules_judge(const struct audit_topic *topic, enum rules_design design)
{
    return allowed_by(rules_worst(topic, design), design);
}

enum rules_verdict
rules_judge_new(const struct audit_topic *topic, enum rules_design design)
{
    return allowed_by(rules_worst_new(topic, design), design);
}

const struct rules_rule *
rules_table(size_t *count)
{
    *count = ARRAY_LEN(rules);
    return rules;
}

const struct rules_rule *
rules_find(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (strcasecmp(rules[i].id, id) == 0)
            return &rules[i];
    return NULL;
}

const char *
rules_verdict(enum rules_verdict verdict)
{
    static const char *const names[] = {"READY", "READY_WITH_CHANGES", "UNKNOWN", "BLOCKED"};

    return names[verdict];
}

const char *
rules_weight_name(enum rules_weight weight)
{
    static const char *const names[] = {"none", "note", "warning", "changes", "unknown", "blocks"};

    return names[weight];
}

const char *
rules_design(enum rules_design design)
{
    static const char *const names[] = {
#define DESIGN(name, json, heading, title) json,
#include "audit/designs.def"
#undef DESIGN
    };

    return names[design];
}

const char *
rules_design_heading(enum rules_design design)
{
    static const char *const headings[] = {
#define DESIGN(name, json, heading, title) heading,
#include "audit/designs.def"
#undef DESIGN
    };

    return headings[design];
}

const char *
rules_design_title(enum rules_design design)
{
    static const char *const titles[] = {
#define DESIGN(name, json, heading, title) title,
#include "audit/designs.def"
#undef DESIGN
    };

    return titles[design];
}
