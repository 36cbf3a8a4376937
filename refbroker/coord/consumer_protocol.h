/*
 * consumer_protocol: what consumers of the classic protocol put into the metadata and assignments
 * of their groups (ConsumerProtocol): a version (int16) and a message. A version above the highest
 * that is known is read as that one.
 */
#ifndef REFBROKER_COORD_CONSUMER_PROTOCOL_H
#define REFBROKER_COORD_CONSUMER_PROTOCOL_H

#include "gen/messages.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#define CONSUMER_PROTOCOL_TYPE "consumer"

/* What is read: views into the data, arrays in the arena. */
MUST_CHECK enum rc consumer_protocol_version(
    struct wire_bytes data, int16_t *version, struct err *e);
MUST_CHECK enum rc consumer_protocol_subscription(struct wire_bytes data, struct arena *arena,
    struct km_consumer_protocol_subscription *out, struct err *e);
MUST_CHECK enum rc consumer_protocol_assignment(struct wire_bytes data, struct arena *arena,
    struct km_consumer_protocol_assignment *out, struct err *e);

/* consumer_protocol_topics reads a subscription's topics alone, as version 0 has them. */
MUST_CHECK enum rc consumer_protocol_topics(struct wire_bytes data, struct arena *arena,
    struct km_consumer_protocol_subscription *out, struct err *e);

/* consumer_protocol_assignment_put writes an assignment of a version that is known. */
MUST_CHECK enum rc consumer_protocol_assignment_put(int16_t version,
    const struct km_consumer_protocol_assignment *assignment, struct buf *out, struct err *e);

#endif
