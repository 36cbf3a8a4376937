/*
 * dispatch: from a request's bytes to its handler and back to bytes.
 *
 * dispatch_start decodes and runs the handler. What cannot be read, or what this broker does not
 * serve, closes the connection, as Kafka does; only ApiVersions answers versions that it does not
 * know (35, KIP-511). dispatch_finish encodes the answer.
 */
#ifndef REFBROKER_API_DISPATCH_H
#define REFBROKER_API_DISPATCH_H

#include "refbroker/broker.h"

/* dispatch_start returns what the handler says; H_CLOSE also for requests that cannot be read. */
enum h_result dispatch_start(struct broker *broker, struct request *request);

/* dispatch_finish encodes request->out into head and pieces; false where it cannot be encoded: the
 * connection is to be closed. */
bool dispatch_finish(struct broker *broker, struct request *request);

/* dispatch_apis returns the served API of an index, in the order of keys, and its versions,
 * those that Kafka has not released only with unstable.api.versions.enable; NULL behind the last.
 * What is switched off is not served. */
const struct wire_api *dispatch_apis(
    const struct broker *broker, size_t index, int16_t *min, int16_t *max);

#endif
