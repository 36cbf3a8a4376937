/*
 * memory: what a client would remember of the answers: who is in which group, which producers there
 * are, and what each of the two brokers calls what it named itself.
 *
 * Topic ids, member ids and producer ids are made by the brokers, so requests and compared answers
 * carry markers in their place (markers.h): a topic's is MEMORY_TOPIC_BYTE and its number, a
 * member's the text `member-#N`, a producer's MEMORY_PRODUCER plus its number. Everything else that
 * is remembered (generations, epochs, sequences) is the same on both sides, or was a difference.
 *
 * Groups and transactional ids bear the memory's age in their names: after memory_forget nothing
 * that was left behind is met again. Topics keep their names.
 */
#ifndef TESTS_DIFFER_MEMORY_H
#define TESTS_DIFFER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen/messages.h"

#define MEMORY_SIDES 2
#define MEMORY_TOPICS 6
#define MEMORY_PARTITIONS 3 /* of each topic at most, but for requests that are meant to fail */
#define MEMORY_GROUPS 4
#define MEMORY_TRANSACTIONS 3
#define MEMORY_INSTANCES 3
#define MEMORY_NAME_BYTES 32
#define MEMORY_NONE SIZE_MAX
#define MEMORY_TOPIC_BYTE 0xee
#define MEMORY_PRODUCER INT64_C(0x5eed00000000)

enum memory_state { MEMORY_PENDING, MEMORY_IN, MEMORY_GONE };

struct memory_member {
    char text[MEMORY_NAME_BYTES]; /* the marker, or the name that the client chose */
    char *names[MEMORY_SIDES];    /* what a side calls it; NULL where the client chose it */
    size_t group;                 /* MEMORY_NONE: none of ours */
    size_t instance;              /* MEMORY_NONE: dynamic */
    int32_t generation;           /* or its epoch */
    enum memory_state state;
    bool is_consumer;                /* of the consumer protocol */
    uint8_t assigned[MEMORY_TOPICS]; /* a bit per partition */
};

struct memory_batch {
    int32_t sequence;
    int32_t count; /* 0: none yet */
};

struct memory_producer {
    int64_t ids[MEMORY_SIDES];
    size_t transaction; /* MEMORY_NONE: idempotent only */
    int16_t epoch;
    struct memory_batch last[MEMORY_TOPICS][MEMORY_PARTITIONS];
};

struct memory {
    unsigned age;
    struct wire_uuid topics[MEMORY_SIDES][MEMORY_TOPICS]; /* zero: no such topic */
    char groups[MEMORY_GROUPS][MEMORY_NAME_BYTES];
    char transactions[MEMORY_TRANSACTIONS][MEMORY_NAME_BYTES];
    bool was_consumer[MEMORY_GROUPS]; /* of that protocol, unless a classic member came later */
    struct memory_member *members;
    size_t member_count;
    struct memory_producer *producers;
    size_t producer_count;
};

/* memory_init begins with nothing; memory_fini frees; memory_forget begins the next age. */
void memory_init(struct memory *memory);
void memory_fini(struct memory *memory);
void memory_forget(struct memory *memory);

/* Names of the numbers below MEMORY_TOPICS and MEMORY_INSTANCES. */
const char *memory_topic_name(size_t number);
const char *memory_instance_name(size_t number);

/* The marker of a topic's id, and the topic of a marker, or MEMORY_NONE. */
struct wire_uuid memory_topic_marker(size_t number);
size_t memory_topic_marked(const struct wire_uuid *id);

/* memory_is_ours tells whether a group or transactional id is of this age. */
bool memory_is_ours(const struct memory *memory, struct wire_string name);

/* memory_member_of and memory_producer_of find what a side calls so, or return NULL. */
const struct memory_member *memory_member_of(
    const struct memory *memory, size_t side, const char *name, size_t size);
const struct memory_producer *memory_producer_of(
    const struct memory *memory, size_t side, int64_t id);

/* memory_marked and memory_produced find what a marker stands for, or return NULL. */
const struct memory_member *memory_marked(const struct memory *memory, struct wire_string marker);
const struct memory_producer *memory_produced(const struct memory *memory, int64_t marker);

/* memory_awaits tells whether a group waits for a member other than this one, which has got its id
 * and has not joined. */
bool memory_awaits(const struct memory *memory, size_t group, struct wire_string member_id);

/* memory_is_empty tells whether a group has no members. */
bool memory_is_empty(const struct memory *memory, size_t group);

/* memory_name notes what the sides' answers, as they came, give names to. */
void memory_name(struct memory *memory, const struct wire_api *api, void *const answers[2]);

/* memory_learn notes what an answer says. Both are in terms of markers. */
void memory_learn(struct memory *memory, const struct wire_api *api, int16_t version,
    const void *request, const void *answer);

#endif
