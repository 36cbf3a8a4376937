#include "conformance/kc_txn.h"

#include <inttypes.h>

#include "conformance/kc_ask.h"
#include "conformance/kc_offsets.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define LIMIT_MS 10000
#define READ_COMMITTED 1

enum { KEY_GROUP = 0, KEY_TRANSACTION = 1 };

/* Versions of clients that know nothing of KIP-890, and the first that do. */
enum {
    FIND_VERSION = 3,
    INIT_VERSION = 5,
    ADD_VERSION = 3,
    ADD_OFFSETS_VERSION = 3,
    PRODUCE_VERSION = 11,
    END_VERSION = 4,
    END_VERSION_2 = 5,
    OFFSETS_VERSION = 4,
    OFFSETS_VERSION_2 = 5,
    OFFSET_FETCH_VERSION = 7,
};

char *
kc_txn_id(struct kc *kc, const char *suffix)
{
    return kc_printf(kc, "kc-%s-%zu-%s", kc->options->run_id, kc->number, suffix);
}

static struct link *
coordinator_of(struct kc *kc, const char *key, int8_t key_type)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    const struct km_find_coordinator_response *response;
    struct km_find_coordinator_request body;

    codec_init(&km_find_coordinator_request_desc, &body);
    body.key = kc_string(key);
    body.key_type = key_type;
    for (;;) {
        response = kc_ask(kc, kc_link(kc, 0), KM_FIND_COORDINATOR,
            kc_version(kc, KM_FIND_COORDINATOR, FIND_VERSION), &body);
        if (!kerr_is_retriable(response->error_code))
            break;
        kc_wait_more(kc, &wait, "a coordinator");
    }
    kc_code(kc, "FindCoordinator", response->error_code, KE_NONE);
    return kc_link(kc, kc_broker(kc, response->node_id));
}

struct kc_txn
kc_txn_locate(struct kc *kc, const char *id, enum kc_txn_protocol protocol)
{
    return (struct kc_txn){.id = id,
        .protocol = protocol,
        .link = coordinator_of(kc, id, KEY_TRANSACTION),
        .timeout_ms = KC_TXN_TIMEOUT_MS};
}

struct kc_txn
kc_txn_open(struct kc *kc, const char *id, enum kc_txn_protocol protocol)
{
    struct kc_txn txn = kc_txn_locate(kc, id, protocol);

    kc_txn_init(kc, &txn);
    return txn;
}

const struct km_init_producer_id_response *
kc_txn_init_once(struct kc *kc, const struct kc_txn *txn)
{
    struct km_init_producer_id_request body;

    codec_init(&km_init_producer_id_request_desc, &body);
    body.transactional_id = kc_string(txn->id);
    body.transaction_timeout_ms = txn->timeout_ms;
    return kc_ask(kc, txn->link, KM_INIT_PRODUCER_ID,
        kc_version(kc, KM_INIT_PRODUCER_ID, INIT_VERSION), &body);
}

static void
epoch_begin(struct kc_txn *txn, int64_t id, int16_t epoch)
{
    txn->producer = (struct kc_producer){id, epoch};
    for (size_t i = 0; i < KC_TXN_PARTITIONS_MAX; i++)
        txn->sequences[i] = 0;
}

void
kc_txn_init(struct kc *kc, struct kc_txn *txn)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    const struct km_init_producer_id_response *response = kc_txn_init_once(kc, txn);

    while (kerr_is_retriable(response->error_code)) {
        kc_wait_more(kc, &wait, "a producer id");
        response = kc_txn_init_once(kc, txn);
    }
    kc_code(kc, "InitProducerId", response->error_code, KE_NONE);
    kc_that(kc, response->producer_id >= 0, "no-id", "a producer id");
    epoch_begin(txn, response->producer_id, response->producer_epoch);
}

/* --- what is in a transaction ----------------------------------------------------------------- */

