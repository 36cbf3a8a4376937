#include "tests/differ/requests.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"

#define BATCH_BYTES_MAX ((size_t)1 << 16)
#define RECORDS_MAX 4
#define FIRST_TIMESTAMP_MS INT64_C(1700000000000)
/* An array member and its count, which is evaluated once. */
#define ARRAY(arena, desc, to, count_)                                                             \
    ((to).count = (count_), (to).items = codec_array((arena), &(desc), (to).count))

struct making {
    struct env *dice;
    struct arena *arena;
    int32_t node_id;
    int16_t version;
};

static const char *const names[REQUESTS_NAMES] = {"d-0", "d-1", "d-2", "d.3", "d-4", "d-5"};
static const char *const odd_names[] = {".", "..", "a b", "no/slash", "d-unknown"};

const char *
requests_name(size_t number)
{
    return names[number];
}

/* --- dice --------------------------------------------------------------------------------------
 */

static uint64_t
below(struct making *m, uint64_t bound)
{
    return env_random_below(m->dice, bound);
}

static bool
chance(struct making *m, uint64_t one_in)
{
    return below(m, one_in) == 0;
}

static struct wire_string
text(const char *value)
{
    return (struct wire_string){value, value == NULL ? -1 : (int32_t)strlen(value)};
}

static struct wire_string
topic(struct making *m)
{
    if (chance(m, 12))
        return text(odd_names[below(m, ARRAY_LEN(odd_names))]);
    return text(names[below(m, REQUESTS_NAMES)]);
}

static struct wire_uuid
topic_id_known(struct making *m)
{
    struct wire_uuid id = {{REQUESTS_ID_BYTE}};

    id.bytes[15] = (uint8_t)below(m, REQUESTS_NAMES);
    return id;
}

static struct wire_uuid
topic_id(struct making *m)
{
    static const struct wire_uuid none;

    if (chance(m, 20))
        return none;
    return topic_id_known(m);
}

static int32_t
partition(struct making *m)
{
    return chance(m, 10) ? (int32_t)below(m, 12) - 2 : (int32_t)below(m, 3);
}

static int64_t
offset(struct making *m)
{
    static const int64_t odd[] = {-1, -2, 1000000, INT64_MAX, -7};

    return chance(m, 8) ? odd[below(m, ARRAY_LEN(odd))] : (int64_t)below(m, 30);
}

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
    ARRAY(m->arena, km_create_topics_request_creatable_topic_desc, in->topics,
        1 + (int32_t)below(m, 2));
    in->timeout_ms = 10000;
    in->validate_only = chance(m, 6);
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct km_create_topics_request_creatable_topic *t = &in->topics.items[i];

        t->name = topic(m);
        t->num_partitions = chance(m, 8) ? (int32_t)below(m, 4) - 2 : 1 + (int32_t)below(m, 3);
        t->replication_factor = (int16_t)(chance(m, 8) ? (int)below(m, 4) - 2 : 1);
        ARRAY(m->arena, km_create_topics_request_creatable_topic_config_desc, t->configs,
            (int32_t)below(m, 2));
        for (int32_t k = 0; k < t->configs.count; k++) {
            size_t which = below(m, ARRAY_LEN(configs));

            t->configs.items[k].name = text(configs[which][0]);
            t->configs.items[k].value = text(chance(m, 40) ? NULL : configs[which][1]);
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
        *old = topic(m);
        in->topic_names.items = old;
        in->topic_names.count = 1;
        return in;
    }
    ARRAY(m->arena, km_delete_topics_request_delete_topic_state_desc, in->topics, 1);
    if (chance(m, 2))
        in->topics.items[0].topic_id = topic_id(m);
    else
        in->topics.items[0].name = topic(m);
    return in;
}

static void *
create_partitions(struct making *m)
{
    struct km_create_partitions_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_create_partitions_request_desc, in);
    ARRAY(m->arena, km_create_partitions_request_topic_desc, in->topics, 1);
    in->timeout_ms = 10000;
    in->validate_only = chance(m, 4);
    in->topics.items[0].name = topic(m);
    in->topics.items[0].count = (int32_t)below(m, 7) - 1;
    in->topics.items[0].assignments.count = -1;
    return in;
}

static void *
describe_configs(struct making *m)
{
    struct km_describe_configs_request *in = arena_alloc(m->arena, sizeof *in);
    struct km_describe_configs_request_resource *r;

    codec_init(&km_describe_configs_request_desc, in);
    ARRAY(m->arena, km_describe_configs_request_resource_desc, in->resources, 1);
    in->include_synonyms = false;
    r = &in->resources.items[0];
    r->resource_type = 2;
    r->resource_name = topic(m);
    r->configuration_keys.count = -1;
    if (chance(m, 2)) {
        struct wire_string *keys = arena_array(m->arena, 3, sizeof *keys);

        for (int i = 0; i < 3; i++)
            keys[i] = text(configs[below(m, ARRAY_LEN(configs))][0]);
        r->configuration_keys.items = keys;
        r->configuration_keys.count = (int32_t)below(m, 4);
    }
    return in;
}

