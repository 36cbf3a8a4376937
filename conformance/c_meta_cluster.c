/* Area meta, second half: brokers, coordinators, DescribeTopicPartitions. */
#include <stdlib.h>
#include <string.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_topic.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define KEY_GROUP 0
#define KEY_NO_SUCH_TYPE 9
#define SESSION_MS 10000
#define PAGE 3
#define PAGED_PARTITIONS 10

/* --- brokers ---------------------------------------------------------------------------------- */

static const struct km_describe_cluster_response *
describe_cluster(struct kc *kc, struct link *link)
{
    struct km_describe_cluster_request body;

    codec_init(&km_describe_cluster_request_desc, &body);
    return kc_ask(
        kc, link, KM_DESCRIBE_CLUSTER, kc_version(kc, KM_DESCRIBE_CLUSTER, KC_VERSION_MAX), &body);
}

static const struct km_describe_cluster_response_broker *
described_broker(const struct km_describe_cluster_response *response, int32_t id)
{
    for (int32_t i = 0; i < response->brokers.count; i++)
        if (response->brokers.items[i].broker_id == id)
            return &response->brokers.items[i];
    return NULL;
}

static void
leader_connectable(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    const char *name = topic->name;

    for (size_t broker = 0; broker < kc->target->broker_count; broker++) {
        struct link *link = kc_link_new(kc, broker);
        const struct km_metadata_response *response = kc_topic_metadata(kc, link, &name, 1);
        bool knows_itself = false;

        for (int32_t i = 0; i < response->brokers.count; i++)
            knows_itself |= response->brokers.items[i].node_id == kc->target->brokers[broker].id;
        kc_that(kc, knows_itself, "broker-missing", "broker %d to name itself",
            kc->target->brokers[broker].id);
        kc_that(kc, kc_topic_find(response, name) != NULL, "topic-missing", "the topic described");
        kc_broker(kc, kc_topic_find(response, name)->partitions.items[0].leader_id);
    }
}

static bool
holds(const int32_t *items, int32_t count, int32_t wanted)
{
    for (int32_t i = 0; i < count; i++)
        if (items[i] == wanted)
            return true;
    return false;
}

static void
partitions_dense(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 7, NULL);
    const char *name = topic->name;
    const struct km_metadata_response_topic *seen =
        kc_topic_find(kc_topic_metadata(kc, kc_link(kc, 0), &name, 1), name);
    bool has[7] = {false};

    kc_that(kc, seen != NULL, "topic-missing", "the topic described");
    kc_int(kc, "partitions_count", seen->partitions.count, 7);
    for (int32_t i = 0; i < 7; i++) {
        const struct km_metadata_response_partition *part = &seen->partitions.items[i];

        kc_that(kc,
            part->partition_index >= 0 && part->partition_index < 7 && !has[part->partition_index],
            "index-wrong", "partition indexes 0 to 6, each once");
        has[part->partition_index] = true;
        kc_broker(kc, part->leader_id);
        kc_that(kc, holds(part->replica_nodes.items, part->replica_nodes.count, part->leader_id),
            "leader-no-replica", "the leader among the replicas");
        for (int32_t k = 0; k < part->isr_nodes.count; k++)
            kc_that(kc,
                holds(
                    part->replica_nodes.items, part->replica_nodes.count, part->isr_nodes.items[k]),
                "isr-no-replica", "replicas in sync among the replicas");
    }
}

static void
cluster_id(struct kc *kc)
{
    struct wire_string first = {NULL, -1};

    for (size_t broker = 0; broker < kc->target->broker_count; broker++) {
        const struct km_metadata_response *response =
            kc_topic_metadata(kc, kc_link(kc, broker), NULL, 0);

        kc_that(kc, response->cluster_id.size > 0, "no-cluster-id", "a cluster id");
        if (first.size < 0)
            first = response->cluster_id;
        kc_bytes(kc, "cluster_id",
            (struct wire_bytes){
                (const uint8_t *)response->cluster_id.data, response->cluster_id.size},
            (struct wire_bytes){(const uint8_t *)first.data, first.size});
    }
}