const struct km_add_partitions_to_txn_response *
kc_txn_add(struct kc *kc, const struct kc_txn *txn, const struct kc_topic *topic,
    const int32_t *partitions, int32_t count)
{
    struct km_add_partitions_to_txn_request body;
    struct km_add_partitions_to_txn_request_topic asked;
    const struct km_add_partitions_to_txn_response *response;

    codec_init(&km_add_partitions_to_txn_request_desc, &body);
    codec_init(&km_add_partitions_to_txn_request_topic_desc, &asked);
    asked.name = kc_string(topic->name);
    asked.partitions.items = kc_alloc(kc, (size_t)count, sizeof *asked.partitions.items);
    asked.partitions.count = count;
    for (int32_t i = 0; i < count; i++)
        asked.partitions.items[i] = partitions[i];
    body.v3_and_below_transactional_id = kc_string(txn->id);
    body.v3_and_below_producer_id = txn->producer.id;
    body.v3_and_below_producer_epoch = txn->producer.epoch;
    body.v3_and_below_topics.items = &asked;
    body.v3_and_below_topics.count = 1;
    response = kc_ask(kc, txn->link, KM_ADD_PARTITIONS_TO_TXN,
        kc_version(kc, KM_ADD_PARTITIONS_TO_TXN, ADD_VERSION), &body);
    kc_int(kc, "topics_count", response->results_by_topic_v3_and_below.count, 1);
    kc_int(kc, "partitions_count",
        response->results_by_topic_v3_and_below.items[0].results_by_partition.count, count);
    return response;
}

static void
partition_add(struct kc *kc, struct kc_txn *txn, const struct kc_topic *topic, int32_t partition)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    int16_t code;

    for (;;) {
        code = kc_txn_add(kc, txn, topic, &partition, 1)
                   ->results_by_topic_v3_and_below.items[0]
                   .results_by_partition.items[0]
                   .partition_error_code;
        if (!kerr_is_retriable(code))
            break;
        kc_wait_more(kc, &wait, "the transaction before is over");
    }
    kc_code(kc, "AddPartitionsToTxn", code, KE_NONE);
    txn->is_added[partition] = true;
}

/* What Produce may answer while its broker asks the coordinator. */
static bool
is_coordinator_busy(int16_t code)
{
    return code == KE_CONCURRENT_TRANSACTIONS || code == KE_COORDINATOR_LOAD_IN_PROGRESS ||
           code == KE_COORDINATOR_NOT_AVAILABLE || code == KE_NOT_COORDINATOR;
}

int16_t
kc_txn_send(struct kc *kc, struct kc_txn *txn, const struct kc_topic *topic, int32_t partition,
    const char *value)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = kc_record("key", value, kc_wall_ms());
    struct kc_produce_options how = kc_produce_defaults();
    struct kc_append append = {.topic = topic, .partition = partition};
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    int16_t code;

    options.producer_id = txn->producer.id;
    options.producer_epoch = txn->producer.epoch;
    options.base_sequence = txn->sequences[partition];
    options.transactional = true;
    append.records = kc_batch(kc, &options, &record, 1);
    if (txn->protocol == KC_TXN_V1)
        how.version_max = PRODUCE_VERSION;
    how.transactional_id = txn->id;
    for (;;) {
        code = kc_produce_part(kc, kc_produce(kc, &how, &append, 1), topic, partition)->error_code;
        if (!is_coordinator_busy(code))
            break;
        kc_wait_more(kc, &wait, "the partition takes a transaction's record");
    }
    if (code == KE_NONE)
        txn->sequences[partition]++;
    return code;
}

void
kc_txn_append(struct kc *kc, struct kc_txn *txn, const struct kc_topic *topic, int32_t partition,
    const char *value)
{
    if (txn->protocol == KC_TXN_V1 && !txn->is_added[partition])
        partition_add(kc, txn, topic, partition);
    kc_code(kc, "Produce", kc_txn_send(kc, txn, topic, partition, value), KE_NONE);
}

/* --- its end ---------------------------------------------------------------------------------- */

