/*
 * making: what the makers of random requests share: dice, names, batches.
 *
 * A maker fills the body of one request. Numbers and names come from small pools, so that requests
 * meet what earlier ones made; some are at the ends of their range, or wrong.
 */
#ifndef TESTS_DIFFER_MAKING_H
#define TESTS_DIFFER_MAKING_H

#include "lib/base/arena.h"
#include "lib/base/env.h"
#include "lib/wire/codec.h"
#include "tests/differ/memory.h"

#define MAKING_FIRST_TIMESTAMP_MS INT64_C(1700000000000)

/* An array member and its count, which is evaluated once. */
#define MAKING_ARRAY(arena, desc, to, count_)                                                      \
    ((to).count = (count_), (to).items = codec_array((arena), &(desc), (to).count))

/* An array of numbers or texts. */
#define MAKING_LIST(arena, to, count_)                                                             \
    ((to).count = (count_),                                                                        \
        (to).items = arena_array((arena), (size_t)(to).count, sizeof *(to).items))

struct making {
    struct env *dice;
    struct arena *arena;
    const struct memory *memory;
    int16_t version;
};

/* What a request changes besides that which its answer tells. */
enum making_effect { MAKING_NOTHING_ELSE, MAKING_TOPICS, MAKING_TRANSACTIONS };

struct maker {
    int16_t key;
    unsigned weight;
    int16_t version_min; /* for what lower ones cannot say */
    int16_t version_max;
    enum making_effect effect;
    void *(*make)(struct making *m);
};

/* making_below is a number in [0, bound), making_chance true once in so many times. */
uint64_t making_below(struct making *m, uint64_t bound);
bool making_chance(struct making *m, uint64_t one_in);

/* making_text makes a view of a C string, which must stay; NULL is null. */
struct wire_string making_text(const char *value);

/* A topic's name; the same or an odd one; its id's marker; that or none. */
struct wire_string making_topic_known(struct making *m);
struct wire_string making_topic(struct making *m);
struct wire_uuid making_topic_id_known(struct making *m);
struct wire_uuid making_topic_id(struct making *m);

/* The same, but not this one. Kafka answers once about what a request has twice. */
struct wire_string making_topic_but(struct making *m, struct wire_string other);
struct wire_uuid making_topic_id_but(struct making *m, struct wire_uuid other);
int32_t making_partition_but(struct making *m, int32_t other);

int32_t making_partition(struct making *m);
int64_t making_offset(struct making *m);

/* making_batch makes a batch of a few records; the defaults of `producer` are none (-1). */
struct making_producer {
    int64_t id;
    int32_t sequence;
    int32_t count; /* of records; 0: some */
    int16_t epoch;
    bool transactional;
};

struct wire_records making_batch(
    struct making *m, const struct making_producer *producer, bool may_be_damaged);

#endif
