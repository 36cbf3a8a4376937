/*
 * topics: a topic's own configs as its cluster tells them, and topics made in another cluster.
 *
 * Own configs are those that were set for the topic (source DYNAMIC_TOPIC_CONFIG); what it inherits
 * from its cluster stays there. Some own ones belong to the cluster, too (throttles, tiering,
 * min.insync.replicas), and are not to be copied: topics_is_copied.
 */
#ifndef MIRROR_TOPICS_H
#define MIRROR_TOPICS_H

#include "gen/messages.h"
#include "mirror/selection.h"

/* topics_configs_ask returns the DescribeConfigs answer for all topics of a selection, which the
 * caller unrefs: about one config, or all of them where `name` is NULL. */
MUST_CHECK enum rc topics_configs_ask(struct cluster *cluster, const struct selection *selection,
    const char *name, struct conn_reply **reply, struct err *e);

/* topics_configs_of finds what such an answer says of one topic; NULL where it says nothing. */
const struct km_describe_configs_response_result *topics_configs_of(
    const struct conn_reply *reply, const char *topic);

/* topics_is_own tells whether it is the topic's own config, with a value. */
bool topics_is_own(const struct km_describe_configs_response_resource_result *config);

/* topics_is_copied tells whether a config with this name goes along to another cluster. */
bool topics_is_copied(struct wire_string name);

/* topics_compaction asks for each topic's cleanup.policy and sets `compacts`. */
MUST_CHECK enum rc topics_compaction(
    struct cluster *cluster, struct selection *selection, struct err *e);

struct topics_wanted {
    struct wire_string name;
    int32_t partition_count;
    struct km_create_topics_request_creatable_topic_config *configs; /* is not changed */
    int32_t config_count;
};

/* topics_make creates a topic unless it exists; *made tells which. RC_REMOTE where it is refused.
 */
MUST_CHECK enum rc topics_make(
    struct cluster *to, const struct topics_wanted *wanted, bool *made, struct err *e);

/* topics_mirroring puts all topics of a selection of the target into state mirroring.
 * RC_UNSUPPORTED where the target is no refbroker, RC_CONFLICT where a topic is in use there. */
MUST_CHECK enum rc topics_mirroring(
    struct cluster *to, const struct selection *selection, struct err *e);

/* topics_promote ends the mirroring of all topics, which take producers then, with leader epochs
 * above `epochs` (by topic; of the source). Transactions that are open are aborted, or where that
 * is not wanted RC_CONFLICT. Topics that are promoted already stay as they are, and those that came
 * before one that fails are promoted, too: to be called again. */
MUST_CHECK enum rc topics_promote(struct cluster *to, const struct selection *selection,
    const int32_t *epochs, bool aborts_open, struct err *e);

#endif