static void
cluster_describe(struct kc *kc)
{
    const struct km_metadata_response *meta = kc_topic_metadata(kc, kc_link(kc, 0), NULL, 0);
    const struct km_describe_cluster_response *response = describe_cluster(kc, kc_link(kc, 0));

    kc_code(kc, "error_code", response->error_code, KE_NONE);
    kc_that(kc,
        meta->cluster_id.size >= 0 &&
            kc_topic_is_named(response->cluster_id,
                kc_printf(kc, "%.*s", meta->cluster_id.size, meta->cluster_id.data)),
        "cluster-id-differs", "the cluster id of Metadata");
    kc_int(kc, "brokers_count", response->brokers.count, meta->brokers.count);
    for (int32_t i = 0; i < meta->brokers.count; i++) {
        const struct km_describe_cluster_response_broker *broker =
            described_broker(response, meta->brokers.items[i].node_id);

        kc_that(kc, broker != NULL, "broker-missing", "broker %d", meta->brokers.items[i].node_id);
        kc_int(kc, "port", broker->port, meta->brokers.items[i].port);
    }
    kc_that(kc, described_broker(response, response->controller_id) != NULL, "controller-unknown",
        "a controller among the brokers");
}

/* --- coordinators ----------------------------------------------------------------------------- */

static const struct km_find_coordinator_response *
find_coordinator(struct kc *kc, struct link *link, int16_t version_max, const char *const *keys,
    int32_t count, int8_t type)
{
    struct km_find_coordinator_request body;
    int16_t version = kc_version(kc, KM_FIND_COORDINATOR, version_max);

    codec_init(&km_find_coordinator_request_desc, &body);
    body.key_type = type;
    if (version < 4) {
        body.key = kc_string(keys[0]);
    } else {
        body.coordinator_keys.items =
            kc_alloc(kc, (size_t)count, sizeof *body.coordinator_keys.items);
        body.coordinator_keys.count = count;
        for (int32_t i = 0; i < count; i++)
            body.coordinator_keys.items[i] = kc_string(keys[i]);
    }
    return kc_ask(kc, link, KM_FIND_COORDINATOR, version, &body);
}

/* The node that answers for a group, once there is one. */
static int32_t
group_node(struct kc *kc, struct link *link, const char *group)
{
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);

    for (;;) {
        const struct km_find_coordinator_response *response =
            find_coordinator(kc, link, KC_VERSION_MAX, &group, 1, KEY_GROUP);
        bool is_list = kc->last->version >= 4;
        int16_t code;

        if (is_list)
            kc_int(kc, "coordinators_count", response->coordinators.count, 1);
        code = is_list ? response->coordinators.items[0].error_code : response->error_code;
        if (code == KE_NONE)
            return is_list ? response->coordinators.items[0].node_id : response->node_id;
        kc_code(kc, "error_code", code, KE_COORDINATOR_NOT_AVAILABLE);
        kc_wait_more(kc, &wait, "a coordinator");
    }
}

static int16_t
join_group(struct kc *kc, struct link *link, const char *group)
{
    struct km_join_group_request body;
    struct km_join_group_request_protocol protocol;
    const struct km_join_group_response *response;

    codec_init(&km_join_group_request_desc, &body);
    codec_init(&km_join_group_request_protocol_desc, &protocol);
    protocol.name = kc_string("range");
    protocol.metadata = kc_text_bytes("");
    body.group_id = kc_string(group);
    body.session_timeout_ms = SESSION_MS;
    body.rebalance_timeout_ms = SESSION_MS;
    body.protocol_type = kc_string("consumer");
    body.protocols.items = &protocol;
    body.protocols.count = 1;
    response =
        kc_ask(kc, link, KM_JOIN_GROUP, kc_version(kc, KM_JOIN_GROUP, KC_VERSION_MAX), &body);
    return response->error_code;
}

static void
find_coordinator_group(struct kc *kc)
{
    static const int16_t loading[] = {
        KE_MEMBER_ID_REQUIRED, KE_COORDINATOR_LOAD_IN_PROGRESS, KE_NOT_COORDINATOR};
    struct kc_wait wait = kc_wait_begin(kc, kc->options->metadata_ms);
    const char *group = kc_topic_name(kc);
    int32_t node = group_node(kc, kc_link(kc, 0), group);
    struct link *link = kc_link(kc, kc_broker(kc, node));
    int16_t code;

    for (size_t broker = 1; broker < kc->target->broker_count; broker++)
        kc_int(kc, "node_id", group_node(kc, kc_link(kc, broker), group), node);
    while ((code = join_group(kc, link, group)) != KE_MEMBER_ID_REQUIRED) {
        kc_code_in(kc, "JoinGroup", code, loading, ARRAY_LEN(loading));
        kc_wait_more(kc, &wait, "JoinGroup taken by the coordinator");
    }
}

