/*
 * streams: how Kafka Streams is recognised from outside.
 *
 * The topics that an application makes for itself are called <application id>-<name>-changelog and
 * <application id>-<name>-repartition, and the application id is the id of its group; foreign-key
 * joins also have topics that end with -topic. Members of its classic groups put a binary user data
 * (versions 1 to 11) into their subscription. A name alone proves nothing: anybody may call a topic
 * x-changelog.
 */
#ifndef AUDIT_STREAMS_H
#define AUDIT_STREAMS_H

#include <stdbool.h>

#include "audit/inventory.h"
#include "gen/messages.h"

/* streams_is_client_id tells whether a consumer's client id looks as Streams makes them. */
bool streams_is_client_id(struct wire_string client_id);

/* streams_subscription reads the metadata of a member of a classic consumer group: an int16 version
 * and a subscription, of which out holds views. False where it is none. */
bool streams_subscription(
    struct wire_bytes metadata, struct arena *arena, struct km_consumer_protocol_subscription *out);

/* streams_is_user_data tells whether a subscription's user data is Kafka Streams'. */
bool streams_is_user_data(struct wire_bytes data, struct arena *arena);

/* streams_role returns what a topic would be by its name. */
enum audit_role streams_role(const char *name);

/* streams_owner tells whether a topic's name begins with an application id and a dash, and has more
 * between this and its suffix. */
bool streams_owner(const char *name, const char *application_id);

#endif
