#include "tests/differ/requests_transactions.h"

#include "lib/base/xalloc.h"

#define TIMEOUT_MS 900000 /* transaction.max.timeout.ms */
#define UNKNOWN_PRODUCER INT64_C(4000000000)

/* --- who speaks --------------------------------------------------------------------------------
 */

struct speaker {
    const struct memory_producer *producer; /* NULL: an odd one */
    struct wire_string transactional_id;
    int64_t id;
    int16_t epoch;
};

static struct wire_string
transactional_id(struct making *m)
{
    if (making_chance(m, 40))
        return making_text("");
    if (making_chance(m, 25))
        return making_text(arena_printf(m->arena, "an unknown one.%u", m->memory->age));
    return making_text(m->memory->transactions[making_below(m, MEMORY_TRANSACTIONS)]);
}

/* The latest producer of a transactional id, or the latest idempotent one. */
static const struct memory_producer *
producer_latest(const struct memory *memory, size_t transaction)
{
    for (size_t i = memory->producer_count; i-- > 0;)
        if (memory->producers[i].transaction == transaction)
            return &memory->producers[i];
    return NULL;
}

static struct speaker
speaker_of(struct making *m, size_t transaction)
{
    struct speaker s = {.producer = producer_latest(m->memory, transaction),
        .transactional_id =
            making_text(transaction == MEMORY_NONE ? NULL : m->memory->transactions[transaction]),
        .id = UNKNOWN_PRODUCER};
    size_t count = m->memory->producer_count;

    if (count > 0 && making_chance(m, 25))
        s.producer = &m->memory->producers[making_below(m, count)];
    if (s.producer != NULL) {
        s.id = MEMORY_PRODUCER + (s.producer - m->memory->producers);
        s.epoch = s.producer->epoch;
    }
    if (making_chance(m, 25))
        s.epoch = (int16_t)(s.epoch + (making_chance(m, 2) ? 1 : -1));
    if (making_chance(m, 60))
        s.id = UNKNOWN_PRODUCER;
    if (making_chance(m, 60))
        s.id = -1;
    return s;
}

static struct speaker
speaker(struct making *m)
{
    struct speaker s = speaker_of(m, making_below(m, MEMORY_TRANSACTIONS));

    if (making_chance(m, 20))
        s.transactional_id = transactional_id(m);
    return s;
}

static struct wire_string
group(struct making *m)
{
    return making_text(
        making_chance(m, 30) ? "" : m->memory->groups[making_below(m, MEMORY_GROUPS)]);
}

/* --- producers ---------------------------------------------------------------------------------
 */

static void *
init_producer_id(struct making *m)
{
    static const int32_t odd_timeouts[] = {0, -1, TIMEOUT_MS + 1, INT32_MAX};
    struct km_init_producer_id_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker(m);

    codec_init(&km_init_producer_id_request_desc, in);
    in->transactional_id = making_chance(m, 4) ? making_text(NULL) : s.transactional_id;
    in->transaction_timeout_ms =
        making_chance(m, 20) ? odd_timeouts[making_below(m, ARRAY_LEN(odd_timeouts))] : TIMEOUT_MS;
    if (m->version >= 3 && making_chance(m, 3)) {
        in->producer_id = s.id;
        in->producer_epoch = making_chance(m, 20) ? (int16_t)(making_below(m, 3) - 2) : s.epoch;
    }
    return in;
}

/* Follows what the producer sent there last, mostly. */
static void
sequence_choose(struct making *m, const struct memory_batch *last, struct making_producer *out)
{
    out->sequence = last->count == 0 ? 0 : last->sequence + last->count;
    if (last->count > 0 && making_chance(m, 8)) { /* the same again */
        out->sequence = last->sequence;
        out->count = last->count;
    } else if (making_chance(m, 20)) {
        out->sequence += 1 + (int32_t)making_below(m, 5);
    } else if (making_chance(m, 40)) {
        out->sequence = 0;
    }
}

