/*
 * rules: from facts to verdicts, per topic and design, by the table of rules.def.
 *
 * The verdict is the worst that a rule which holds allows: BLOCKED, then UNKNOWN (it may be
 * blocked), then READY_WITH_CHANGES, then READY. Only rules that speak against READY are reasons.
 */
#ifndef AUDIT_RULES_H
#define AUDIT_RULES_H

#include "audit/inventory.h"

enum rules_design { RULES_COORDINATED, RULES_WAL, RULES_DESIGNS };

/* In the order of severity. */
enum rules_verdict { RULES_READY, RULES_READY_WITH_CHANGES, RULES_UNKNOWN, RULES_BLOCKED };

#define RULES_REASONS_MAX 16

struct rules_rule {
    const char *id;
    enum rules_verdict verdicts[RULES_DESIGNS];
    const char *why;
    const char *remedy;
};

struct rules_result {
    enum rules_verdict verdict;
    const struct rules_rule *reasons[RULES_REASONS_MAX];
    size_t reason_count;
};

/* rules_judge applies the table to a topic, whose facts must have been derived. */
void rules_judge(const struct audit_inventory *inventory, const struct audit_topic *topic,
    enum rules_design design, struct rules_result *out);

const char *rules_verdict(enum rules_verdict verdict);
const char *rules_design(enum rules_design design);

#endif
