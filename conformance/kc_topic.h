/*
 * kc_topic: topics of a check, created explicitly, named kc-<run>-<area>-<number>.
 *
 * The runner deletes every topic of its run at the end, so a check deletes only what it checks the
 * deletion of. Creating counts as preparation (kc_setup_begin): where it fails the check has no
 * verdict.
 */
#ifndef CONFORMANCE_KC_TOPIC_H
#define CONFORMANCE_KC_TOPIC_H

#include "conformance/kc.h"

struct kc_topic {
    char *name;
    struct wire_uuid id; /* zero where Metadata gives none */
    int32_t partition_count;
    size_t *leaders; /* index of the broker of the target, by partition */
};

/*
 * kc_topic_new creates a topic with configs "name=value", ending with NULL, beside those of the
 * run, and returns when every partition's leader answers ListOffsets.
 */
struct kc_topic *kc_topic_new(struct kc *kc, int32_t partition_count, ...)
    __attribute__((sentinel));

/* kc_topic_name returns a name that this check has not used yet; nothing is created. */
char *kc_topic_name(struct kc *kc);

/* kc_topic_create asks once for a topic and returns the error code; kc_topic_create_as gives it
 * configs "name=value", too. */
int16_t kc_topic_create(struct kc *kc, const char *name, int32_t partition_count);
int16_t kc_topic_create_as(struct kc *kc, const char *name, int32_t partition_count,
    const char *const *configs, size_t config_count);

/* kc_topic_await waits until a topic that exists, or is about to, is served, and describes it. */
struct kc_topic *kc_topic_await(struct kc *kc, const char *name, int32_t partition_count);

/* kc_topic_internal returns the topic in which the target keeps groups, which it makes when one is
 * asked for; the check is skipped where there is none. */
struct kc_topic *kc_topic_internal(struct kc *kc);

/* kc_topic_delete_all asks once for the deletion of several. */
const struct km_delete_topics_response *kc_topic_delete_all(
    struct kc *kc, struct wire_string *names, int32_t count);

/* kc_topic_delete deletes it and waits until Metadata of every broker answers 3. */
void kc_topic_delete(struct kc *kc, const char *name);

/* kc_topic_recreate deletes and creates a topic with the same name. */
struct kc_topic *kc_topic_recreate(struct kc *kc, const struct kc_topic *old);

/* kc_topic_leader returns the ordinary connection to a partition's leader. */
struct link *kc_topic_leader(struct kc *kc, const struct kc_topic *topic, int32_t partition);

/* As in requests about configs. */
enum kc_resource { KC_RESOURCE_TOPIC = 2, KC_RESOURCE_GROUP = 32 };

/* kc_config_set alters one config (IncrementalAlterConfigs), and fails unless that is taken;
 * kc_topic_set does so for a topic. */
void kc_config_set(struct kc *kc, enum kc_resource type, const char *resource_name,
    const char *name, const char *value);
void kc_topic_set(struct kc *kc, const struct kc_topic *topic, const char *name, const char *value);

/* kc_config_told returns what a broker tells of one config (DescribeConfigs); kc_topic_has asserts
 * that it tells the value that a topic was given for a config
 * ("name=value"): "config-missing", "config-differs". */
const struct km_describe_configs_response_resource_result *kc_config_told(struct kc *kc,
    struct link *link, enum kc_resource type, const char *resource_name, struct wire_string name);
void kc_topic_has(struct kc *kc, const char *topic_name, const char *config);

/* Metadata for topics by name, without creating them; count -1 asks for all. The topic of an
 * answer by name, or NULL. */
const struct km_metadata_response *kc_topic_metadata(
    struct kc *kc, struct link *link, const char *const *names, int32_t count);
const struct km_metadata_response_topic *kc_topic_find(
    const struct km_metadata_response *response, const char *name);

/* kc_topic_is_named compares a string of an answer with a name. */
bool kc_topic_is_named(struct wire_string text, const char *name);

#endif