static struct exchange *
end_send(struct kc *kc, const struct kc_txn *txn, bool commits)
{
    int16_t version_max = txn->protocol == KC_TXN_V1 ? END_VERSION : END_VERSION_2;
    struct km_end_txn_request body;

    codec_init(&km_end_txn_request_desc, &body);
    body.transactional_id = kc_string(txn->id);
    body.producer_id = txn->producer.id;
    body.producer_epoch = txn->producer.epoch;
    body.committed = commits;
    return kc_send(kc, txn->link, KM_END_TXN, kc_version(kc, KM_END_TXN, version_max), &body);
}

const struct km_end_txn_response *
kc_txn_end_once(struct kc *kc, const struct kc_txn *txn, bool commits)
{
    return kc_receive(kc, txn->link, end_send(kc, txn, commits));
}

void
kc_txn_end_unheard(struct kc *kc, const struct kc_txn *txn, bool commits)
{
    (void)end_send(kc, txn, commits);
}

void
kc_txn_end(struct kc *kc, struct kc_txn *txn, bool commits)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    const struct km_end_txn_response *response = kc_txn_end_once(kc, txn, commits);

    while (kerr_is_retriable(response->error_code)) {
        kc_wait_more(kc, &wait, "the end of the transaction is taken");
        response = kc_txn_end_once(kc, txn, commits);
    }
    kc_code(kc, "EndTxn", response->error_code, KE_NONE);
    for (size_t i = 0; i < KC_TXN_PARTITIONS_MAX; i++)
        txn->is_added[i] = false;
    if (txn->protocol == KC_TXN_V2)
        epoch_begin(txn, response->producer_id, response->producer_epoch);
}

const struct km_describe_transactions_response_transaction_state *
kc_txn_describe(struct kc *kc, const struct kc_txn *txn)
{
    struct wire_string id = kc_string(txn->id);
    const struct km_describe_transactions_response *response;
    struct km_describe_transactions_request body;

    codec_init(&km_describe_transactions_request_desc, &body);
    body.transactional_ids.items = &id;
    body.transactional_ids.count = 1;
    response = kc_ask(kc, txn->link, KM_DESCRIBE_TRANSACTIONS, 0, &body);
    kc_int(kc, "transactions_count", response->transaction_states.count, 1);
    return &response->transaction_states.items[0];
}

/* --- offsets ---------------------------------------------------------------------------------- */

static void
offsets_add(struct kc *kc, const struct kc_txn *txn, const char *group)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    const struct km_add_offsets_to_txn_response *response;
    struct km_add_offsets_to_txn_request body;

    codec_init(&km_add_offsets_to_txn_request_desc, &body);
    body.transactional_id = kc_string(txn->id);
    body.producer_id = txn->producer.id;
    body.producer_epoch = txn->producer.epoch;
    body.group_id = kc_string(group);
    for (;;) {
        response = kc_ask(kc, txn->link, KM_ADD_OFFSETS_TO_TXN,
            kc_version(kc, KM_ADD_OFFSETS_TO_TXN, ADD_OFFSETS_VERSION), &body);
        if (!kerr_is_retriable(response->error_code))
            break;
        kc_wait_more(kc, &wait, "the group is part of the transaction");
    }
    kc_code(kc, "AddOffsetsToTxn", response->error_code, KE_NONE);
}

