/* Area connect: what Kafka Connect needs from a broker before it starts. */
#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_txn.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define RESOURCE_TOPIC 2

static void
policy_is_compact(struct kc *kc, const struct kc_topic *topic)
{
    struct km_describe_configs_request_resource resource;
    struct wire_string key = kc_string("cleanup.policy");
    const struct km_describe_configs_response *response;
    struct km_describe_configs_request body;
    struct wire_string value;

    codec_init(&km_describe_configs_request_desc, &body);
    codec_init(&km_describe_configs_request_resource_desc, &resource);
    resource.resource_type = RESOURCE_TOPIC;
    resource.resource_name = kc_string(topic->name);
    resource.configuration_keys.items = &key;
    resource.configuration_keys.count = 1;
    body.resources.items = &resource;
    body.resources.count = 1;
    response = kc_ask(kc, kc_link(kc, 0), KM_DESCRIBE_CONFIGS,
        kc_version(kc, KM_DESCRIBE_CONFIGS, KC_VERSION_MAX), &body);
    kc_int(kc, "results_count", response->results.count, 1);
    kc_code(kc, "error_code", response->results.items[0].error_code, KE_NONE);
    kc_int(kc, "configs_count", response->results.items[0].configs.count, 1);
    value = response->results.items[0].configs.items[0].value;
    kc_bytes(kc, "cleanup_policy", (struct wire_bytes){(const uint8_t *)value.data, value.size},
        kc_text_bytes("compact"));
}

static void
internal_topics(struct kc *kc)
{
    static const int32_t partitions[] = {1, 25, 5}; /* configs, offsets, status */

    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++)
        policy_is_compact(kc, kc_topic_new(kc, partitions[i], "cleanup.policy=compact", NULL));
}

/* As KafkaBasedLog: whoever reads on from answer to answer comes to the end that was told. */
static void
read_to_end(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, "cleanup.policy=compact", NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);
    struct batch_builder_record record = kc_record("key", "plain", kc_wall_ms());

    (void)kc_append_ok(kc, topic, 0, kc_batch(kc, NULL, &record, 1));
    kc_txn_append(kc, &txn, topic, 0, "aborted");
    kc_txn_end(kc, &txn, false);
    kc_txn_settled(kc, topic, 0, 3);
    for (int8_t isolation = 0; isolation < 2; isolation++) {
        struct kc_fetch_options options = kc_fetch_defaults();
        const struct kc_log *log;

        options.isolation = isolation;
        log = kc_log_read(kc, &options, topic, 0, 0, kc_latest(kc, topic, 0));
        kc_int(kc, "last_offset", batch_view_last_offset(&log->batches[log->batch_count - 1]), 2);
    }
}

static const struct check checks[] = {
    {"connect.internal_topics", "topics made with cleanup.policy=compact tell so",
        "TopicAdmin.verifyTopicCleanupPolicyOnlyCompact", CHECK_CORE, 0,
        {CHECK_NEED(CREATE_TOPICS, 2), CHECK_NEED(DESCRIBE_CONFIGS, 1)}, internal_topics},
    {"connect.read_to_end", "a reader reaches the log's end, also where a marker is the last",
        "KafkaBasedLog", CHECK_CORE, 0,
        {CHECK_NEED(LIST_OFFSETS, 1), CHECK_NEED(FETCH, 4), CHECK_NEED(ADD_PARTITIONS_TO_TXN, 0)},
        read_to_end},
};

const struct check_table c_connect_table = CHECK_TABLE("connect", checks);
