#include "tests/differ/answers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/codec.h"

#define NO_MEMBER SIZE_MAX
#define VERSION_BYTES 2 /* in front of what consumers tell one another */
#define NOW INT64_C(0x7777777777777777)
/* Records bear times before this; what a broker stamps is later. */
#define RECORDS_BEFORE_MS INT64_C(1710000000000)

struct settling {
    const struct memory *memory;
    struct arena *arena;
};

/* --- order -------------------------------------------------------------------------------------
 */

/* Where in an element the text and the topic id stand that put it in order. */
struct order {
    size_t text;
    size_t id;
};

#define SORT(array, type, ...)                                                                     \
    sort((array).items, (array).count, sizeof(struct type), &(const struct order){__VA_ARGS__})

/* Sorts topics by name or id, and the partitions of each, which begin with their number. */
#define SORT_TOPICS(array, type, list, ...)                                                        \
    do {                                                                                           \
        for (int32_t at = 0; at < (array).count; at++)                                             \
            sort_numbers((array).items[at].list.items, (array).items[at].list.count,               \
                sizeof *(array).items[at].list.items);                                             \
        SORT(array, type, __VA_ARGS__);                                                            \
    } while (0)

static int
text_compare(struct wire_string a, struct wire_string b)
{
    int32_t common = a.size < b.size ? a.size : b.size;
    int order = common <= 0 ? 0 : memcmp(a.data, b.data, (size_t)common);

    return order != 0 ? order : a.size - b.size;
}

static int
by_text(const void *a, const void *b)
{
    return text_compare(*(const struct wire_string *)a, *(const struct wire_string *)b);
}

static int
in_order(const void *a, const void *b, void *context)
{
    const struct order *order = context;
    struct wire_string x, y;
    int result = 0;

    if (order->text != NO_MEMBER) {
        memcpy(&x, (const char *)a + order->text, sizeof x);
        memcpy(&y, (const char *)b + order->text, sizeof y);
        result = text_compare(x, y);
    }
    if (result == 0 && order->id != NO_MEMBER)
        result = memcmp(
            (const char *)a + order->id, (const char *)b + order->id, sizeof(struct wire_uuid));
    return result;
}

static void
sort(void *items, int32_t count, size_t size, const struct order *order)
{
    if (count > 1)
        qsort_r(items, (size_t)count, size, in_order, (void *)(uintptr_t)order);
}

