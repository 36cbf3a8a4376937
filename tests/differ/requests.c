#include "tests/differ/requests.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "tests/differ/requests_groups.h"
#include "tests/differ/requests_offsets.h"
#include "tests/differ/requests_transactions.h"

/* --- topics ------------------------------------------------------------------------------------
 */

/* Not LogAppendTime and no compression.type that compresses: what is stored then depends on the
 * clock and on the library's version. */
static const char *const configs[][2] = {{"cleanup.policy", "compact"},
    {"cleanup.policy", "compact,delete"}, {"cleanup.policy", "nonsense"},
    {"retention.ms", "86400000"}, {"retention.ms", "-1"}, {"retention.ms", "-2"},
    {"retention.ms", "x"}, {"max.message.bytes", "200"}, {"max.message.bytes", "-1"},
    {"message.timestamp.type", "CreateTime"}, {"message.timestamp.type", "Never"},
    {"compression.type", "uncompressed"}, {"compression.type", "brotli"},
    {"min.insync.replicas", "1"}, {"min.insync.replicas", "0"}, {"segment.bytes", "1048576"},
    {"segment.bytes", "10"}, {"no.such.config", "1"}, {"unclean.leader.election.enable", "true"},
    {"unclean.leader.election.enable", "perhaps"}, {"min.cleanable.dirty.ratio", "0.7"},
    {"min.cleanable.dirty.ratio", "1.7"}, {"flush.messages", "10"}, {"delete.retention.ms", "100"}};

static void *
create_topics(struct making *m)
{
    struct km_create_topics_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_create_topics_request_desc, in);
    MAKING_ARRAY(m->arena, km_create_topics_request_creatable_topic_desc, in->topics,
        1 + (int32_t)making_below(m, 2));
    in->timeout_ms = 10000;
    in->validate_only = making_chance(m, 6);
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct km_create_topics_request_creatable_topic *t = &in->topics.items[i];

        t->name = making_topic(m);
        t->num_partitions =
            making_chance(m, 8) ? (int32_t)making_below(m, 4) - 2 : 1 + (int32_t)making_below(m, 3);
        t->replication_factor = (int16_t)(making_chance(m, 8) ? (int)making_below(m, 4) - 2 : 1);
        MAKING_ARRAY(m->arena, km_create_topics_request_creatable_topic_config_desc, t->configs,
            (int32_t)making_below(m, 2));
        for (int32_t k = 0; k < t->configs.count; k++) {
            size_t which = making_below(m, ARRAY_LEN(configs));

            t->configs.items[k].name = making_text(configs[which][0]);
            t->configs.items[k].value =
                making_text(making_chance(m, 40) ? NULL : configs[which][1]);
        }
    }
    return in;
}

static void *
delete_topics(struct making *m)
{
    struct km_delete_topics_request *in = arena_alloc(m->arena, sizeof *in);
    struct wire_string *old;

    codec_init(&km_delete_topics_request_desc, in);
    in->timeout_ms = 10000;
    if (m->version < 6) {
        old = arena_array(m->arena, 1, sizeof *old);
        *old = making_topic(m);
        in->topic_names.items = old;
        in->topic_names.count = 1;
        return in;
    }
    MAKING_ARRAY(m->arena, km_delete_topics_request_delete_topic_state_desc, in->topics, 1);
    if (making_chance(m, 2))
        in->topics.items[0].topic_id = making_topic_id(m);
    else
        in->topics.items[0].name = making_topic(m);
    return in;
}

static void *
create_partitions(struct making *m)
{
    struct km_create_partitions_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_create_partitions_request_desc, in);
    MAKING_ARRAY(m->arena, km_create_partitions_request_topic_desc, in->topics, 1);
    in->timeout_ms = 10000;
    in->validate_only = making_chance(m, 4);
    in->topics.items[0].name = making_topic(m);
    in->topics.items[0].count = (int32_t)making_below(m, 7) - 1;
    in->topics.items[0].assignments.count = -1;
    return in;
}

