/*
 * report_junit: a run as JUnit XML, one suite per area.
 *
 * As documented and not applicable are skipped there, with the reason; everything that fails the
 * run is a failure, no verdict an error.
 */
#ifndef CONFORMANCE_REPORT_JUNIT_H
#define CONFORMANCE_REPORT_JUNIT_H

#include "lib/base/buf.h"
#include "lib/base/jdoc.h"

/* report_junit_text appends the XML of a document of report_json. */
void report_junit_text(const struct jdoc *run, struct buf *out);

#endif
