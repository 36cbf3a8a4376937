/*
 * report: prints requests, the answers of both sides, and where these differ.
 *
 * Answers are in terms of markers and settled (answers.h); NULL stands for a connection that was
 * closed instead. The first is Apache Kafka's.
 */
#ifndef TESTS_DIFFER_REPORT_H
#define TESTS_DIFFER_REPORT_H

#include "tests/differ/requests.h"

/* report_differences prints those that tests/differ/allowed.def does not explain, and returns their
 * number. */
size_t report_differences(const struct requests_made *made, void *const answers[2]);

void report_request(const struct requests_made *made, uint64_t number);

void report_answers(const struct requests_made *made, void *const answers[2]);

#endif