static void *
describe_configs(struct making *m)
{
    struct km_describe_configs_request *in = arena_alloc(m->arena, sizeof *in);
    struct km_describe_configs_request_resource *r;

    codec_init(&km_describe_configs_request_desc, in);
    MAKING_ARRAY(m->arena, km_describe_configs_request_resource_desc, in->resources, 1);
    in->include_synonyms = false;
    r = &in->resources.items[0];
    r->resource_type = 2;
    r->resource_name = making_topic(m);
    r->configuration_keys.count = -1;
    if (making_chance(m, 2)) {
        struct wire_string *keys = arena_array(m->arena, 3, sizeof *keys);

        for (int i = 0; i < 3; i++)
            keys[i] = making_text(configs[making_below(m, ARRAY_LEN(configs))][0]);
        r->configuration_keys.items = keys;
        r->configuration_keys.count = (int32_t)making_below(m, 4);
    }
    return in;
}

static void *
alter_configs(struct making *m)
{
    struct km_incremental_alter_configs_request *in = arena_alloc(m->arena, sizeof *in);
    struct km_incremental_alter_configs_request_alter_configs_resource *r;

    codec_init(&km_incremental_alter_configs_request_desc, in);
    MAKING_ARRAY(m->arena, km_incremental_alter_configs_request_alter_configs_resource_desc,
        in->resources, 1);
    in->validate_only = making_chance(m, 4);
    r = &in->resources.items[0];
    r->resource_type = 2;
    r->resource_name = making_topic(m);
    /* Of two that are wrong Kafka tells either, in the order of a hash map. */
    MAKING_ARRAY(
        m->arena, km_incremental_alter_configs_request_alterable_config_desc, r->configs, 1);
    for (int32_t i = 0; i < r->configs.count; i++) {
        size_t which = making_below(m, ARRAY_LEN(configs));

        r->configs.items[i].name = making_text(configs[which][0]);
        r->configs.items[i].config_operation =
            (int8_t)making_below(m, making_chance(m, 20) ? 6 : 4);
        r->configs.items[i].value = making_text(making_chance(m, 20) ? NULL : configs[which][1]);
    }
    return in;
}

static void *
metadata(struct making *m)
{
    struct km_metadata_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_metadata_request_desc, in);
    in->allow_auto_topic_creation = false;
    in->include_topic_authorized_operations = m->version >= 8 && making_chance(m, 3);
    in->include_cluster_authorized_operations =
        m->version >= 8 && m->version <= 10 && making_chance(m, 3);
    /* All topics include those that a broker makes for itself. */
    MAKING_ARRAY(
        m->arena, km_metadata_request_topic_desc, in->topics, 1 + (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in->topics.count; i++) {
        if (m->version >= 12 && making_chance(m, 2)) {
            /* No id and no name make Kafka fail inside (-1); nobody should rely on that. */
            in->topics.items[i].topic_id = making_topic_id_known(m);
            in->topics.items[i].name = making_text(NULL);
        } else {
            in->topics.items[i].name = making_topic(m);
        }
    }
    return in;
}

/* --- records -----------------------------------------------------------------------------------
 */

static void *
produce(struct making *m)
{
    static const struct making_producer none = {.id = -1, .sequence = -1, .epoch = -1};
    struct km_produce_request *in = arena_alloc(m->arena, sizeof *in);
    int32_t index;

    codec_init(&km_produce_request_desc, in);
    /* Before version 7 zstd is refused first, and so are the acks: either is told. */
    in->acks = (int16_t)(m->version >= 7 && making_chance(m, 15) ? 2
                         : making_chance(m, 2)                   ? 1
                                                                 : -1);
    in->timeout_ms = 10000;
    MAKING_ARRAY(m->arena, km_produce_request_topic_produce_data_desc, in->topic_data, 1);
    in->topic_data.items[0].name = making_topic_known(m);
    in->topic_data.items[0].topic_id = making_topic_id(m);
    MAKING_ARRAY(m->arena, km_produce_request_partition_produce_data_desc,
        in->topic_data.items[0].partition_data, 1);
    index = making_partition(m);
    in->topic_data.items[0].partition_data.items[0].index = index;
    in->topic_data.items[0].partition_data.items[0].records = making_batch(m, &none, index == 0);
    return in;
}

