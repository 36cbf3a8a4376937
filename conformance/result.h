/*
 * result: how a check ended, and the evidence.
 *
 * Made in the check's process, sent as one JSON text through a pipe, read by the runner.
 */
#ifndef CONFORMANCE_RESULT_H
#define CONFORMANCE_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/jdoc.h"

#define RESULT_TEXT_MAX ((size_t)16384)
#define RESULT_JSON_MAX ((size_t)131072)

enum verdict {
#define VERDICT(name, word, is_bad) VERDICT_##name,
#include "conformance/verdicts.def"
#undef VERDICT
    VERDICT_COUNT,
};

/* Texts are owned, NULL where there is none. */
struct result {
    enum verdict verdict;
    int64_t duration_ms;
    bool was_silent; /* it ended because the target did not answer at all */
    char *reason;    /* of a skip, of an error, or what a profile says to a documented result */
    char *observed;  /* a failure's observation, the word that profiles name: "error_code=45" */
    char *expected;
    char *received; /* what stood in the place of what was expected */
    char *sent;     /* the last request and its answer, decoded and in hexadecimal */
    char *answer;
    char *sent_hex;
    char *answer_hex;
};

void result_fini(struct result *result);

/* result_word and result_is_bad look up a verdict. */
const char *result_word(enum verdict verdict);
bool result_is_bad(enum verdict verdict);

/* result_to_json returns the members of a result, result_from_json reads them back; RC_CORRUPT for
 * a verdict that is none. */
struct jdoc *result_to_json(const struct result *result);
MUST_CHECK enum rc result_from_json(const struct jdoc *json, struct result *result, struct err *e);

#endif
