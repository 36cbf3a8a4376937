#include "tests/differ/making.h"

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_builder.h"

#define BATCH_BYTES_MAX ((size_t)1 << 16)
#define RECORDS_MAX 4

static const char *const odd_names[] = {".", "..", "a b", "no/slash", "d-unknown"};

uint64_t
making_below(struct making *m, uint64_t bound)
{
    return env_random_below(m->dice, bound);
}

bool
making_chance(struct making *m, uint64_t one_in)
{
    return making_below(m, one_in) == 0;
}

struct wire_string
making_text(const char *value)
{
    return (struct wire_string){value, value == NULL ? -1 : (int32_t)strlen(value)};
}

struct wire_string
making_topic_known(struct making *m)
{
    return making_text(memory_topic_name(making_below(m, MEMORY_TOPICS)));
}

struct wire_string
making_topic(struct making *m)
{
    if (making_chance(m, 12))
        return making_text(odd_names[making_below(m, ARRAY_LEN(odd_names))]);
    return making_topic_known(m);
}

struct wire_uuid
making_topic_id_known(struct making *m)
{
    return memory_topic_marker(making_below(m, MEMORY_TOPICS));
}

struct wire_uuid
making_topic_id(struct making *m)
{
    static const struct wire_uuid none;

    if (making_chance(m, 20))
        return none;
    return making_topic_id_known(m);
}

int32_t
making_partition(struct making *m)
{
    return making_chance(m, 10) ? (int32_t)making_below(m, 12) - 2
                                : (int32_t)making_below(m, MEMORY_PARTITIONS);
}

struct wire_string
making_topic_but(struct making *m, struct wire_string other)
{
    struct wire_string name;

    do
        name = making_topic(m);
    while (name.size == other.size && memcmp(name.data, other.data, (size_t)name.size) == 0);
    return name;
}

struct wire_uuid
making_topic_id_but(struct making *m, struct wire_uuid other)
{
    struct wire_uuid id;

    do
        id = making_topic_id(m);
    while (memcmp(&id, &other, sizeof id) == 0);
    return id;
}

int32_t
making_partition_but(struct making *m, int32_t other)
{
    int32_t partition;

    do
        partition = making_partition(m);
    while (partition == other);
    return partition;
}

int64_t
making_offset(struct making *m)
{
    static const int64_t odd[] = {-1, -2, 1000000, INT64_MAX, -7};

    return making_chance(m, 8) ? odd[making_below(m, ARRAY_LEN(odd))]
                               : (int64_t)making_below(m, 30);
}

struct wire_records
making_batch(struct making *m, const struct making_producer *producer, bool may_be_damaged)
{
    struct batch_builder_options options = batch_builder_defaults();
    struct batch_builder builder;
    struct buf out;
    int32_t count = 1 + (int32_t)making_below(m, RECORDS_MAX);
    struct wire_records records;

    if (producer->count > 0)
        count = producer->count;
    options.codec = (enum compress_codec)making_below(m, 5);
    options.producer_id = producer->id;
    options.producer_epoch = producer->epoch;
    options.base_sequence = producer->sequence;
    options.transactional = producer->transactional;
    batch_builder_init(&builder, BATCH_BYTES_MAX);
    batch_builder_start(&builder, &options);
    for (int32_t i = 0; i < count; i++) {
        struct batch_builder_record record = {.offset = i,
            .timestamp = MAKING_FIRST_TIMESTAMP_MS + (int64_t)making_below(m, 1000),
            .key = making_chance(m, 3) ? NULL : "key",
            .value = making_chance(m, 5) ? NULL : "some value of a record",
            .key_size = 3,
            .value_size = (int32_t)making_below(m, 20)};

        REQUIRE(batch_builder_append(&builder, &record, NULL) == RC_OK);
    }
    buf_init(&out, BATCH_BYTES_MAX);
    REQUIRE(batch_builder_finish(&builder, &out, NULL) == RC_OK);
    /* Where the partition is not there Kafka tells of either mistake. */
    if (may_be_damaged && making_chance(m, 25))
        out.data[making_below(m, out.size)] ^= (uint8_t)(1U << making_below(m, 8));
    records =
        (struct wire_records){arena_dup(m->arena, out.data, out.size), NULL, (int32_t)out.size, 0};
    batch_builder_fini(&builder);
    buf_fini(&out);
    return records;
}