static void
find_coordinator_batch(struct kc *kc)
{
    const char *const keys[] = {kc_topic_name(kc), kc_topic_name(kc), kc_topic_name(kc)};
    const struct km_find_coordinator_response *response;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        group_node(kc, kc_link(kc, 0), keys[i]);
    response = find_coordinator(kc, kc_link(kc, 0), KC_VERSION_MAX, keys, 3, KEY_GROUP);
    kc_int(kc, "coordinators_count", response->coordinators.count, 3);
    for (int32_t i = 0; i < 3; i++) {
        const struct km_find_coordinator_response_coordinator *it =
            &response->coordinators.items[i];

        kc_that(kc, kc_topic_is_named(it->key, keys[i]), "key-order", "the keys in their order");
        kc_code(kc, "error_code", it->error_code, KE_NONE);
        kc_broker(kc, it->node_id);
    }
}

static void
find_coordinator_bad_type(struct kc *kc)
{
    const char *key = kc_topic_name(kc);
    const struct km_find_coordinator_response *response =
        find_coordinator(kc, kc_link(kc, 0), KC_VERSION_MAX, &key, 1, KEY_NO_SUCH_TYPE);

    if (response->coordinators.count > 0)
        kc_code(kc, "error_code", response->coordinators.items[0].error_code, KE_INVALID_REQUEST);
    else
        kc_code(kc, "error_code", response->error_code, KE_INVALID_REQUEST);
}

/* --- DescribeTopicPartitions ------------------------------------------------------------------ */

static const struct km_describe_topic_partitions_response *
describe_topics(struct kc *kc, const char *const *names, int32_t count, int32_t limit,
    struct km_describe_topic_partitions_request_cursor *cursor)
{
    struct km_describe_topic_partitions_request body;

    codec_init(&km_describe_topic_partitions_request_desc, &body);
    body.topics.items = kc_alloc(kc, (size_t)count, sizeof *body.topics.items);
    body.topics.count = count;
    for (int32_t i = 0; i < count; i++)
        body.topics.items[i].name = kc_string(names[i]);
    body.response_partition_limit = limit;
    body.cursor = cursor;
    return kc_ask(kc, kc_link(kc, 0), KM_DESCRIBE_TOPIC_PARTITIONS, 0, &body);
}

static void
dtp_basic(struct kc *kc)
{
    struct kc_topic *first = kc_topic_new(kc, 1, NULL), *second = kc_topic_new(kc, 2, NULL);
    /* Asked for in the wrong order. */
    const char *const names[] = {second->name, first->name};
    const struct km_metadata_response *meta = kc_topic_metadata(kc, kc_link(kc, 0), names, 2);
    const struct km_describe_topic_partitions_response *response =
        describe_topics(kc, names, 2, 100, NULL);
    const struct km_describe_topic_partitions_response_partition *part;
    const struct km_metadata_response_partition *known;

    kc_int(kc, "topics_count", response->topics.count, 2);
    kc_that(kc, kc_topic_is_named(response->topics.items[0].name, first->name), "not-sorted",
        "the topics sorted by name");
    kc_code(kc, "error_code", response->topics.items[1].error_code, KE_NONE);
    kc_int(kc, "partitions_count", response->topics.items[1].partitions.count, 2);
    kc_that(kc, response->next_cursor == NULL, "has-cursor", "no cursor behind the last topic");
    part = &response->topics.items[0].partitions.items[0];
    known = &kc_topic_find(meta, first->name)->partitions.items[0];
    kc_int(kc, "leader_id", part->leader_id, known->leader_id);
    kc_int(kc, "leader_epoch", part->leader_epoch, known->leader_epoch);
    kc_int(kc, "replicas_count", part->replica_nodes.count, known->replica_nodes.count);
    kc_int(kc, "isr_count", part->isr_nodes.count, known->isr_nodes.count);
}

