/*
 * create: topics that come into being, by request or by use.
 *
 * Checks follow ReplicationControlManager.createTopic, with Kafka's codes and words. One broker
 * means one copy: a replication factor of -1 or 1 is accepted, a larger one refused with 38,
 * explicit assignments may name this broker alone. On coordinated topics (diskless.enable=true)
 * assignments are refused as Inkless refuses them. The topic exists for clients once the catalog
 * has it.
 */
#ifndef REFBROKER_META_CREATE_H
#define REFBROKER_META_CREATE_H

#include "refbroker/broker.h"

#define CREATE_TEXT_BYTES 512

struct create_config {
    char *name;
    char *value; /* NULL: the default */
};

/* A topic to make. Strings are owned by it. */
struct create_topic {
    char *name;
    int32_t partitions;         /* -1: the broker's default */
    int16_t replication_factor; /* -1: the broker's default */
    struct create_config *configs;
    size_t config_count;
    const struct create_assignment *assignments;
    size_t assignment_count;
    /* Results. */
    struct wire_uuid topic_id;
    int16_t error;
    char text[CREATE_TEXT_BYTES];
};

struct create_assignment {
    int32_t partition;
    const int32_t *brokers;
    int32_t broker_count;
};

/* Called on the owner's thread when the catalog has decided; every topic's error is set. */
typedef void create_done_fn(
    struct broker *broker, void *arg, struct create_topic *topics, size_t count);

/* create_check judges one topic and sets its error and text; the name is reserved by create_submit
 * only. */
void create_check(struct broker *broker, struct create_topic *topic);

/* create_submit makes the topics whose error is 0 and calls done; it takes over the array and its
 * strings, and frees them after done. */
void create_submit(struct broker *broker, struct create_topic *topics_take, size_t count,
    create_done_fn *done, void *arg);

/* create_topics_free frees an array that was not submitted. */
void create_topics_free(struct create_topic *topics, size_t count);

/* create_topic_by_use starts making a topic with the broker's defaults, unless its name or a limit
 * forbids it: whoever uses it asks again, and sees. */
void create_topic_by_use(struct broker *broker, const char *name, size_t size);

#endif
