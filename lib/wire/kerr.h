/*
 * kerr: the error codes of Kafka's protocol.
 *
 * They are data in responses, never an enum rc: a request that was answered has succeeded as an
 * exchange, whatever the code in it. The rows are those of Kafka 4.3 (kerr.def); a code outside of
 * them is kept as a number and has a name that says so.
 */
#ifndef LIB_WIRE_KERR_H
#define LIB_WIRE_KERR_H

#include <stdbool.h>
#include <stdint.h>

enum kerr {
#define KERR(code, name, retriable, stale, meaning) KE_##name = (code),
#include "lib/wire/kerr.def"
#undef KERR
};

/* kerr_name returns the name as in Kafka's documentation ("NOT_COORDINATOR"), "CODE_<n>" for an
 * unknown code. The text is static, or, for unknown codes, valid until the thread's next call. */
const char *kerr_name(int16_t code);

/* kerr_meaning returns a short text for people, static. */
const char *kerr_meaning(int16_t code);

/* kerr_is_retriable tells whether Kafka's clients send the request again after this code;
 * kerr_is_stale whether they ask for fresh metadata first. Both are false for unknown codes. */
bool kerr_is_retriable(int16_t code);
bool kerr_is_stale(int16_t code);

/* kerr_find sets *code to the one of this name (without prefix, case matters); false where there is
 * none. */
bool kerr_find(const char *name, int16_t *code);

#endif