/* Of elements that begin with their number, and of numbers. */
static int
by_number(const void *a, const void *b)
{
    int32_t x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void
sort_numbers(void *items, int32_t count, size_t size)
{
    if (count > 1)
        qsort(items, (size_t)count, size, by_number);
}

static bool
is_text(struct wire_string text, const char *other)
{
    return text.size == (int32_t)strlen(other) && memcmp(text.data, other, strlen(other)) == 0;
}

/* --- topics ------------------------------------------------------------------------------------
 */

/* Kafka answers Metadata in the order of its sets. */
static void
metadata_settle(const struct settling *settling, void *any)
{
    struct km_metadata_response *answer = any;

    (void)settling;
    SORT(answer->topics, km_metadata_response_topic,
        offsetof(struct km_metadata_response_topic, name),
        offsetof(struct km_metadata_response_topic, topic_id));
}

/* Kafka keeps min.insync.replicas as a dynamic default of the cluster (source 3) since it knows
 * eligible leader replicas. */
static int8_t
source_settle(struct wire_string name, int8_t source)
{
    return is_text(name, "min.insync.replicas") && source == 3 ? 5 : source;
}

/* refbroker has a config of its own, the last of each list. */
static void
created_settle(const struct settling *settling, void *any)
{
    struct km_create_topics_response *answer = any;

    (void)settling;
    for (int32_t i = 0; i < answer->topics.count; i++) {
        struct km_create_topics_response_creatable_topic_result *t = &answer->topics.items[i];

        if (t->configs.count > 0 &&
            is_text(t->configs.items[t->configs.count - 1].name, "diskless.enable"))
            t->configs.count--;
        for (int32_t k = 0; k < t->configs.count; k++)
            t->configs.items[k].config_source =
                source_settle(t->configs.items[k].name, t->configs.items[k].config_source);
    }
}

/* Kafka describes in the order of a hash map. */
static void
configs_settle(const struct settling *settling, void *any)
{
    struct km_describe_configs_response *answer = any;

    (void)settling;
    for (int32_t i = 0; i < answer->results.count; i++) {
        struct km_describe_configs_response_result *r = &answer->results.items[i];

        if (r->configs.count > 0 &&
            is_text(r->configs.items[r->configs.count - 1].name, "diskless.enable"))
            r->configs.count--;
        for (int32_t k = 0; k < r->configs.count; k++)
            r->configs.items[k].config_source =
                source_settle(r->configs.items[k].name, r->configs.items[k].config_source);
        SORT(r->configs, km_describe_configs_response_resource_result,
            offsetof(struct km_describe_configs_response_resource_result, name), NO_MEMBER);
    }
}

/* --- records -----------------------------------------------------------------------------------
 */

/* Markers of transactions bear the time. */
static void
fetched_settle(const struct settling *settling, void *any)
{
    struct km_fetch_response *answer = any;

    (void)settling;
    for (int32_t i = 0; i < answer->responses.count; i++)
        for (int32_t k = 0; k < answer->responses.items[i].partitions.count; k++) {
            struct wire_records *records = &answer->responses.items[i].partitions.items[k].records;
            struct batch_view_cursor cursor = {records->data, (size_t)records->size};
            struct batch_view batch;
            bool found = records->size > 0;

            while (found && batch_view_next(&cursor, &batch, &found, NULL) == RC_OK && found) {
                uint8_t *at = (uint8_t *)(uintptr_t)batch.data;

                if (!batch_view_is_control(&batch))
                    continue;
                memset(at + BATCH_VIEW_CRC_AT, 0, sizeof batch.crc);
                memset(at + BATCH_VIEW_BASE_TIMESTAMP_AT, 0, sizeof batch.base_timestamp);
                memset(at + BATCH_VIEW_MAX_TIMESTAMP_AT, 0, sizeof batch.max_timestamp);
            }
        }
}

/* How far Kafka looks for aborted transactions behind the records that it sends depends on how
 * dense its index is; a consumer has no use for those. */
static void
aborted_settle(struct km_fetch_response_partition_data *p)
{
    struct batch_view_cursor cursor = {p->records.data, (size_t)p->records.size};
    struct batch_view batch;
    bool found = p->records.size > 0;
    int64_t end = INT64_MIN;
    int32_t kept = 0;

    while (found && batch_view_next(&cursor, &batch, &found, NULL) == RC_OK && found)
        end = batch_view_next_offset(&batch);
    for (int32_t i = 0; i < p->aborted_transactions.count; i++)
        if (end == INT64_MIN || p->aborted_transactions.items[i].first_offset < end)
            p->aborted_transactions.items[kept++] = p->aborted_transactions.items[i];
    if (p->aborted_transactions.count > 0)
        p->aborted_transactions.count = kept;
}

/* A fetch ends where a segment does, and how many there are is the broker's business: what both
 * have must be the same. */
static void
fetched_settle_pair(struct km_fetch_response *a, struct km_fetch_response *b)
{
    for (int32_t i = 0; i < a->responses.count && i < b->responses.count; i++) {
        struct km_fetch_response_fetchable_topic_response *x = &a->responses.items[i];
        struct km_fetch_response_fetchable_topic_response *y = &b->responses.items[i];

        for (int32_t k = 0; k < x->partitions.count && k < y->partitions.count; k++) {
            struct wire_records *p = &x->partitions.items[k].records;
            struct wire_records *q = &y->partitions.items[k].records;

            if (p->size > 0 && q->size > 0)
                p->size = q->size = p->size < q->size ? p->size : q->size;
            aborted_settle(&x->partitions.items[k]);
            aborted_settle(&y->partitions.items[k]);
        }
    }
}

static int64_t
time_settle(int64_t ms)
{
    return ms > RECORDS_BEFORE_MS ? NOW : ms;
}

static void
listed_offsets_settle(const struct settling *settling, void *any)
{
    struct km_list_offsets_response *answer = any;

    (void)settling;
    for (int32_t i = 0; i < answer->topics.count; i++)
        for (int32_t k = 0; k < answer->topics.items[i].partitions.count; k++) {
            int64_t *ms = &answer->topics.items[i].partitions.items[k].timestamp;

            *ms = time_settle(*ms);
        }
}

/* --- groups ------------------------------------------------------------------------------------
 */

static void
listed_groups_settle(const struct settling *settling, void *any)
{
    struct km_list_groups_response *answer = any;
    int32_t kept = 0;

    for (int32_t i = 0; i < answer->groups.count; i++)
        if (memory_is_ours(settling->memory, answer->groups.items[i].group_id))
            answer->groups.items[kept++] = answer->groups.items[i];
    answer->groups.count = answer->groups.count < 0 ? -1 : kept;
    SORT(answer->groups, km_list_groups_response_listed_group,
        offsetof(struct km_list_groups_response_listed_group, group_id), NO_MEMBER);
}

/* A broker assigns to a classic member in the order of a hash map, too. */
static void
classic_settle(struct arena *arena, struct wire_bytes *assignment)
{
    struct km_consumer_protocol_assignment assigned;
    const uint8_t *data = assignment->data;
    size_t size = assignment->size < VERSION_BYTES ? 0 : (size_t)assignment->size;
    int16_t version = (int16_t)(size == 0 ? -1 : (data[0] << 8) | data[1]);
    struct buf out;

    if (size == 0 ||
        codec_decode(&km_consumer_protocol_assignment_message, version, data + VERSION_BYTES,
            size - VERSION_BYTES, arena, &assigned, NULL, NULL) != RC_OK)
        return;
    SORT_TOPICS(assigned.assigned_partitions, km_consumer_protocol_assignment_topic_partition,
        partitions, offsetof(struct km_consumer_protocol_assignment_topic_partition, topic),
        NO_MEMBER);
    buf_init(&out, size);
    buf_append(&out, data, VERSION_BYTES);
    if (codec_encode(&km_consumer_protocol_assignment_message, version, &assigned, &out, NULL) ==
        RC_OK)
        *assignment = (struct wire_bytes){arena_dup(arena, out.data, out.size), (int32_t)out.size};
    buf_fini(&out);
}

static void
synced_settle(const struct settling *settling, void *any)
{
    struct km_sync_group_response *answer = any;

    classic_settle(settling->arena, &answer->assignment);
}

static void
described_groups_settle(const struct settling *settling, void *any)
{
    struct km_describe_groups_response *answer = any;

    for (int32_t i = 0; i < answer->groups.count; i++) {
        struct km_describe_groups_response_described_group *g = &answer->groups.items[i];

        for (int32_t k = 0; k < g->members.count; k++)
            classic_settle(settling->arena, &g->members.items[k].member_assignment);
        SORT(g->members, km_describe_groups_response_described_group_member,
            offsetof(struct km_describe_groups_response_described_group_member, member_id),
            NO_MEMBER);
    }
}

static void
assignment_settle(struct km_consumer_group_describe_response_assignment *assignment)
{
    SORT_TOPICS(assignment->topic_partitions, km_consumer_group_describe_response_topic_partitions,
        partitions, NO_MEMBER,
        offsetof(struct km_consumer_group_describe_response_topic_partitions, topic_id));
}

static void
described_consumers_settle(const struct settling *settling, void *any)
{
    struct km_consumer_group_describe_response *answer = any;

    (void)settling;
    for (int32_t i = 0; i < answer->groups.count; i++) {
        struct km_consumer_group_describe_response_described_group *g = &answer->groups.items[i];

        for (int32_t k = 0; k < g->members.count; k++) {
            struct km_consumer_group_describe_response_member *member = &g->members.items[k];

            assignment_settle(&member->assignment);
            assignment_settle(&member->target_assignment);
            if (member->subscribed_topic_names.count > 1)
                qsort(member->subscribed_topic_names.items,
                    (size_t)member->subscribed_topic_names.count,
                    sizeof *member->subscribed_topic_names.items, by_text);
        }
        SORT(g->members, km_consumer_group_describe_response_member,
            offsetof(struct km_consumer_group_describe_response_member, member_id), NO_MEMBER);
    }
}

static void
heartbeat_settle(const struct settling *settling, void *any)
{
    struct km_consumer_group_heartbeat_response *answer = any;

    (void)settling;
    if (answer->assignment != NULL)
        SORT_TOPICS(answer->assignment->topic_partitions,
            km_consumer_group_heartbeat_response_topic_partitions, partitions, NO_MEMBER,
            offsetof(struct km_consumer_group_heartbeat_response_topic_partitions, topic_id));
}

/* All offsets of a group come in the order of a hash map. */
static void
fetched_offsets_settle(const struct settling *settling, void *any)
{
    struct km_offset_fetch_response *answer = any;

    (void)settling;
    SORT_TOPICS(answer->topics, km_offset_fetch_response_topic, partitions,
        offsetof(struct km_offset_fetch_response_topic, name), NO_MEMBER);
    for (int32_t g = 0; g < answer->groups.count; g++)
        SORT_TOPICS(answer->groups.items[g].topics, km_offset_fetch_response_topics, partitions,
            offsetof(struct km_offset_fetch_response_topics, name),
            offsetof(struct km_offset_fetch_response_topics, topic_id));
}

/* Kafka tells first what it refuses on its own, then what its coordinator says of the rest. */
static void
committed_settle(const struct settling *settling, void *any)
{
    struct km_offset_commit_response *answer = any;

    (void)settling;
    SORT_TOPICS(answer->topics, km_offset_commit_response_topic, partitions,
        offsetof(struct km_offset_commit_response_topic, name),
        offsetof(struct km_offset_commit_response_topic, topic_id));
}

static void
deleted_offsets_settle(const struct settling *settling, void *any)
{
    struct km_offset_delete_response *answer = any;

    (void)settling;
    SORT_TOPICS(answer->topics, km_offset_delete_response_topic, partitions,
        offsetof(struct km_offset_delete_response_topic, name), NO_MEMBER);
}

static void
txn_committed_settle(const struct settling *settling, void *any)
{
    struct km_txn_offset_commit_response *answer = any;

    (void)settling;
    SORT_TOPICS(answer->topics, km_txn_offset_commit_response_topic, partitions,
        offsetof(struct km_txn_offset_commit_response_topic, name), NO_MEMBER);
}

/* --- transactions ------------------------------------------------------------------------------
 */

static void
listed_transactions_settle(const struct settling *settling, void *any)
{
    struct km_list_transactions_response *answer = any;
    int32_t kept = 0;

    for (int32_t i = 0; i < answer->transaction_states.count; i++)
        if (memory_is_ours(settling->memory, answer->transaction_states.items[i].transactional_id))
            answer->transaction_states.items[kept++] = answer->transaction_states.items[i];
    answer->transaction_states.count = answer->transaction_states.count < 0 ? -1 : kept;
    SORT(answer->transaction_states, km_list_transactions_response_transaction_state,
        offsetof(struct km_list_transactions_response_transaction_state, transactional_id),
        NO_MEMBER);
}

static void
described_transactions_settle(const struct settling *settling, void *any)
{
    struct km_describe_transactions_response *answer = any;

    (void)settling;
    for (int32_t i = 0; i < answer->transaction_states.count; i++) {
        struct km_describe_transactions_response_transaction_state *t =
            &answer->transaction_states.items[i];

        t->transaction_start_time_ms = time_settle(t->transaction_start_time_ms);
        SORT_TOPICS(t->topics, km_describe_transactions_response_topic_data, partitions,
            offsetof(struct km_describe_transactions_response_topic_data, topic), NO_MEMBER);
    }
}

/* Partitions come in the order of a hash map. */
static void
added_settle(const struct settling *settling, void *any)
{
    struct km_add_partitions_to_txn_response *answer = any;

    (void)settling;
    SORT_TOPICS(answer->results_by_topic_v3_and_below,
        km_add_partitions_to_txn_response_topic_result, results_by_partition,
        offsetof(struct km_add_partitions_to_txn_response_topic_result, name), NO_MEMBER);
}

static int
by_producer(const void *a, const void *b)
{
    const struct km_describe_producers_response_producer_state *x = a, *y = b;

    return (x->producer_id > y->producer_id) - (x->producer_id < y->producer_id);
}

static void
producers_settle(const struct settling *settling, void *any)
{
    struct km_describe_producers_response *answer = any;

    (void)settling;
    for (int32_t i = 0; i < answer->topics.count; i++)
        for (int32_t k = 0; k < answer->topics.items[i].partitions.count; k++) {
            struct km_describe_producers_response_partition_response *p =
                &answer->topics.items[i].partitions.items[k];

            for (int32_t n = 0; n < p->active_producers.count; n++)
                p->active_producers.items[n].last_timestamp =
                    time_settle(p->active_producers.items[n].last_timestamp);
            if (p->active_producers.count > 1)
                qsort(p->active_producers.items, (size_t)p->active_producers.count,
                    sizeof *p->active_producers.items, by_producer);
        }
}

/* --- all ---------------------------------------------------------------------------------------
 */

static const struct {
    int16_t key;
    void (*settle)(const struct settling *settling, void *answer);
} settles[] = {
    {KM_METADATA, metadata_settle},
    {KM_CREATE_TOPICS, created_settle},
    {KM_DESCRIBE_CONFIGS, configs_settle},
    {KM_FETCH, fetched_settle},
    {KM_LIST_OFFSETS, listed_offsets_settle},
    {KM_LIST_GROUPS, listed_groups_settle},
    {KM_DESCRIBE_GROUPS, described_groups_settle},
    {KM_CONSUMER_GROUP_DESCRIBE, described_consumers_settle},
    {KM_CONSUMER_GROUP_HEARTBEAT, heartbeat_settle},
    {KM_SYNC_GROUP, synced_settle},
    {KM_OFFSET_COMMIT, committed_settle},
    {KM_TXN_OFFSET_COMMIT, txn_committed_settle},
    {KM_OFFSET_DELETE, deleted_offsets_settle},
    {KM_OFFSET_FETCH, fetched_offsets_settle},
    {KM_LIST_TRANSACTIONS, listed_transactions_settle},
    {KM_DESCRIBE_TRANSACTIONS, described_transactions_settle},
    {KM_ADD_PARTITIONS_TO_TXN, added_settle},
    {KM_DESCRIBE_PRODUCERS, producers_settle},
};

void
answers_settle(
    const struct memory *memory, const struct wire_api *api, struct arena *arena, void *answer)
{
    struct settling settling = {memory, arena};

    for (size_t i = 0; i < ARRAY_LEN(settles); i++)
        if (settles[i].key == api->key)
            settles[i].settle(&settling, answer);
}

void
answers_settle_pair(const struct wire_api *api, void *const answers[2])
{
    if (api->key == KM_FETCH)
        fetched_settle_pair(answers[0], answers[1]);
}