static void *
alter_configs(struct making *m)
{
    struct km_incremental_alter_configs_request *in = arena_alloc(m->arena, sizeof *in);
    struct km_incremental_alter_configs_request_alter_configs_resource *r;

    codec_init(&km_incremental_alter_configs_request_desc, in);
    ARRAY(m->arena, km_incremental_alter_configs_request_alter_configs_resource_desc, in->resources,
        1);
    in->validate_only = chance(m, 4);
    r = &in->resources.items[0];
    r->resource_type = 2;
    r->resource_name = topic(m);
    /* Of two that are wrong Kafka tells either, in the order of a hash map. */
    ARRAY(m->arena, km_incremental_alter_configs_request_alterable_config_desc, r->configs, 1);
    for (int32_t i = 0; i < r->configs.count; i++) {
        size_t which = below(m, ARRAY_LEN(configs));

        r->configs.items[i].name = text(configs[which][0]);
        r->configs.items[i].config_operation = (int8_t)below(m, chance(m, 20) ? 6 : 4);
        r->configs.items[i].value = text(chance(m, 20) ? NULL : configs[which][1]);
    }
    return in;
}

static void *
metadata(struct making *m)
{
    struct km_metadata_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_metadata_request_desc, in);
    in->allow_auto_topic_creation = false;
    in->include_topic_authorized_operations = m->version >= 8 && chance(m, 3);
    in->include_cluster_authorized_operations = m->version >= 8 && m->version <= 10 && chance(m, 3);
    /* All topics include those that a broker makes for itself. */
    ARRAY(m->arena, km_metadata_request_topic_desc, in->topics, 1 + (int32_t)below(m, 2));
    for (int32_t i = 0; i < in->topics.count; i++) {
        if (m->version >= 12 && chance(m, 2)) {
            /* No id and no name make Kafka fail inside (-1); nobody should rely on that. */
            in->topics.items[i].topic_id = topic_id_known(m);
            in->topics.items[i].name = text(NULL);
        } else {
            in->topics.items[i].name = topic(m);
        }
    }
    return in;
}

/* --- records -----------------------------------------------------------------------------------
 */

static struct wire_records
batch(struct making *m, bool may_be_damaged)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct buf out;
    int32_t count = 1 + (int32_t)below(m, RECORDS_MAX);
    struct wire_records records;

    options.codec = (enum compress_codec)below(m, 5);
    batch_builder_init(&builder, BATCH_BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (int32_t i = 0; i < count; i++) {
        struct batch_builder_record record = {.offset = i,
            .timestamp = FIRST_TIMESTAMP_MS + (int64_t)below(m, 1000),
            .key = chance(m, 3) ? NULL : "key",
            .value = chance(m, 5) ? NULL : "some value of a record",
            .key_size = 3,
            .value_size = (int32_t)below(m, 20)};

        REQUIRE(batch_builder_append(&builder, &record, NULL) == RC_OK);
    }
    buf_init(&out, BATCH_BYTES_MAX);
    REQUIRE(batch_builder_finish(&builder, &out, NULL) == RC_OK);
    /* Where the partition is not there Kafka tells of either mistake. */
    if (may_be_damaged && chance(m, 25))
        out.data[below(m, out.size)] ^= (uint8_t)(1U << below(m, 8));
    records =
        (struct wire_records){arena_dup(m->arena, out.data, out.size), NULL, (int32_t)out.size, 0};
    batch_builder_fini(&builder);
    buf_fini(&out);
    return records;
}

static void *
produce(struct making *m)
{
    struct km_produce_request *in = arena_alloc(m->arena, sizeof *in);
    int32_t index;

    codec_init(&km_produce_request_desc, in);
    /* Before version 7 zstd is refused first, and so are the acks: either is told. */
    in->acks = (int16_t)(m->version >= 7 && chance(m, 15) ? 2 : chance(m, 2) ? 1 : -1);
    in->timeout_ms = 10000;
    ARRAY(m->arena, km_produce_request_topic_produce_data_desc, in->topic_data, 1);
    in->topic_data.items[0].name = text(names[below(m, REQUESTS_NAMES)]);
    in->topic_data.items[0].topic_id = topic_id(m);
    ARRAY(m->arena, km_produce_request_partition_produce_data_desc,
        in->topic_data.items[0].partition_data, 1);
    index = partition(m);
    in->topic_data.items[0].partition_data.items[0].index = index;
    in->topic_data.items[0].partition_data.items[0].records = batch(m, index == 0);
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
    in->isolation_level = (int8_t)below(m, 2);
    ARRAY(m->arena, km_fetch_request_topic_desc, in->topics, 1);
    in->topics.items[0].topic = text(names[below(m, REQUESTS_NAMES)]);
    in->topics.items[0].topic_id = topic_id(m);
    ARRAY(m->arena, km_fetch_request_partition_desc, in->topics.items[0].partitions, 1);
    p = &in->topics.items[0].partitions.items[0];
    p->partition = partition(m);
    p->fetch_offset = offset(m);
    p->partition_max_bytes = chance(m, 3) ? 1 : 1 << 20;
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
    in->isolation_level = (int8_t)(m->version >= 2 ? below(m, 2) : 0);
    in->timeout_ms = 1000;
    ARRAY(m->arena, km_list_offsets_request_topic_desc, in->topics, 1);
    in->topics.items[0].name = text(names[below(m, REQUESTS_NAMES)]);
    ARRAY(m->arena, km_list_offsets_request_partition_desc, in->topics.items[0].partitions, 1);
    p = &in->topics.items[0].partitions.items[0];
    p->partition_index = partition(m);
    /* The largest timestamp (-3) may be that of a deleted record on Kafka, where a batch has
     * others. */
    p->timestamp = chance(m, 2) ? special[below(m, ARRAY_LEN(special))]
                                : FIRST_TIMESTAMP_MS + (int64_t)below(m, 1100) - 50;
    return in;
}