static void
dtp_paging(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, PAGED_PARTITIONS, NULL);
    const char *name = topic->name;
    struct km_describe_topic_partitions_request_cursor cursor, *at = NULL;
    bool has[PAGED_PARTITIONS] = {false};
    int32_t seen = 0;

    for (int page = 0; page < PAGED_PARTITIONS; page++) {
        const struct km_describe_topic_partitions_response *response =
            describe_topics(kc, &name, 1, PAGE, at);

        kc_int(kc, "topics_count", response->topics.count, 1);
        kc_code(kc, "error_code", response->topics.items[0].error_code, KE_NONE);
        kc_that(kc, response->topics.items[0].partitions.count <= PAGE, "page-too-large",
            "at most %d partitions a page", PAGE);
        for (int32_t i = 0; i < response->topics.items[0].partitions.count; i++) {
            int32_t index = response->topics.items[0].partitions.items[i].partition_index;

            if (index < 0 || index >= PAGED_PARTITIONS || has[index])
                kc_fail(kc, "index-wrong", NULL, "every partition once");
            has[index] = true;
            seen++;
        }
        if (response->next_cursor == NULL)
            break;
        codec_init(&km_describe_topic_partitions_request_cursor_desc, &cursor);
        cursor.topic_name = response->next_cursor->topic_name;
        cursor.partition_index = response->next_cursor->partition_index;
        at = &cursor;
    }
    kc_int(kc, "partitions_seen", seen, PAGED_PARTITIONS);
}

static void
dtp_cursor_topic_missing(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    const char *name = topic->name;
    struct km_describe_topic_partitions_request_cursor cursor;
    const struct km_describe_topic_partitions_response *response;

    codec_init(&km_describe_topic_partitions_request_cursor_desc, &cursor);
    cursor.topic_name = kc_string("another-topic");
    response = describe_topics(kc, &name, 1, PAGE, &cursor);
    kc_int(kc, "topics_count", response->topics.count, 1);
    kc_code(kc, "error_code", response->topics.items[0].error_code, KE_INVALID_REQUEST);
}

static const struct check checks[] = {
    {"meta.leader_connectable", "every advertised address is a broker that knows itself",
        "protocol guide", CHECK_CORE, 0, {CHECK_NEED(METADATA, 0)}, leader_connectable},
    {"meta.partitions_dense", "partitions are 0 to n-1, their leader and ISR among the replicas",
        "MetadataRequestTest", 0, 0, {CHECK_NEED(METADATA, 0)}, partitions_dense},
    {"meta.cluster_id", "all brokers tell the same cluster id", "librdkafka 0063", 0, 0,
        {CHECK_NEED(METADATA, 2)}, cluster_id},
    {"dtp.basic", "DescribeTopicPartitions agrees with Metadata, topics sorted by name", "KIP-966",
        0, 0, {CHECK_NEED(DESCRIBE_TOPIC_PARTITIONS, 0)}, dtp_basic},
    {"dtp.paging", "pages of DescribeTopicPartitions give every partition once", "KIP-966", 0, 0,
        {CHECK_NEED(DESCRIBE_TOPIC_PARTITIONS, 0)}, dtp_paging},
    {"dtp.cursor_topic_missing", "a cursor at a topic that is not asked for is answered 42",
        "DescribeTopicPartitionsRequestHandler", 0, 0, {CHECK_NEED(DESCRIBE_TOPIC_PARTITIONS, 0)},
        dtp_cursor_topic_missing},
    {"cluster.describe", "DescribeCluster agrees with Metadata", "DescribeClusterRequestTest", 0, 0,
        {CHECK_NEED(DESCRIBE_CLUSTER, 0)}, cluster_describe},
    {"cluster.find_coordinator_group",
        "a group has one coordinator, whoever is asked, and it takes JoinGroup",
        "KafkaApis.getCoordinator", CHECK_CORE, 60,
        {CHECK_NEED(FIND_COORDINATOR, 0), CHECK_NEED(JOIN_GROUP, 4)}, find_coordinator_group},
    {"cluster.find_coordinator_batch", "FindCoordinator answers several keys in their order",
        "KIP-699", 0, 60, {CHECK_NEED(FIND_COORDINATOR, 4)}, find_coordinator_batch},
    {"cluster.find_coordinator_bad_type", "an unknown key type is answered 42",
        "CoordinatorType.forId", 0, 0, {CHECK_NEED(FIND_COORDINATOR, 1)},
        find_coordinator_bad_type},
};

const struct check_table c_meta_cluster_table = CHECK_TABLE("meta", checks);
