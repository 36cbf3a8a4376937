/*
 * conn_versions: which APIs and versions a broker speaks, and which version to use.
 *
 * The versions of a request are those that the broker, our schema and the caller have in common;
 * the highest is taken. A last version that Kafka marks as unstable is used only where the caller's
 * range begins with it.
 */
#ifndef LIB_KAFKA_CONN_VERSIONS_H
#define LIB_KAFKA_CONN_VERSIONS_H

#include <stdint.h>

#include "gen/messages.h"
#include "lib/base/err.h"
#include "lib/wire/desc.h"

struct conn_versions {
    struct wire_range ranges[KM_API_COUNT]; /* in the order of km_apis; empty: not spoken */
};

/* conn_versions_clear: no API is spoken. */
void conn_versions_clear(struct conn_versions *versions);

/* conn_versions_load takes over what a broker answered; APIs that our schema lacks are ignored. */
void conn_versions_load(
    struct conn_versions *versions, const struct km_api_versions_response *response);

/* conn_versions_range returns the broker's versions of an API; an empty range where it has none. */
struct wire_range conn_versions_range(
    const struct conn_versions *versions, const struct wire_api *api);

/* conn_versions_pick sets *version; `wanted` NULL means any. RC_UNSUPPORTED, with both sides'
 * versions, where nothing is in common. */
MUST_CHECK enum rc conn_versions_pick(const struct conn_versions *versions,
    const struct wire_api *api, const struct wire_range *wanted, int16_t *version, struct err *e);

#endif