static void *
delete_records(struct making *m)
{
    struct km_delete_records_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_delete_records_request_desc, in);
    in->timeout_ms = 10000;
    ARRAY(m->arena, km_delete_records_request_topic_desc, in->topics, 1);
    in->topics.items[0].name = text(names[below(m, REQUESTS_NAMES)]);
    ARRAY(m->arena, km_delete_records_request_partition_desc, in->topics.items[0].partitions, 1);
    in->topics.items[0].partitions.items[0].partition_index = partition(m);
    in->topics.items[0].partitions.items[0].offset = offset(m);
    return in;
}

static void *
leader_epoch(struct making *m)
{
    struct km_offset_for_leader_epoch_request *in = arena_alloc(m->arena, sizeof *in);
    struct km_offset_for_leader_epoch_request_offset_for_leader_partition *p;

    codec_init(&km_offset_for_leader_epoch_request_desc, in);
    ARRAY(m->arena, km_offset_for_leader_epoch_request_offset_for_leader_topic_desc, in->topics, 1);
    in->topics.items[0].topic = text(names[below(m, REQUESTS_NAMES)]);
    ARRAY(m->arena, km_offset_for_leader_epoch_request_offset_for_leader_partition_desc,
        in->topics.items[0].partitions, 1);
    p = &in->topics.items[0].partitions.items[0];
    p->partition = partition(m);
    p->leader_epoch = (int32_t)below(m, 3) - 1;
    return in;
}

static void *
describe_partitions(struct making *m)
{
    struct km_describe_topic_partitions_request *in = arena_alloc(m->arena, sizeof *in);

    codec_init(&km_describe_topic_partitions_request_desc, in);
    ARRAY(m->arena, km_describe_topic_partitions_request_topic_request_desc, in->topics,
        1 + (int32_t)below(m, 2));
    for (int32_t i = 0; i < in->topics.count; i++)
        in->topics.items[i].name = topic(m);
    in->response_partition_limit = 1 + (int32_t)below(m, 4);
    return in;
}

/* --- all ---------------------------------------------------------------------------------------
 */

static const struct {
    int16_t key;
    unsigned weight;
    int16_t version_min; /* for what lower ones cannot say */
    bool changes_topics;
    void *(*make)(struct making *m);
} makers[] = {
    {KM_CREATE_TOPICS, 10, 0, true, create_topics},
    {KM_DELETE_TOPICS, 2, 0, true, delete_topics},
    {KM_CREATE_PARTITIONS, 3, 0, true, create_partitions},
    {KM_DESCRIBE_CONFIGS, 5, 0, false, describe_configs},
    {KM_INCREMENTAL_ALTER_CONFIGS, 6, 0, true, alter_configs},
    {KM_METADATA, 5, 4, false, metadata},
    {KM_DESCRIBE_TOPIC_PARTITIONS, 3, 0, false, describe_partitions},
    {KM_PRODUCE, 30, 0, false, produce},
    {KM_FETCH, 20, 0, false, fetch},
    {KM_LIST_OFFSETS, 10, 0, false, list_offsets},
    {KM_DELETE_RECORDS, 3, 0, false, delete_records},
    {KM_OFFSET_FOR_LEADER_EPOCH, 3, 0, false, leader_epoch},
};

void
requests_next(struct env *dice, const struct requests_versions *versions, int32_t node_id,
    struct arena *arena, struct requests_made *out)
{
    struct making m = {.dice = dice, .arena = arena, .node_id = node_id};
    uint64_t sum = 0, choice, span;
    size_t i = 0, at = 0;
    int16_t min;

    for (size_t k = 0; k < ARRAY_LEN(makers); k++)
        sum += makers[k].weight;
    choice = env_random_below(dice, sum);
    while (choice >= makers[i].weight)
        choice -= makers[i++].weight;
    out->api = frame_api(makers[i].key);
    at = (size_t)(out->api - km_apis);
    REQUIRE(versions->max[at] >= versions->min[at]);
    min = versions->min[at] > makers[i].version_min ? versions->min[at] : makers[i].version_min;
    span = (uint64_t)versions->max[at] - (uint64_t)min + 1;
    m.version = (int16_t)(min + (int16_t)env_random_below(dice, span));
    out->version = m.version;
    out->changes_topics = makers[i].changes_topics;
    out->body = makers[i].make(&m);
}
