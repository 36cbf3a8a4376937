/*
 * rules: from facts, configs and names to verdicts, per topic and design, by the table of
 * rules.def.
 *
 * rules_apply looks at each topic, and once at the cluster, and keeps what holds as hits. A rule
 * whose probe was refused or failed does not say no: its hit is "unknown", with the probe's reason.
 * What a hit weighs depends on the design. The verdict is the worst of what they allow: BLOCKED,
 * then UNKNOWN (it may be blocked, or need changes), then READY_WITH_CHANGES, then READY; warnings
 * and notes leave it as it is.
 *
 * Hits lie in the inventory's arena, in the order of the table. Rules about the cluster weigh on no
 * topic.
 */
#ifndef AUDIT_RULES_H
#define AUDIT_RULES_H

#include "audit/inventory.h"

enum rules_design {
#define DESIGN(name, json, heading, title) RULES_##name,
#include "audit/designs.def"
#undef DESIGN
    RULES_DESIGNS,
};

/* In the order of severity. */
enum rules_verdict { RULES_READY, RULES_READY_WITH_CHANGES, RULES_UNKNOWN, RULES_BLOCKED };

enum rules_weight {
    RULES_NOTHING,
    RULES_NOTE,
    RULES_WARNING,
    RULES_CHANGES,
    RULES_NOT_KNOWN,
    RULES_BLOCKS,
    RULES_WEIGHTS,
};

enum rules_subject { RULES_OF_TOPIC, RULES_OF_CLUSTER };

struct rules_rule {
    const char *id;
    enum rules_subject subject;
    const char *weights; /* one letter per design: .nwcub */
    uint64_t needs;      /* bits of enum audit_probe: who must have answered for a "no" */
    const char *title;   /* what is so, as a clause */
    const char *why;     /* why it matters */
    const char *remedy;
    const char *command; /* "": none; TOPIC, CLUSTER stand for what the user puts there */
};

/* What a condition looks at, and where it leaves its evidence. */
struct rules_look {
    struct audit_inventory *inventory;
    const struct audit_topic *topic; /* NULL for the cluster */
    const char *const *names;        /* as names_find leaves them for the topic */
    enum audit_probe probe;
    const char *text;
};

/* rules_apply fills topic->hits and inventory->hits, anew where they were filled. The facts must
 * have been derived. */
void rules_apply(struct audit_inventory *inventory);

/* rules_weight is what a hit weighs for a design. */
enum rules_weight rules_weight(const struct audit_hit *hit, enum rules_design design);

/* rules_allows is the verdict that a weight allows at best. */
enum rules_verdict rules_allows(enum rules_weight weight);

/* rules_judge adds up a topic's hits, those that are waived (waivers.h) aside. */
enum rules_verdict rules_judge(const struct audit_topic *topic, enum rules_design design);

/* rules_worst is the hit that weighs most, the first of equals; NULL where none weighs on the
 * verdict. */
const struct audit_hit *rules_worst(const struct audit_topic *topic, enum rules_design design);

/* rules_judge_new and rules_worst_new pass those over that a baseline has, too (baseline.h). */
enum rules_verdict rules_judge_new(const struct audit_topic *topic, enum rules_design design);
const struct audit_hit *rules_worst_new(const struct audit_topic *topic, enum rules_design design);

const struct rules_rule *rules_table(size_t *count);

/* rules_find is NULL for an id that is none. Letters of any case. */
const struct rules_rule *rules_find(const char *id);

/* Names as JSON has them, and for people. */
const char *rules_verdict(enum rules_verdict verdict);
const char *rules_weight_name(enum rules_weight weight);
const char *rules_design(enum rules_design design);
const char *rules_design_heading(enum rules_design design);
const char *rules_design_title(enum rules_design design);

/* rules_weight_of is what a rule weighs for a design where it holds. */
enum rules_weight rules_weight_of(const struct rules_rule *rule, enum rules_design design);

#endif
