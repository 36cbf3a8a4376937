/*
 * quota_gate: quotas at work on requests (KIP-13, KIP-124, KIP-219, KIP-599).
 *
 * A client above its quota gets its answer at once, with the time that it is to wait, and its
 * connection is not read from until that time is over: clients that do not know of quotas are
 * slowed down, too. A Fetch above its quota is answered without records. Who has not logged in,
 * where nobody has to, is the user ANONYMOUS.
 */
#ifndef REFBROKER_API_QUOTA_GATE_H
#define REFBROKER_API_QUOTA_GATE_H

#include "refbroker/broker.h"

/* quota_gate_mutate notes partitions that a request wants made or removed. False where the client
 * is above its quota and the version of the API is one that refuses then
 * (KE_THROTTLING_QUOTA_EXCEEDED). */
bool quota_gate_mutate(
    struct broker *broker, struct request *request, int32_t partitions, int16_t strict_since);

/* quota_gate_fetch_bytes_max returns how much a Fetch may be answered with at most. */
int32_t quota_gate_fetch_bytes_max(
    struct broker *broker, const struct request *request, int32_t bytes_max);

/* quota_gate_fetch notes the bytes of records of an answer; false where it is to go without them.
 */
bool quota_gate_fetch(struct broker *broker, struct request *request, int64_t bytes);

/* quota_gate_settle notes what else a request cost (a Produce its bytes, every one the time that
 * handlers worked on it), puts the time to wait into its answer and returns it, in ms. */
int64_t quota_gate_settle(struct broker *broker, struct request *request);

#endif