static void *
fetch(struct making *m)
{
    struct km_fetch_request *in = arena_alloc(m->arena, sizeof *in);
    struct km_fetch_request_partition *p;

    codec_init(&km_fetch_request_desc, in);
    in->max_wait_ms = 0;
    in->max_bytes = 1 << 20;
    in->isolation_level = (int8_t)making_below(m, 2);
    MAKING_ARRAY(m->arena, km_fetch_request_topic_desc, in->topics, 1);
    in->topics.items[0].topic = making_topic_known(m);
    in->topics.items[0].topic_id = making_topic_id(m);
    MAKING_ARRAY(m->arena, km_fetch_request_partition_desc, in->topics.items[0].partitions, 1);
    p = &in->topics.items[0].partitions.items[0];
    p->partition = making_partition(m);
    p->fetch_offset = making_offset(m);
    p->partition_max_bytes = making_chance(m, 3) ? 1 : 1 << 20;
    return in;
}

static void *
list_offsets(struct making *m)
{
    static const int64_t special[] = {-1, -2, -4, -5, -6};
    struct km_list_offsets_request *in = arena_alloc(m->arena, sizeof *in);
    struct km_list_offsets_request_partition *p;

    codec_init(&km_list_offsets_request_desc, in);
    in->replica_id = -1;
    in->isolation_level = (int8_t)(m->version >= 2 ? making_below(m, 2) : 0);
    in->timeout_ms = 1000;
    MAKING_ARRAY(m->arena, km_list_offsets_request_topic_desc, in->topics, 1);
    in->topics.items[0].name = making_topic_known(m);
    MAKING_ARRAY(
        m->arena, km_list_offsets_request_partition_desc, in->topics.items[0].partitions, 1);
    p = &in->topics.items[0].partitions.items[0];
    p->partition_index = making_partition(m);
    /* The largest timestamp (-3) may be that of a deleted record on Kafka, where a batch has
     * others. */
    p->timestamp = making_chance(m, 2)
                       ? special[making_below(m, ARRAY_LEN(special))]
                       : MAKING_FIRST_TIMESTAMP_MS + (int64_t)making_below(m, 1100) - 50;
    return in;
}

static void *
delete_records(struct making *m)
{
    struct km_delete_records_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_delete_records_request_desc, in);
    in->timeout_ms = 10000;
    MAKING_ARRAY(m->arena, km_delete_records_request_topic_desc, in->topics, 1);
    in->topics.items[0].name = making_topic_known(m);
    MAKING_ARRAY(
        m->arena, km_delete_records_request_partition_desc, in->topics.items[0].partitions, 1);
    in->topics.items[0].partitions.items[0].partition_index = making_partition(m);
    in->topics.items[0].partitions.items[0].offset = making_offset(m);
    return in;
}

static void *
leader_epoch(struct making *m)
{
    struct km_offset_for_leader_epoch_request *in = arena_alloc(m->arena, sizeof *in);
    struct km_offset_for_leader_epoch_request_offset_for_leader_partition *p;

    codec_init(&km_offset_for_leader_epoch_request_desc, in);
    MAKING_ARRAY(
        m->arena, km_offset_for_leader_epoch_request_offset_for_leader_topic_desc, in->topics, 1);
    in->topics.items[0].topic = making_topic_known(m);
    MAKING_ARRAY(m->arena, km_offset_for_leader_epoch_request_offset_for_leader_partition_desc,
        in->topics.items[0].partitions, 1);
    p = &in->topics.items[0].partitions.items[0];
    p->partition = making_partition(m);
    p->leader_epoch = (int32_t)making_below(m, 3) - 1;
    return in;
}

