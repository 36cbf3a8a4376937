#include "tests/sim/txn_client.h"

#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "tests/sim/disk_cut.h"

#define BYTES_MAX ((size_t)1 << 22)
#define TRIES_MAX 500
#define TOPIC "wal"

void
txn_client_init(struct txn_client *client, struct broker_world *world, const char *id,
    const char *group, bool bumps)
{
    *client = (struct txn_client){.world = world,
        .id = id,
        .group = group,
        .producer_id = -1,
        .producer_epoch = -1,
        .bumps = bumps,
        .retry = true,
        .timeout_ms = 60000};
}

static bool
is_to_be_tried_again(const struct txn_client *client, int16_t code)
{
    return client->retry &&
           (code == KE_COORDINATOR_LOAD_IN_PROGRESS || code == KE_COORDINATOR_NOT_AVAILABLE ||
               code == KE_CONCURRENT_TRANSACTIONS || code == KE_NOT_ENOUGH_REPLICAS);
}

/* One request, until its answer is final; code_of reads its code. */
static int16_t
call(struct txn_client *client, int16_t key, int16_t version, const void *in, struct arena *arena,
    void *out, int16_t (*code_of)(const void *out))
{
    int16_t code = TXN_CLIENT_NONE;

    for (int i = 0; i < TRIES_MAX; i++) {
        if (!broker_world_call(client->world, key, version, in, arena, out))
            return TXN_CLIENT_NONE;
        code = code_of(out);
        if (!is_to_be_tried_again(client, code))
            return code;
        broker_world_rest(client->world, 10);
    }
    return code;
}

static int16_t
begin_code(const void *out)
{
    return ((const struct km_init_producer_id_response *)out)->error_code;
}

int16_t
txn_client_begin(struct txn_client *client, bool expect)
{
    struct km_init_producer_id_request in;
    struct km_init_producer_id_response out;
    struct arena arena;
    int16_t code;

    codec_init(&km_init_producer_id_request_desc, &in);
    in.transactional_id = request_text(client->id);
    in.transaction_timeout_ms = client->timeout_ms;
    if (expect) {
        in.producer_id = client->producer_id;
        in.producer_epoch = client->producer_epoch;
    }
    arena_init(&arena, BYTES_MAX);
    code = call(client, KM_INIT_PRODUCER_ID, 4, &in, &arena, &out, begin_code);
    if (code == KE_NONE) {
        client->producer_id = out.producer_id;
        client->producer_epoch = out.producer_epoch;
        memset(client->sequences, 0, sizeof client->sequences);
    }
    arena_fini(&arena);
    return code;
}

static int16_t
add_code(const void *out)
{
    return ((const struct km_add_partitions_to_txn_response *)out)
        ->results_by_topic_v3_and_below.items[0]
        .results_by_partition.items[0]
        .partition_error_code;
}

int16_t
txn_client_add(struct txn_client *client, int partition)
{
    struct km_add_partitions_to_txn_request_topic topic;
    struct km_add_partitions_to_txn_request in;
    struct km_add_partitions_to_txn_response out;
    int32_t index = partition;
    struct arena arena;
    int16_t code;

    codec_init(&km_add_partitions_to_txn_request_desc, &in);
    codec_init(&km_add_partitions_to_txn_request_topic_desc, &topic);
    topic.name = request_text(TOPIC);
    topic.partitions.items = &index;
    topic.partitions.count = 1;
    in.v3_and_below_transactional_id = request_text(client->id);
    in.v3_and_below_producer_id = client->producer_id;
    in.v3_and_below_producer_epoch = client->producer_epoch;
    in.v3_and_below_topics.items = &topic;
    in.v3_and_below_topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    code = call(client, KM_ADD_PARTITIONS_TO_TXN, 3, &in, &arena, &out, add_code);
    arena_fini(&arena);
    return code;
}

static int16_t
add_offsets_code(const void *out)
{
    return ((const struct km_add_offsets_to_txn_response *)out)->error_code;
}

int16_t
txn_client_add_offsets(struct txn_client *client)
{
    struct km_add_offsets_to_txn_request in;
    struct km_add_offsets_to_txn_response out;
    struct arena arena;
    int16_t code;

    codec_init(&km_add_offsets_to_txn_request_desc, &in);
    in.transactional_id = request_text(client->id);
    in.producer_id = client->producer_id;
    in.producer_epoch = client->producer_epoch;
    in.group_id = request_text(client->group);
    arena_init(&arena, BYTES_MAX);
    code = call(client, KM_ADD_OFFSETS_TO_TXN, 3, &in, &arena, &out, add_offsets_code);
    arena_fini(&arena);
    return code;
}

static int16_t
produce_code(const void *out)
{
    return ((const struct km_produce_response *)out)
        ->responses.items[0]
        .partition_responses.items[0]
        .error_code;
}

static void
batch_make(const struct txn_client *client, int partition, int64_t number, struct buf *out)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder_record record = {.timestamp = INT64_C(1700000000000),
        .key_size = -1,
        .value = &number,
        .value_size = (int32_t)sizeof number};
    struct batch_builder builder;
    struct err e;

    options.producer_id = client->producer_id;
    options.producer_epoch = client->producer_epoch;
    options.base_sequence = client->sequences[partition];
    options.transactional = true;
    batch_builder_init(&builder, BYTES_MAX);
    batch_builder_start(&builder, &options);
    REQUIRE(batch_builder_append(&builder, &record, &e) == RC_OK);
    REQUIRE(batch_builder_finish(&builder, out, &e) == RC_OK);
    batch_builder_fini(&builder);
}

