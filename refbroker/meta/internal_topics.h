/*
 * internal_topics: the topics in which coordinators keep their state: their names, how many
 * partitions they are made with, and with which configs. The table is internal_topics.def.
 *
 * They come into being by use; a client that makes one first decides about its partitions and
 * configs, as in Kafka.
 */
#ifndef REFBROKER_META_INTERNAL_TOPICS_H
#define REFBROKER_META_INTERNAL_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum internal_topic {
#define INTERNAL_TOPIC(id, name) INTERNAL_##id,
#define INTERNAL_CONFIG(id, name, value)
#define INTERNAL_SETTING(id, name, member)
#include "refbroker/meta/internal_topics.def"
#undef INTERNAL_TOPIC
#undef INTERNAL_CONFIG
#undef INTERNAL_SETTING
    INTERNAL_TOPIC_COUNT
};

/* What the broker's settings say of one (broker_configs.def). */
struct internal_topic_settings {
    int32_t partitions;
    int32_t segment_bytes;
    int32_t min_isr;
};

/* One config, with room for a number. */
struct internal_topic_config {
    const char *name;
    char value[24];
};

#define INTERNAL_TOPIC_CONFIGS_MAX 8 /* of one topic */

/* internal_topics_find returns the topic of a name, or INTERNAL_TOPIC_COUNT. */
enum internal_topic internal_topics_find(const char *name);

/* internal_topics_configs lists the configs that a topic is made with, and returns their number. */
size_t internal_topics_configs(enum internal_topic topic,
    const struct internal_topic_settings *settings,
    struct internal_topic_config configs[INTERNAL_TOPIC_CONFIGS_MAX]);

#endif
