/*
 * audit_output: what `kdl audit` and `kdl audit report` print of an audit, and their exit codes.
 */
#ifndef CLI_AUDIT_OUTPUT_H
#define CLI_AUDIT_OUTPUT_H

#include "audit/inventory.h"
#include "audit/waivers.h"
#include "cli/options.h"

/* The flags that both have; the first alone, too. */
#define AUDIT_OUTPUT_DESIGN                                                                        \
    {                                                                                              \
        "design", 'd', OPTION_TEXT, "NAME,...", NULL, 0, 0,                                        \
            "which designs to judge for, or all (default: coordinated,wal)"                        \
    }
#define AUDIT_OUTPUT_OPTIONS                                                                       \
    {"output", 'o', OPTION_WORD, "FORMAT",                                                         \
        "table|wide|json|csv|markdown|html|sarif|junit|waves|dot", 0, 0, "what is printed"},       \
        AUDIT_OUTPUT_DESIGN,                                                                       \
        {"tie", 0, OPTION_LIST, "TOPIC,...", NULL, 0, 0, "these topics have to move together"},    \
        {"path", 0, OPTION_TEXT, "TOPIC,TOPIC", NULL, 0, 0,                                        \
            "print only by what two topics are tied together"},                                    \
        {"html", 0, OPTION_TEXT, "FILE", NULL, 0, 0, "also write a web page, one file"},           \
        {"waivers", 0, OPTION_TEXT, "FILE", NULL, 0, 0,                                            \
            "findings that somebody answers for, a line each: RULE TOPICS UNTIL OWNER WHY"},       \
        {"baseline", 0, OPTION_TEXT, "FILE", NULL, 0, 0,                                           \
            "a snapshot of before, whose findings do not count for --fail-on"},                    \
    {                                                                                              \
        "fail-on", 0, OPTION_WORD, "LEVEL", "changes|unknown|blocked", 0, 0,                       \
            "exit 1 (4: only unknown) where a verdict is that bad or worse"                        \
    }

#define AUDIT_OUTPUT_NOTES                                                                         \
    "Verdicts are READY,\nREADY_WITH_CHANGES (shown as CHANGES), UNKNOWN and BLOCKED, in "         \
    "this order.\n\n"                                                                              \
    "exit codes\n"                                                                                 \
    "  0 fine, 1 a verdict at or above --fail-on, 2 wrong use, 3 unreachable or refused, "         \
    "4 as 1, but only for what stayed unknown"

/* audit_output_designs reads --design as bits; RC_CONFIG names the flag. */
MUST_CHECK enum rc audit_output_designs(
    const struct options *options, uint32_t *designs, struct err *e);

/* What the flags want. */
struct audit_output {
    const struct options *options;
    uint32_t designs;
    struct waivers waivers;
    struct audit_inventory *before; /* the baseline, judged; NULL: none */
};

/* audit_output_init reads the flags, --waivers' and --baseline's files too, and says before an
 * audit what is wrong with them: RC_CONFIG, or what snapshot_read says. audit_output_fini is to be
 * called in any case. */
MUST_CHECK enum rc audit_output_init(
    struct audit_output *output, const struct options *options, struct err *e);
void audit_output_fini(struct audit_output *output);

/* audit_output_print prints an inventory whose rules have been applied, and returns the exit code.
 * It marks what is waived or known, and tells on stderr of waivers that are over or waive nothing.
 */
int audit_output_print(struct audit_output *output, struct audit_inventory *inventory);

#endif
