/*
 * rules_when: the conditions of rules.def, each a function rules_when_<condition>.
 *
 * It returns whether the condition holds, and leaves the evidence in look->probe and look->text.
 * Where what it needs is not known it returns false; rules.c then asks for gaps. Conditions of
 * topics and those of the cluster are in files of their own; all are pure.
 */
#ifndef AUDIT_RULES_WHEN_H
#define AUDIT_RULES_WHEN_H

#include "audit/rules.h"

typedef bool rules_when_fn(struct rules_look *look);

#define RULE(id, subject, when, needs, weights, title, why, remedy, command)                       \
    rules_when_fn rules_when_##when;
#include "audit/rules.def"
#undef RULE

/* rules_when_seen leaves evidence and returns true. */
bool rules_when_seen(struct rules_look *look, enum audit_probe probe, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
