/*
 * cluster: a Kafka cluster as its clients see it: metadata, and questions to the right broker.
 *
 * Nothing is asked before somebody needs it; connections are opened when they are used and kept.
 * The functions here that return an answer run the loop until they have it; whatever else is on
 * that loop goes on meanwhile. They must not be called in a callback of the loop. For many
 * questions at once, and for those that go on for ever, see cluster_fan.h, which does not block.
 *
 * Not thread-safe: the loop's thread.
 */
#ifndef LIB_KAFKA_CLUSTER_H
#define LIB_KAFKA_CLUSTER_H

#include "lib/kafka/cluster_coord.h"
#include "lib/kafka/cluster_fan.h"
#include "lib/kafka/cluster_map.h"
#include "lib/kafka/conf.h"

struct cluster;

/* cluster_new reads certificates and keys and connects to nothing yet; loop and conf must outlive
 * it. */
MUST_CHECK enum rc cluster_new(
    struct loop *loop, const struct conf_client *conf, struct cluster **out, struct err *e);

/* cluster_free closes all connections; its fans must be freed before. NULL is accepted. */
void cluster_free(struct cluster *cluster);

struct loop *cluster_loop(const struct cluster *cluster);

/* cluster_view returns what is known; it changes with every refresh. */
const struct cluster_map *cluster_view(const struct cluster *cluster);

/* cluster_refresh asks for all topics, cluster_refresh_some for those named (none: only for the
 * brokers). RC_OK also where the answer gives a topic an error code: see cluster_map.h. */
MUST_CHECK enum rc cluster_refresh(struct cluster *cluster, struct err *e);
MUST_CHECK enum rc cluster_refresh_some(
    struct cluster *cluster, const char *const *topics, size_t count, struct err *e);

/* cluster_refresh in two halves, between which others may be asked: begin asks, end runs the loop
 * until the answer is there, and frees. */
struct cluster_refreshing;
struct cluster_refreshing *cluster_refresh_begin(struct cluster *cluster);
MUST_CHECK enum rc cluster_refresh_end(struct cluster_refreshing *refreshing, struct err *e);

/* cluster_find_groups finds out who coordinates groups, so that what is asked of them goes out at
 * once. Those that cannot be found are looked for again then. */
void cluster_find_groups(struct cluster *cluster, const char *const *groups, size_t count);

/*
 * cluster_call asks one question and returns the answer, which the caller unrefs. A retriable error
 * on the answer's top level, a broken connection and a moved coordinator or leader are tried once
 * more; codes further inside, and those that stay, are the caller's to read. `wanted` NULL means
 * any version; timeout_ms 0 the configuration's.
 */
MUST_CHECK enum rc cluster_call(struct cluster *cluster, const struct cluster_target *target,
    const struct wire_api *api, const struct wire_range *wanted, const void *request,
    int64_t timeout_ms, struct conn_reply **reply, struct err *e);

/*
 * cluster_avoid_silent: from now on a broker to which no connection gets ready in time (it does not
 * even tell its versions) is not asked any more. What is for it alone fails at once, with that
 * error; what any broker can answer goes to others. Called again it gives all brokers another
 * chance. For who asks many questions once each, to whom a silent broker then costs one deadline.
 */
void cluster_avoid_silent(struct cluster *cluster);

/* cluster_fan_out runs a fan until all its items have ended; stats may be NULL. */
void cluster_fan_out(
    struct cluster *cluster, const struct cluster_fan_spec *spec, struct cluster_fan_stats *stats);

/* cluster_fan_finish runs the loop until a fan that was started has ended, and frees it. Several
 * may be under way meanwhile. */
void cluster_fan_finish(
    struct cluster *cluster, struct cluster_fan *fan, struct cluster_fan_stats *stats);

/* cluster_stats adds up all connections. */
void cluster_stats(const struct cluster *cluster, struct conn_stats *out);

#endif
