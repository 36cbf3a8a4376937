/* Area fetch, third part: what Fetch and ListOffsets tell of transactions (KIP-98). */
#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "conformance/kc_txn.h"
#include "lib/wire/kerr.h"

#define PLAIN 5
#define READ_UNCOMMITTED 0
#define READ_COMMITTED 1

/* A topic with five plain records, then a record of an open transaction, then a plain one. */
static struct kc_topic *
open_at_five(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn txn = kc_txn_open(kc, kc_txn_id(kc, "id"), KC_TXN_V1);

    (void)kc_append_ok(kc, topic, 0, kc_batch_values(kc, "plain", PLAIN));
    kc_txn_append(kc, &txn, topic, 0, "in");
    (void)kc_append_ok(kc, topic, 0, kc_batch_values(kc, "later", 1));
    return topic;
}

static const struct km_fetch_response_partition_data *
fetch(struct kc *kc, const struct kc_topic *topic, int64_t offset, int8_t isolation)
{
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_part part = kc_part(topic, 0, offset);
    const struct km_fetch_response_partition_data *data;

    options.isolation = isolation;
    data = kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, 0);
    kc_code(kc, "error_code", data->error_code, KE_NONE);
    return data;
}

static int64_t
returned_end(struct kc *kc, const struct km_fetch_response_partition_data *data)
{
    struct kc_log log = {0};

    kc_log_add(kc, &log, &data->records);
    return log.record_count == 0 ? -1 : log.records[log.record_count - 1].offset + 1;
}

static void
read_committed_lso(struct kc *kc)
{
    struct kc_topic *topic = open_at_five(kc);
    const struct km_fetch_response_partition_data *data = fetch(kc, topic, 0, READ_COMMITTED);

    kc_int(kc, "last_stable_offset", data->last_stable_offset, PLAIN);
    kc_int(kc, "returned_end", returned_end(kc, data), PLAIN);
    data = fetch(kc, topic, PLAIN, READ_COMMITTED);
    kc_int(kc, "returned_end", returned_end(kc, data), -1);
    data = fetch(kc, topic, 0, READ_UNCOMMITTED);
    kc_int(kc, "returned_end", returned_end(kc, data), PLAIN + 2);
}

static bool
is_listed(const struct km_fetch_response_partition_data *data, int64_t producer_id, int64_t offset)
{
    for (int32_t i = 0; i < data->aborted_transactions.count; i++)
        if (data->aborted_transactions.items[i].producer_id == producer_id &&
            data->aborted_transactions.items[i].first_offset == offset)
            return true;
    return false;
}

/* Offsets 0 to 8: a, b, a, marker of a (abort), c, marker of b (commit), c, marker of c (abort),
 * and a plain one. */
static void
aborted_list(struct kc *kc)
{
    struct kc_topic *topic = kc_topic_new(kc, 1, NULL);
    struct kc_txn a = kc_txn_open(kc, kc_txn_id(kc, "a"), KC_TXN_V1);
    struct kc_txn b = kc_txn_open(kc, kc_txn_id(kc, "b"), KC_TXN_V1);
    struct kc_txn c = kc_txn_open(kc, kc_txn_id(kc, "c"), KC_TXN_V1);
    const struct km_fetch_response_partition_data *data;

    kc_txn_append(kc, &a, topic, 0, "a1");
    kc_txn_append(kc, &b, topic, 0, "b1");
    kc_txn_append(kc, &a, topic, 0, "a2");
    kc_txn_end(kc, &a, false);
    kc_txn_settled(kc, topic, 0, 1);
    kc_txn_append(kc, &c, topic, 0, "c1");
    kc_txn_end(kc, &b, true);
    kc_txn_settled(kc, topic, 0, 4);
    kc_txn_append(kc, &c, topic, 0, "c2");
    kc_txn_end(kc, &c, false);
    kc_txn_settled(kc, topic, 0, 8);
    (void)kc_append_ok(kc, topic, 0, kc_batch_values(kc, "plain", 1));
    data = fetch(kc, topic, 0, READ_COMMITTED);
    kc_that(kc, is_listed(data, a.producer.id, 0) && is_listed(data, c.producer.id, 4),
        kc_printf(kc, "aborted=%d", data->aborted_transactions.count),
        "both aborted transactions, at the offsets where they begin");
    kc_that(kc, !is_listed(data, b.producer.id, 1), "committed-listed", "no committed one");
    data = fetch(kc, topic, 6, READ_COMMITTED);
    kc_that(kc, is_listed(data, c.producer.id, 4),
        kc_printf(kc, "aborted=%d", data->aborted_transactions.count),
        "the transaction that begins before the offset asked for and ends behind it");
    data = fetch(kc, topic, 0, READ_UNCOMMITTED);
    kc_that(kc, data->aborted_transactions.count <= 0, "listed-uncommitted",
        "no list for who reads uncommitted records");
    kc_int(kc, "returned_end", returned_end(kc, data), 9);
}

static void
latest_read_committed(struct kc *kc)
{
    struct kc_topic *topic = open_at_five(kc);
    struct kc_offsets_options options = kc_offsets_defaults();
    const struct km_list_offsets_response_partition_response *found;

    options.isolation = READ_COMMITTED;
    found = kc_offsets_of(kc, &options, topic, 0, KC_TIMESTAMP_LATEST);
    kc_code(kc, "error_code", found->error_code, KE_NONE);
    kc_int(kc, "offset", found->offset, PLAIN);
    kc_int(kc, "uncommitted", kc_latest(kc, topic, 0), PLAIN + 2);
}

/* --- the table -------------------------------------------------------------------------------- */

#define NEED_TXN_AND(api, version)                                                                 \
    {                                                                                              \
        CHECK_NEED(INIT_PRODUCER_ID, 0), CHECK_NEED(ADD_PARTITIONS_TO_TXN, 0),                     \
            CHECK_NEED(api, version)                                                               \
    }

static const struct check checks[] = {
    {"fetch.read_committed_lso",
        "read_committed ends where an open transaction begins, and says so", "KIP-98", CHECK_CORE,
        0, NEED_TXN_AND(FETCH, 4), read_committed_lso},
    {"fetch.aborted_list", "Fetch lists every aborted transaction that what it returns meets",
        "librdkafka 0129", CHECK_CORE, 0, NEED_TXN_AND(FETCH, 4), aborted_list},
    {"offsets.latest_read_committed", "the latest offset for read_committed is the last stable one",
        "PlaintextConsumerTest.testFetchOffsetsForTime", CHECK_CORE, 0,
        NEED_TXN_AND(LIST_OFFSETS, 2), latest_read_committed},
};

const struct check_table c_fetch_txn_table = CHECK_TABLE("fetch", checks);