int16_t
txn_client_produce(struct txn_client *client, int partition, int64_t number)
{
    struct km_produce_request_partition_produce_data data;
    struct km_produce_request_topic_produce_data topic;
    struct km_produce_request in;
    struct km_produce_response out;
    struct arena arena;
    struct buf batch;
    int16_t code;

    buf_init(&batch, BYTES_MAX);
    batch_make(client, partition, number, &batch);
    codec_init(&km_produce_request_desc, &in);
    codec_init(&km_produce_request_topic_produce_data_desc, &topic);
    codec_init(&km_produce_request_partition_produce_data_desc, &data);
    data.index = partition;
    data.records = (struct wire_records){batch.data, NULL, (int32_t)batch.size, 0};
    topic.name = request_text(TOPIC);
    topic.partition_data.items = &data;
    topic.partition_data.count = 1;
    in.transactional_id = request_text(client->id);
    in.topic_data.items = &topic;
    in.topic_data.count = 1;
    in.acks = -1;
    in.timeout_ms = 30000;
    arena_init(&arena, BYTES_MAX);
    code = call(client, KM_PRODUCE, client->bumps ? 12 : 11, &in, &arena, &out, produce_code);
    client->sequences[partition] += code == KE_NONE;
    arena_fini(&arena);
    buf_fini(&batch);
    return code;
}

static int16_t
commit_code(const void *out)
{
    return ((const struct km_txn_offset_commit_response *)out)
        ->topics.items[0]
        .partitions.items[0]
        .error_code;
}

int16_t
txn_client_commit_offset(struct txn_client *client, int64_t offset)
{
    struct km_txn_offset_commit_request_partition partition;
    struct km_txn_offset_commit_request_topic topic;
    struct km_txn_offset_commit_request in;
    struct km_txn_offset_commit_response out;
    struct arena arena;
    int16_t code;

    codec_init(&km_txn_offset_commit_request_desc, &in);
    codec_init(&km_txn_offset_commit_request_topic_desc, &topic);
    codec_init(&km_txn_offset_commit_request_partition_desc, &partition);
    partition.committed_offset = offset;
    partition.committed_metadata = request_text("m");
    topic.name = request_text(TOPIC);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    in.transactional_id = request_text(client->id);
    in.group_id = request_text(client->group);
    in.producer_id = client->producer_id;
    in.producer_epoch = client->producer_epoch;
    in.topics.items = &topic;
    in.topics.count = 1;
    arena_init(&arena, BYTES_MAX);
    code =
        call(client, KM_TXN_OFFSET_COMMIT, client->bumps ? 5 : 3, &in, &arena, &out, commit_code);
    arena_fini(&arena);
    return code;
}

static int16_t
end_code(const void *out)
{
    return ((const struct km_end_txn_response *)out)->error_code;
}

int16_t
txn_client_end(struct txn_client *client, bool commit)
{
    struct km_end_txn_request in;
    struct km_end_txn_response out;
    struct arena arena;
    int16_t code;

    codec_init(&km_end_txn_request_desc, &in);
    in.transactional_id = request_text(client->id);
    in.producer_id = client->producer_id;
    in.producer_epoch = client->producer_epoch;
    in.committed = commit;
    arena_init(&arena, BYTES_MAX);
    code = call(client, KM_END_TXN, client->bumps ? 5 : 3, &in, &arena, &out, end_code);
    if (code == KE_NONE && client->bumps) {
        client->producer_id = out.producer_id;
        client->producer_epoch = out.producer_epoch;
        memset(client->sequences, 0, sizeof client->sequences);
    }
    arena_fini(&arena);
    return code;
}

int16_t
txn_client_fetch_offset(struct txn_client *client, bool require_stable, int64_t *offset)
{
    struct km_offset_fetch_request_group group;
    struct km_offset_fetch_request_topics topic;
    struct km_offset_fetch_request in;
    struct km_offset_fetch_response out;
    int32_t index = 0;
    struct arena arena;
    int16_t code = TXN_CLIENT_NONE;

    codec_init(&km_offset_fetch_request_desc, &in);
    codec_init(&km_offset_fetch_request_group_desc, &group);
    codec_init(&km_offset_fetch_request_topics_desc, &topic);
    topic.name = request_text(TOPIC);
    topic.partition_indexes.items = &index;
    topic.partition_indexes.count = 1;
    group.group_id = request_text(client->group);
    group.topics.items = &topic;
    group.topics.count = 1;
    in.groups.items = &group;
    in.groups.count = 1;
    in.require_stable = require_stable;
    arena_init(&arena, BYTES_MAX);
    if (broker_world_call(client->world, KM_OFFSET_FETCH, 8, &in, &arena, &out))
        code = out.groups.items[0].error_code;
    if (code == KE_NOT_COORDINATOR) {
        code = KE_NONE; /* nobody has committed anything */
        *offset = -1;
    } else if (code == KE_NONE) {
        code = out.groups.items[0].topics.items[0].partitions.items[0].error_code;
        *offset = out.groups.items[0].topics.items[0].partitions.items[0].committed_offset;
    }
    arena_fini(&arena);
    return code;
}