static void *
produce(struct making *m)
{
    struct km_produce_request *in = arena_alloc(m->arena, sizeof *in);
    bool transactional = !making_chance(m, 3);
    struct speaker s =
        speaker_of(m, transactional ? making_below(m, MEMORY_TRANSACTIONS) : MEMORY_NONE);
    struct making_producer producer = {
        .id = s.id, .epoch = s.epoch, .transactional = transactional && !making_chance(m, 25)};
    size_t topic = making_below(m, MEMORY_TOPICS), index = making_below(m, MEMORY_PARTITIONS);
    struct km_produce_request_topic_produce_data *data;

    codec_init(&km_produce_request_desc, in);
    if (s.producer != NULL)
        sequence_choose(m, &s.producer->last[topic][index], &producer);
    /* Without a producer id Kafka takes a transactional batch or fails inside. */
    if (producer.id < 0) {
        producer.id = producer.epoch = -1;
        producer.sequence = -1;
        producer.transactional = false;
    }
    if (producer.epoch < 0)
        producer.epoch = 0;
    in->transactional_id = making_chance(m, 40) ? making_text(NULL) : s.transactional_id;
    in->acks = (int16_t)(making_chance(m, 30) ? 1 : -1);
    in->timeout_ms = 10000;
    MAKING_ARRAY(m->arena, km_produce_request_topic_produce_data_desc, in->topic_data, 1);
    data = &in->topic_data.items[0];
    data->name = making_text(memory_topic_name(topic));
    data->topic_id = memory_topic_marker(topic);
    MAKING_ARRAY(m->arena, km_produce_request_partition_produce_data_desc, data->partition_data, 1);
    data->partition_data.items[0].index = (int32_t)index;
    data->partition_data.items[0].records = making_batch(m, &producer, false);
    return in;
}

static void *
describe_producers(struct making *m)
{
    struct km_describe_producers_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_describe_producers_request_desc, in);
    MAKING_ARRAY(m->arena, km_describe_producers_request_topic_request_desc, in->topics, 1);
    in->topics.items[0].name = making_topic(m);
    MAKING_LIST(m->arena, in->topics.items[0].partition_indexes, 1);
    in->topics.items[0].partition_indexes.items[0] = making_partition(m);
    return in;
}

/* --- transactions ------------------------------------------------------------------------------
 */

