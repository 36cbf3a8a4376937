/*
 * report: what people and machines see of a run.
 *
 * Text for a terminal: a line per area, failures in full, one line of sums. TAP 14: a line per
 * check as it ends. JSON: one document with everything. JUnit: a file for CI servers, beside any of
 * these.
 */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include <stdio.h>

#include "conformance/runner.h"
#include "lib/base/buf.h"
#include "lib/base/jdoc.h"

enum report_format { REPORT_TEXT, REPORT_TAP, REPORT_JSON };

struct report_options {
    enum report_format format;
    FILE *out;
    FILE *progress; /* a terminal, or NULL */
    bool has_color;
    bool is_utf8;
    const char *bootstrap;
    const char *again; /* flags to repeat the run with: "-b HOST:PORT --profile X" */
    const struct target *target;
    const struct kc_options *options;
    const struct profile *profile;
    size_t count; /* of checks to come */
};

struct report;

/* report_new prints what stands at the top; options must outlive it. */
struct report *report_new(const struct report_options *options);
void report_free(struct report *report);

/* report_add takes one outcome: the runner's done function. */
void report_add(void *report, const struct runner_outcome *outcome);

/* report_end prints what stands at the end and returns the exit code. */
int report_end(struct report *report);

/* report_json returns the whole run as a document, which the report keeps. */
const struct jdoc *report_json(struct report *report);

/* report_count returns how many checks ended so. */
size_t report_count(const struct report *report, enum verdict verdict);

#endif
