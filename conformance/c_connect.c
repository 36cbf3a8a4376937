/* Area connect: what Kafka Connect needs from a broker before it starts. */
#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_txn.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

static void
internal_topics(struct kc *kc)
{
    static const int32_t partitions[] = {1, 25, 5}; /* configs, offsets, status */

    for (size_t i = 0; i < sizeof partitions / sizeof *partitions; i++)
        kc_topic_has(kc, kc_topic_new(kc, partitions[i], "cleanup.policy=compact", NULL)->name,
            "cleanup.policy=compact");
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