static void *
describe_partitions(struct making *m)
{
    struct km_describe_topic_partitions_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_describe_topic_partitions_request_desc, in);
    MAKING_ARRAY(m->arena, km_describe_topic_partitions_request_topic_request_desc, in->topics,
        1 + (int32_t)making_below(m, 2));
    for (int32_t i = 0; i < in->topics.count; i++)
        in->topics.items[i].name = making_topic(m);
    in->response_partition_limit = 1 + (int32_t)making_below(m, 4);
    return in;
}

/* --- all ---------------------------------------------------------------------------------------
 */

static const struct maker makers[] = {
    {KM_CREATE_TOPICS, 10, 0, INT16_MAX, MAKING_TOPICS, create_topics},
    {KM_DELETE_TOPICS, 2, 0, INT16_MAX, MAKING_TOPICS, delete_topics},
    {KM_CREATE_PARTITIONS, 3, 0, INT16_MAX, MAKING_TOPICS, create_partitions},
    {KM_DESCRIBE_CONFIGS, 5, 0, INT16_MAX, MAKING_NOTHING_ELSE, describe_configs},
    {KM_INCREMENTAL_ALTER_CONFIGS, 6, 0, INT16_MAX, MAKING_TOPICS, alter_configs},
    {KM_METADATA, 5, 4, INT16_MAX, MAKING_NOTHING_ELSE, metadata},
    {KM_DESCRIBE_TOPIC_PARTITIONS, 3, 0, INT16_MAX, MAKING_NOTHING_ELSE, describe_partitions},
    {KM_PRODUCE, 30, 0, INT16_MAX, MAKING_NOTHING_ELSE, produce},
    {KM_FETCH, 20, 0, INT16_MAX, MAKING_NOTHING_ELSE, fetch},
    {KM_LIST_OFFSETS, 10, 0, INT16_MAX, MAKING_NOTHING_ELSE, list_offsets},
    {KM_DELETE_RECORDS, 3, 0, INT16_MAX, MAKING_NOTHING_ELSE, delete_records},
    {KM_OFFSET_FOR_LEADER_EPOCH, 3, 0, INT16_MAX, MAKING_NOTHING_ELSE, leader_epoch},
};

static const struct maker *
maker_choose(struct env *dice)
{
    const struct maker *tables[] = {
        makers, requests_groups, requests_offsets, requests_transactions};
    const size_t counts[] = {ARRAY_LEN(makers), requests_groups_count, requests_offsets_count,
        requests_transactions_count};
    uint64_t sum = 0, choice;

    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < counts[t]; i++)
            sum += tables[t][i].weight;
    choice = env_random_below(dice, sum);
    for (size_t t = 0; t < ARRAY_LEN(tables); t++)
        for (size_t i = 0; i < counts[t]; i++) {
            if (choice < tables[t][i].weight)
                return &tables[t][i];
            choice -= tables[t][i].weight;
        }
    return NULL; /* not reached: the choice is below the sum */
}

void
requests_next(struct env *dice, const struct requests_versions *versions,
    const struct memory *memory, struct arena *arena, struct requests_made *out)
{
    const struct maker *maker = maker_choose(dice);
    struct making m = {.dice = dice, .arena = arena, .memory = memory};
    int16_t min, max;
    size_t at;

    out->api = frame_api(maker->key);
    at = (size_t)(out->api - km_apis);
    min = versions->min[at] > maker->version_min ? versions->min[at] : maker->version_min;
    max = versions->max[at] < maker->version_max ? versions->max[at] : maker->version_max;
    REQUIRE(max >= min);
    m.version = (int16_t)(min + (int16_t)env_random_below(dice, (uint64_t)(max - min) + 1));
    out->version = m.version;
    out->effect = maker->effect;
    out->body = maker->make(&m);
}