/* From version 4 on other brokers ask so, not clients. */
static void *
add_partitions(struct making *m)
{
    struct km_add_partitions_to_txn_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker(m);

    codec_init(&km_add_partitions_to_txn_request_desc, in);
    in->v3_and_below_transactional_id = s.transactional_id;
    in->v3_and_below_producer_id = s.id;
    in->v3_and_below_producer_epoch = s.epoch;
    MAKING_ARRAY(m->arena, km_add_partitions_to_txn_request_topic_desc, in->v3_and_below_topics,
        1 + (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in->v3_and_below_topics.count; i++) {
        struct km_add_partitions_to_txn_request_topic *t = &in->v3_and_below_topics.items[i];

        t->name = making_topic_but(m, in->v3_and_below_topics.items[0].name);
        MAKING_LIST(m->arena, t->partitions, 1 + (int32_t)making_below(m, 2));
        for (int32_t k = 0; k < t->partitions.count; k++)
            t->partitions.items[k] =
                making_partition_but(m, k == 0 ? INT32_MIN : t->partitions.items[0]);
    }
    return in;
}

static void *
add_offsets(struct making *m)
{
    struct km_add_offsets_to_txn_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker(m);

    codec_init(&km_add_offsets_to_txn_request_desc, in);
    in->transactional_id = s.transactional_id;
    in->producer_id = s.id;
    in->producer_epoch = s.epoch;
    in->group_id = group(m);
    return in;
}

static void *
txn_offset_commit(struct making *m)
{
    struct km_txn_offset_commit_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker(m);
    size_t count = m->memory->member_count;
    int32_t before = INT32_MIN;

    codec_init(&km_txn_offset_commit_request_desc, in);
    in->transactional_id = s.transactional_id;
    in->group_id = group(m);
    in->producer_id = s.id;
    in->producer_epoch = s.epoch;
    if (m->version >= 3 && count > 0 && making_chance(m, 2)) {
        const struct memory_member *member = &m->memory->members[making_below(m, count)];

        in->member_id = making_text(member->text);
        in->generation_id = member->generation;
        if (member->group != MEMORY_NONE)
            in->group_id = making_text(m->memory->groups[member->group]);
        if (making_chance(m, 10))
            in->group_instance_id =
                making_text(memory_instance_name(making_below(m, MEMORY_INSTANCES)));
    }
    MAKING_ARRAY(m->arena, km_txn_offset_commit_request_topic_desc, in->topics, 1);
    in->topics.items[0].name = making_topic(m);
    MAKING_ARRAY(m->arena, km_txn_offset_commit_request_partition_desc,
        in->topics.items[0].partitions, 1 + (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in->topics.items[0].partitions.count; i++) {
        struct km_txn_offset_commit_request_partition *p = &in->topics.items[0].partitions.items[i];

        p->partition_index = making_partition_but(m, before);
        before = p->partition_index;
        p->committed_offset = making_offset(m);
        p->committed_leader_epoch = (int32_t)making_below(m, 3) - 1;
        p->committed_metadata = making_text(making_chance(m, 3) ? NULL : "metadata");
    }
    return in;
}

static void *
end_txn(struct making *m)
{
    struct km_end_txn_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker(m);

    codec_init(&km_end_txn_request_desc, in);
    in->transactional_id = s.transactional_id;
    in->producer_id = s.id;
    in->producer_epoch = s.epoch;
    in->committed = !making_chance(m, 3);
    return in;
}

static void *
describe_transactions(struct making *m)
{
    struct km_describe_transactions_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_describe_transactions_request_desc, in);
    MAKING_LIST(m->arena, in->transactional_ids, 1);
    in->transactional_ids.items[0] = transactional_id(m);
    return in;
}

static void *
list_transactions(struct making *m)
{
    static const char *const states[] = {"Empty", "Ongoing", "ongoing", "CompleteCommit",
        "CompleteAbort", "PrepareCommit", "Dead", "no such state", ""};
    struct km_list_transactions_request *in = arena_alloc(m->arena, sizeof *in);
    struct speaker s = speaker(m);

    codec_init(&km_list_transactions_request_desc, in);
    MAKING_LIST(m->arena, in->state_filters, (int32_t)making_below(m, 3));
    for (int32_t i = 0; i < in->state_filters.count; i++)
        in->state_filters.items[i] = making_text(states[making_below(m, ARRAY_LEN(states))]);
    MAKING_LIST(m->arena, in->producer_id_filters, making_chance(m, 4) ? 1 : 0);
    for (int32_t i = 0; i < in->producer_id_filters.count; i++)
        in->producer_id_filters.items[i] = s.id;
    if (m->version >= 1 && making_chance(m, 4))
        in->duration_filter = TIMEOUT_MS;
    if (m->version >= 2 && making_chance(m, 4))
        in->transactional_id_pattern = making_text(making_chance(m, 4)   ? "["
                                                   : making_chance(m, 4) ? ""
                                                                         : "t-[01].*");
    return in;
}

const struct maker requests_transactions[] = {
    {KM_INIT_PRODUCER_ID, 8, 0, INT16_MAX, MAKING_TRANSACTIONS, init_producer_id},
    {KM_PRODUCE, 25, 0, INT16_MAX, MAKING_NOTHING_ELSE, produce},
    {KM_DESCRIBE_PRODUCERS, 4, 0, INT16_MAX, MAKING_NOTHING_ELSE, describe_producers},
    {KM_ADD_PARTITIONS_TO_TXN, 8, 0, 3, MAKING_NOTHING_ELSE, add_partitions},
    {KM_ADD_OFFSETS_TO_TXN, 4, 0, INT16_MAX, MAKING_NOTHING_ELSE, add_offsets},
    {KM_TXN_OFFSET_COMMIT, 8, 0, INT16_MAX, MAKING_NOTHING_ELSE, txn_offset_commit},
    {KM_END_TXN, 10, 0, INT16_MAX, MAKING_TRANSACTIONS, end_txn},
    {KM_DESCRIBE_TRANSACTIONS, 4, 0, INT16_MAX, MAKING_NOTHING_ELSE, describe_transactions},
    {KM_LIST_TRANSACTIONS, 3, 0, INT16_MAX, MAKING_NOTHING_ELSE, list_transactions},
};

const size_t requests_transactions_count = ARRAY_LEN(requests_transactions);
