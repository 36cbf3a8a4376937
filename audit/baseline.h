/*
 * baseline: an audit of before, whose findings fail nobody any more.
 *
 * A finding is known where the baseline has the same rule for the topic of the same name (or for
 * the cluster), and was no less sure of it: what was unknown and holds now is new. Known findings
 * are told and weigh on verdicts as ever; what asks for new ones (rules_judge_new) passes them
 * over.
 */
#ifndef AUDIT_BASELINE_H
#define AUDIT_BASELINE_H

#include "audit/inventory.h"

/* baseline_apply marks hits of an inventory, is_known, by those of `before`; both have been judged.
 * Marks of an earlier call are taken away. */
void baseline_apply(const struct audit_inventory *before, struct audit_inventory *inventory);

#endif