/* member NULL: of nobody. */
static int16_t
offset_commit(struct kc *kc, const struct kc_txn *txn, const char *group,
    const struct kc_member *member, const struct kc_topic *topic, int64_t offset)
{
    int16_t version_max = txn->protocol == KC_TXN_V1 ? OFFSETS_VERSION : OFFSETS_VERSION_2;
    struct link *link = coordinator_of(kc, group, KEY_GROUP);
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    const struct km_txn_offset_commit_response *response;
    struct km_txn_offset_commit_request_partition part;
    struct km_txn_offset_commit_request_topic asked;
    struct km_txn_offset_commit_request body;

    if (txn->protocol == KC_TXN_V1)
        offsets_add(kc, txn, group);
    codec_init(&km_txn_offset_commit_request_desc, &body);
    codec_init(&km_txn_offset_commit_request_topic_desc, &asked);
    codec_init(&km_txn_offset_commit_request_partition_desc, &part);
    part.committed_offset = offset;
    asked.name = kc_string(topic->name);
    asked.partitions.items = &part;
    asked.partitions.count = 1;
    body.transactional_id = kc_string(txn->id);
    body.group_id = kc_string(group);
    body.producer_id = txn->producer.id;
    body.producer_epoch = txn->producer.epoch;
    body.topics.items = &asked;
    body.topics.count = 1;
    if (member != NULL) {
        body.generation_id = member->generation;
        body.member_id = kc_string(member->id);
        body.group_instance_id = kc_string(member->instance);
    }
    for (;;) {
        response = kc_ask(kc, link, KM_TXN_OFFSET_COMMIT,
            kc_version(kc, KM_TXN_OFFSET_COMMIT, version_max), &body);
        kc_int(kc, "topics_count", response->topics.count, 1);
        kc_int(kc, "partitions_count", response->topics.items[0].partitions.count, 1);
        if (!kerr_is_retriable(response->topics.items[0].partitions.items[0].error_code))
            return response->topics.items[0].partitions.items[0].error_code;
        kc_wait_more(kc, &wait, "the group takes the transaction's offset");
    }
}

void
kc_txn_offset_commit(struct kc *kc, const struct kc_txn *txn, const char *group,
    const struct kc_topic *topic, int64_t offset)
{
    kc_code(kc, "TxnOffsetCommit", offset_commit(kc, txn, group, NULL, topic, offset), KE_NONE);
}

int16_t
kc_txn_offset_commit_as(struct kc *kc, const struct kc_txn *txn, const struct kc_member *member,
    const struct kc_topic *topic, int64_t offset)
{
    return offset_commit(kc, txn, member->group->id, member, topic, offset);
}

const struct km_offset_fetch_response_partition *
kc_txn_offset_fetch(
    struct kc *kc, const char *group, const struct kc_topic *topic, bool require_stable)
{
    struct link *link = coordinator_of(kc, group, KEY_GROUP);
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    struct km_offset_fetch_request_topic asked;
    const struct km_offset_fetch_response *response;
    struct km_offset_fetch_request body;
    int32_t zero = 0;

    codec_init(&km_offset_fetch_request_desc, &body);
    codec_init(&km_offset_fetch_request_topic_desc, &asked);
    asked.name = kc_string(topic->name);
    asked.partition_indexes.items = &zero;
    asked.partition_indexes.count = 1;
    body.group_id = kc_string(group);
    body.topics.items = &asked;
    body.topics.count = 1;
    body.require_stable = require_stable;
    for (;;) {
        response = kc_ask(kc, link, KM_OFFSET_FETCH,
            kc_version(kc, KM_OFFSET_FETCH, OFFSET_FETCH_VERSION), &body);
        if (!kerr_is_retriable(response->error_code))
            break;
        kc_wait_more(kc, &wait, "the group's offsets");
    }
    kc_code(kc, "OffsetFetch", response->error_code, KE_NONE);
    kc_int(kc, "topics_count", response->topics.count, 1);
    kc_int(kc, "partitions_count", response->topics.items[0].partitions.count, 1);
    return &response->topics.items[0].partitions.items[0];
}

/* --- what consumers see ----------------------------------------------------------------------- */

static int64_t
stable_offset(struct kc *kc, const struct kc_topic *topic, int32_t partition)
{
    struct kc_offsets_options options = kc_offsets_defaults();
    const struct km_list_offsets_response_partition_response *part;

    options.isolation = READ_COMMITTED;
    part = kc_offsets_of(kc, &options, topic, partition, KC_TIMESTAMP_LATEST);
    kc_code(kc, "ListOffsets", part->error_code, KE_NONE);
    return part->offset;
}

void
kc_txn_settled(struct kc *kc, const struct kc_topic *topic, int32_t partition, int64_t offset)
{
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    while (stable_offset(kc, topic, partition) != offset)
        kc_wait_more(kc, &wait, kc_printf(kc, "the last stable offset is %" PRId64, offset));
}

