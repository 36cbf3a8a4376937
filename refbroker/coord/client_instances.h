/*
 * client_instances: the clients that are asked for their metrics (KIP-714), and the state machine
 * of each: what it was asked for, when it may ask and push again, when it is forgotten
 * (ClientMetricsManager.java, ClientMetricsInstance.java of Kafka 4.3).
 *
 * A client is known by its instance id from its first request on. Every change of a subscription
 * makes it a new one at its next request: no time counts then, and no error. It is forgotten with
 * the connection on which it became known (client_instances_forget), when it asks nothing for three
 * intervals and a minute at least, and, beyond CLIENT_INSTANCES_MAX, when nobody asked for longer;
 * its values go with it, and with a change of subscriptions. Where Kafka goes its own way, this
 * does: a refused push that is not the last one takes back that the client has ended, and a client
 * that was told that its subscription is unknown may ask at any time, but the time of that is not
 * noted.
 *
 * Knows no clock but env, and no request. Owned by the broker; not thread-safe.
 */
#ifndef REFBROKER_COORD_CLIENT_INSTANCES_H
#define REFBROKER_COORD_CLIENT_INSTANCES_H

#include "lib/base/env.h"
#include "lib/base/heap.h"
#include "lib/base/list.h"
#include "refbroker/coord/client_samples.h"
#include "refbroker/coord/client_subscriptions.h"

#define CLIENT_INSTANCES_MAX 16384
#define CLIENT_INSTANCES_EXPIRY_MS_MIN 60000

struct client_instance {
    struct wire_uuid id;
    struct list_node in_use; /* oldest request first */
    struct heap_node expiry;
    int64_t version; /* of the subscriptions */
    int32_t subscription_id;
    int32_t interval_ms;
    int64_t get_ms; /* when it was told its subscription */
    int64_t push_ms;
    bool ended;
    int16_t last_error;
    struct client_samples_owner values;
};

struct client_instances {
    struct env *env; /* borrowed */
    struct client_subscriptions subscriptions;
    struct client_samples samples;
    struct map by_id; /* -> struct client_instance */
    struct list in_use;
    struct heap expiry;
};

/* What a PushTelemetry says. */
struct client_push {
    int32_t subscription_id;
    bool last;
    int8_t codec; /* enum compress_codec, as it came */
    size_t size;
    size_t size_max; /* telemetry.max.bytes */
};

struct client_instances *client_instances_new(struct env *env);
void client_instances_free(struct client_instances *instances); /* accepts NULL */

/* client_instances_find returns a client that is known, or NULL. client_instances_use makes it
 * known, and new where it is not or subscriptions have changed: *fresh. */
struct client_instance *client_instances_find(
    const struct client_instances *instances, const struct wire_uuid *id);
struct client_instance *client_instances_use(struct client_instances *instances,
    const struct wire_uuid *id, const struct client_traits *traits, bool *fresh);

/* client_instances_new_id makes an id for a client that has none. */
struct wire_uuid client_instances_new_id(struct client_instances *instances);

/* client_instances_get and client_instances_push judge what a client asks now: an error of Kafka's
 * protocol, or 0. client_instances_settle notes what became of a push that was fine; the values of
 * a client that has ended go. */
int16_t client_instances_get(struct client_instances *instances, struct client_instance *instance);
int16_t client_instances_push(struct client_instances *instances, struct client_instance *instance,
    const struct client_push *push);
void client_instances_settle(
    struct client_instances *instances, struct client_instance *instance, int16_t error);

/* client_instances_forget ends a client; without effect on one that is not known. */
void client_instances_forget(struct client_instances *instances, const struct wire_uuid *id);

/* client_instances_tick forgets who was silent for too long, and returns when it wants to be called
 * again. */
int64_t client_instances_tick(struct client_instances *instances);

#endif