void
kc_txn_all_settled(struct kc *kc, const struct kc_topic *topic, int32_t partition)
{
    int64_t end = kc_latest(kc, topic, partition);
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);

    while (stable_offset(kc, topic, partition) < end)
        kc_wait_more(
            kc, &wait, kc_printf(kc, "the last stable offset is %" PRId64 " or more", end));
}

/* Whether a batch belongs to a transaction of the list, which ends with its producer's marker. */
static bool
is_aborted(const struct kc_log *log, size_t batch,
    const struct km_fetch_response_aborted_transaction *aborted)
{
    const struct batch_view *it = &log->batches[batch];

    if (!batch_view_is_transactional(it) || it->producer_id != aborted->producer_id ||
        it->base_offset < aborted->first_offset)
        return false;
    for (size_t i = 0; i < batch; i++) {
        const struct batch_view *before = &log->batches[i];

        if (batch_view_is_control(before) && before->producer_id == aborted->producer_id &&
            before->base_offset > aborted->first_offset)
            return false;
    }
    return true;
}

/* What a consumer knows of a partition. */
struct committed {
    struct kc_log log;
    struct km_fetch_response_aborted_transaction *aborted;
    size_t aborted_count;
};

static bool
is_visible(const struct committed *committed, const struct kc_seen *record)
{
    if (batch_view_is_control(&committed->log.batches[record->batch]))
        return false;
    for (size_t i = 0; i < committed->aborted_count; i++)
        if (is_aborted(&committed->log, record->batch, &committed->aborted[i]))
            return false;
    return true;
}

static void
aborted_add(struct kc *kc, struct committed *committed,
    const struct km_fetch_response_aborted_transaction_array *more)
{
    size_t count = committed->aborted_count + (more->count > 0 ? (size_t)more->count : 0);
    struct km_fetch_response_aborted_transaction *all = kc_alloc(kc, count, sizeof *all);

    for (size_t i = 0; i < count; i++)
        all[i] = i < committed->aborted_count ? committed->aborted[i]
                                              : more->items[i - committed->aborted_count];
    committed->aborted = all;
    committed->aborted_count = count;
}

/* Reads from the start to the last stable offset, answer by answer. */
static const struct committed *
committed_read(struct kc *kc, const struct kc_topic *topic, int32_t partition)
{
    struct committed *committed = kc_alloc(kc, 1, sizeof *committed);
    struct kc_fetch_options options = kc_fetch_defaults();
    struct kc_wait wait = kc_wait_begin(kc, LIMIT_MS);
    struct kc_log *log = &committed->log;
    int64_t at = 0;

    options.isolation = READ_COMMITTED;
    for (;;) {
        struct kc_part part = kc_part(topic, partition, at);
        const struct km_fetch_response_partition_data *data =
            kc_fetch_part(kc, kc_fetch(kc, &options, &part, 1), topic, partition);

        kc_code(kc, "Fetch", data->error_code, KE_NONE);
        kc_log_add(kc, log, &data->records);
        aborted_add(kc, committed, &data->aborted_transactions);
        if (log->batch_count > 0)
            at = batch_view_next_offset(&log->batches[log->batch_count - 1]);
        if (at >= data->last_stable_offset)
            return committed;
        if (data->records.size <= 0)
            kc_wait_more(kc, &wait, "records up to the last stable offset");
    }
}

void
kc_txn_values(struct kc *kc, const struct kc_topic *topic, int32_t partition,
    const char *const *values, size_t count)
{
    const struct committed *committed = committed_read(kc, topic, partition);
    const struct kc_seen **seen = kc_alloc(kc, committed->log.record_count, sizeof *seen);
    size_t visible = 0;

    for (size_t i = 0; i < committed->log.record_count; i++)
        if (is_visible(committed, &committed->log.records[i]))
            seen[visible++] = &committed->log.records[i];
    kc_int(kc, "records", (int64_t)visible, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        kc_bytes(kc, "record_value", seen[i]->value, kc_text_bytes(values[i]));
}
