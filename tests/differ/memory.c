#include "tests/differ/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/batch_view.h"
#include "lib/wire/kerr.h"

#define MEMBER_MARKER "member-#"

static const char *const topic_names[MEMORY_TOPICS] = {"d-0", "d-1", "d-2", "d.3", "d-4", "d-5"};
static const char *const instance_names[MEMORY_INSTANCES] = {"i-0", "i-1", "i-2"};

const char *
memory_topic_name(size_t number)
{
    return topic_names[number];
}

const char *
memory_instance_name(size_t number)
{
    return instance_names[number];
}

struct wire_uuid
memory_topic_marker(size_t number)
{
    struct wire_uuid marker = {{MEMORY_TOPIC_BYTE}};

    marker.bytes[15] = (uint8_t)number;
    return marker;
}

size_t
memory_topic_marked(const struct wire_uuid *id)
{
    struct wire_uuid marker = memory_topic_marker(id->bytes[15]);

    return id->bytes[15] < MEMORY_TOPICS && memcmp(id, &marker, sizeof marker) == 0 ? id->bytes[15]
                                                                                    : MEMORY_NONE;
}

/* --- names -------------------------------------------------------------------------------------
 */

static bool
is_same(struct wire_string text, const char *name)
{
    return text.size == (int32_t)strlen(name) && memcmp(text.data, name, strlen(name)) == 0;
}

static void
age_begin(struct memory *memory)
{
    for (size_t i = 0; i < MEMORY_GROUPS; i++)
        snprintf(memory->groups[i], MEMORY_NAME_BYTES, "g-%zu.%u", i, memory->age);
    for (size_t i = 0; i < MEMORY_TRANSACTIONS; i++)
        snprintf(memory->transactions[i], MEMORY_NAME_BYTES, "t-%zu.%u", i, memory->age);
}

void
memory_init(struct memory *memory)
{
    *memory = (struct memory){.age = 0};
    age_begin(memory);
}

void
memory_fini(struct memory *memory)
{
    for (size_t i = 0; i < memory->member_count; i++)
        for (size_t s = 0; s < MEMORY_SIDES; s++)
            free(memory->members[i].names[s]);
    free(memory->members);
    free(memory->producers);
    memory->members = NULL;
    memory->producers = NULL;
    memory->member_count = memory->producer_count = 0;
    memset(memory->was_consumer, 0, sizeof memory->was_consumer);
}

void
memory_forget(struct memory *memory)
{
    memory_fini(memory);
    memory->age++;
    age_begin(memory);
}

bool
memory_is_ours(const struct memory *memory, struct wire_string name)
{
    char end[MEMORY_NAME_BYTES];
    int size = snprintf(end, sizeof end, ".%u", memory->age);

    return name.size >= size && memcmp(name.data + name.size - size, end, (size_t)size) == 0;
}

static size_t
group_number(const struct memory *memory, struct wire_string name)
{
    for (size_t i = 0; i < MEMORY_GROUPS; i++)
        if (is_same(name, memory->groups[i]))
            return i;
    return MEMORY_NONE;
}

static size_t
transaction_number(const struct memory *memory, struct wire_string name)
{
    for (size_t i = 0; i < MEMORY_TRANSACTIONS; i++)
        if (is_same(name, memory->transactions[i]))
            return i;
    return MEMORY_NONE;
}

static size_t
instance_number(struct wire_string name)
{
    for (size_t i = 0; i < MEMORY_INSTANCES; i++)
        if (is_same(name, instance_names[i]))
            return i;
    return MEMORY_NONE;
}

/* --- members -----------------------------------------------------------------------------------
 */

const struct memory_member *
memory_member_of(const struct memory *memory, size_t side, const char *name, size_t size)
{
    for (size_t i = memory->member_count; i-- > 0;) {
        const char *known = memory->members[i].names[side];

        if (known != NULL && strlen(known) == size && memcmp(known, name, size) == 0)
            return &memory->members[i];
    }
    return NULL;
}

const struct memory_member *
memory_marked(const struct memory *memory, struct wire_string marker)
{
    for (size_t i = memory->member_count; i-- > 0;)
        if (memory->members[i].names[0] != NULL && is_same(marker, memory->members[i].text))
            return &memory->members[i];
    return NULL;
}

static struct memory_member *
member_find(const struct memory *memory, size_t group, struct wire_string text)
{
    for (size_t i = memory->member_count; i-- > 0;)
        if (memory->members[i].group == group && is_same(text, memory->members[i].text))
            return &memory->members[i];
    return NULL;
}

static struct memory_member *
member_add(struct memory *memory)
{
    struct memory_member *member;

    memory->members = xrealloc(memory->members, memory->member_count + 1, sizeof *memory->members);
    member = &memory->members[memory->member_count++];
    *member = (struct memory_member){
        .group = MEMORY_NONE, .instance = MEMORY_NONE, .generation = -1, .state = MEMORY_GONE};
    return member;
}

/* The same id may be that of members of several groups. */
static struct memory_member *
member_in(struct memory *memory, size_t group, struct wire_string text)
{
    struct memory_member *member = member_find(memory, group, text);
    const struct memory_member *named = memory_marked(memory, text);
    char *names[MEMORY_SIDES] = {NULL};

    if (member != NULL)
        return member;
    for (size_t s = 0; named != NULL && s < MEMORY_SIDES; s++)
        names[s] = xstrdup(named->names[s]);
    member = member_add(memory);
    snprintf(member->text, sizeof member->text, "%.*s", (int)text.size, text.data);
    memcpy(member->names, names, sizeof names);
    member->group = group;
    return member;
}

static void
member_name(struct memory *memory, const struct wire_string names[MEMORY_SIDES])
{
    struct memory_member *member;

    for (size_t s = 0; s < MEMORY_SIDES; s++)
        if (names[s].size <= 0 ||
            memory_member_of(memory, s, names[s].data, (size_t)names[s].size) != NULL)
            return;
    /* What a client chose is the same on both sides and needs no marker. */
    if (names[0].size == names[1].size &&
        memcmp(names[0].data, names[1].data, (size_t)names[0].size) == 0)
        return;
    member = member_add(memory);
    snprintf(member->text, sizeof member->text, MEMBER_MARKER "%zu", memory->member_count - 1);
    for (size_t s = 0; s < MEMORY_SIDES; s++)
        member->names[s] = xmemdup(names[s].data, (size_t)names[s].size);
}

bool
memory_awaits(const struct memory *memory, size_t group, struct wire_string member_id)
{
    for (size_t i = 0; i < memory->member_count; i++)
        if (memory->members[i].group == group && memory->members[i].state == MEMORY_PENDING &&
            !is_same(member_id, memory->members[i].text))
            return true;
    return false;
}

bool
memory_is_empty(const struct memory *memory, size_t group)
{
    for (size_t i = 0; i < memory->member_count; i++)
        if (memory->members[i].group == group && memory->members[i].state == MEMORY_IN)
            return false;
    return true;
}

/* --- producers ---------------------------------------------------------------------------------
 */

const struct memory_producer *
memory_producer_of(const struct memory *memory, size_t side, int64_t id)
{
    for (size_t i = memory->producer_count; i-- > 0;)
        if (memory->producers[i].ids[side] == id)
            return &memory->producers[i];
    return NULL;
}

const struct memory_producer *
memory_produced(const struct memory *memory, int64_t marker)
{
    int64_t number = marker - MEMORY_PRODUCER;

    return number >= 0 && number < (int64_t)memory->producer_count ? &memory->producers[number]
                                                                   : NULL;
}

static void
producer_name(struct memory *memory, const int64_t ids[MEMORY_SIDES])
{
    struct memory_producer *producer;

    for (size_t s = 0; s < MEMORY_SIDES; s++)
        if (ids[s] < 0 || memory_producer_of(memory, s, ids[s]) != NULL)
            return;
    memory->producers =
        xrealloc(memory->producers, memory->producer_count + 1, sizeof *memory->producers);
    producer = &memory->producers[memory->producer_count++];
    *producer = (struct memory_producer){.transaction = MEMORY_NONE};
    memcpy(producer->ids, ids, sizeof producer->ids);
}

static void
producer_learn(struct memory *memory, int64_t marker, int16_t epoch, size_t transaction)
{
    struct memory_producer *producer =
        (struct memory_producer *)(uintptr_t)memory_produced(memory, marker);

    if (producer == NULL)
        return;
    if (producer->epoch != epoch)
        memset(producer->last, 0, sizeof producer->last);
    producer->epoch = epoch;
    producer->transaction = transaction;
}

void
memory_name(struct memory *memory, const struct wire_api *api, void *const answers[2])
{
    struct wire_string names[MEMORY_SIDES];
    int64_t ids[MEMORY_SIDES];

    for (size_t s = 0; s < MEMORY_SIDES; s++) {
        names[s] = (struct wire_string){NULL, -1};
        ids[s] = -1;
        if (answers[s] == NULL)
            continue;
        if (api->key == KM_JOIN_GROUP)
            names[s] = ((const struct km_join_group_response *)answers[s])->member_id;
        else if (api->key == KM_CONSUMER_GROUP_HEARTBEAT)
            names[s] = ((const struct km_consumer_group_heartbeat_response *)answers[s])->member_id;
        else if (api->key == KM_INIT_PRODUCER_ID)
            ids[s] = ((const struct km_init_producer_id_response *)answers[s])->producer_id;
        else if (api->key == KM_END_TXN)
            ids[s] = ((const struct km_end_txn_response *)answers[s])->producer_id;
    }
    member_name(memory, names);
    producer_name(memory, ids);
}

/* --- what answers say ---------------------------------------------------------------------------
 */

static void
member_leave(struct memory *memory, size_t group, struct wire_string id)
{
    struct memory_member *member = member_find(memory, group, id);

    if (member != NULL)
        member->state = MEMORY_GONE;
}

/* A new member takes the place of an older one with its instance id. */
static void
instance_leave(struct memory *memory, size_t group, size_t instance)
{
    for (size_t i = 0; instance != MEMORY_NONE && i < memory->member_count; i++)
        if (memory->members[i].group == group && memory->members[i].instance == instance)
            memory->members[i].state = MEMORY_GONE;
}

static void
join_learn(struct memory *memory, const struct km_join_group_request *in,
    const struct km_join_group_response *out)
{
    size_t group = group_number(memory, in->group_id);
    struct memory_member *member;

    if ((out->error_code != KE_NONE && out->error_code != KE_MEMBER_ID_REQUIRED) ||
        out->member_id.size <= 0 || out->member_id.size >= MEMORY_NAME_BYTES)
        return;
    if (group != MEMORY_NONE && memory_is_empty(memory, group))
        memory->was_consumer[group] = false;
    member = member_in(memory, group, out->member_id);
    if (out->error_code == KE_MEMBER_ID_REQUIRED) {
        member->state = MEMORY_PENDING;
    } else {
        instance_leave(memory, group, instance_number(in->group_instance_id));
        member->instance = instance_number(in->group_instance_id);
        member->generation = out->generation_id;
        member->state = MEMORY_IN;
        member->is_consumer = false;
    }
}

static void
leave_learn(struct memory *memory, int16_t version, const struct km_leave_group_request *in,
    const struct km_leave_group_response *out)
{
    size_t group = group_number(memory, in->group_id);

    if (version < 3 && out->error_code == KE_NONE)
        member_leave(memory, group, in->member_id);
    for (int32_t i = 0; i < out->members.count; i++)
        if (out->members.items[i].error_code == KE_NONE) {
            member_leave(memory, group, out->members.items[i].member_id);
            instance_leave(memory, group, instance_number(out->members.items[i].group_instance_id));
        }
}

static void
assigned_learn(struct memory_member *member, const struct km_consumer_group_heartbeat_response *out)
{
    if (out->assignment == NULL)
        return;
    memset(member->assigned, 0, sizeof member->assigned);
    for (int32_t i = 0; i < out->assignment->topic_partitions.count; i++) {
        const struct km_consumer_group_heartbeat_response_topic_partitions *t =
            &out->assignment->topic_partitions.items[i];
        size_t topic = memory_topic_marked(&t->topic_id);

        for (int32_t k = 0; topic != MEMORY_NONE && k < t->partitions.count; k++)
            member->assigned[topic] |= (uint8_t)(1U << (t->partitions.items[k] & 7));
    }
}

static void
consumer_learn(struct memory *memory, const struct km_consumer_group_heartbeat_request *in,
    const struct km_consumer_group_heartbeat_response *out)
{
    size_t group = group_number(memory, in->group_id);
    struct wire_string id = out->member_id.size > 0 ? out->member_id : in->member_id;
    struct memory_member *member;

    if (out->error_code != KE_NONE || id.size <= 0 || id.size >= MEMORY_NAME_BYTES)
        return;
    if (group != MEMORY_NONE)
        memory->was_consumer[group] = true;
    member = member_in(memory, group, id);
    member->is_consumer = true;
    member->generation = out->member_epoch;
    if (out->member_epoch >= 0 && in->member_epoch == 0 &&
        (in->instance_id.size >= 0 || member->state != MEMORY_IN)) {
        instance_leave(memory, group, instance_number(in->instance_id));
        member->instance = instance_number(in->instance_id);
    }
    /* With -2 a static member keeps its place. */
    member->state = out->member_epoch == -1 ? MEMORY_GONE : MEMORY_IN;
    assigned_learn(member, out);
}

static void
deleted_learn(struct memory *memory, const struct km_delete_groups_response *out)
{
    for (int32_t i = 0; i < out->results.count; i++) {
        size_t group = group_number(memory, out->results.items[i].group_id);

        /* The group without a name keeps offsets, but no members. */
        if (out->results.items[i].error_code != KE_NONE || out->results.items[i].group_id.size == 0)
            continue;
        for (size_t k = 0; k < memory->member_count; k++)
            if (memory->members[k].group == group)
                memory->members[k].state = MEMORY_GONE;
    }
}

static void
produce_learn(struct memory *memory, const struct km_produce_request *in,
    const struct km_produce_response *out)
{
    const struct wire_records *records;
    struct memory_producer *producer;
    struct batch_view batch;
    int32_t partition;
    size_t topic;

    if (out->responses.count != 1 || out->responses.items[0].partition_responses.count != 1 ||
        out->responses.items[0].partition_responses.items[0].error_code != KE_NONE)
        return;
    records = &in->topic_data.items[0].partition_data.items[0].records;
    partition = in->topic_data.items[0].partition_data.items[0].index;
    topic = memory_topic_marked(&in->topic_data.items[0].topic_id);
    if (partition < 0 || partition >= MEMORY_PARTITIONS || topic == MEMORY_NONE ||
        batch_view_parse(records->data, (size_t)records->size, &batch, NULL) != RC_OK)
        return;
    producer = (struct memory_producer *)(uintptr_t)memory_produced(memory, batch.producer_id);
    if (producer != NULL)
        producer->last[topic][partition] =
            (struct memory_batch){batch.base_sequence, batch.record_count};
}

void
memory_learn(struct memory *memory, const struct wire_api *api, int16_t version,
    const void *request, const void *answer)
{
    const struct km_init_producer_id_response *made = answer;
    const struct km_end_txn_response *ended = answer;

    switch (api->key) {
    case KM_JOIN_GROUP:
        join_learn(memory, request, answer);
        break;
    case KM_LEAVE_GROUP:
        leave_learn(memory, version, request, answer);
        break;
    case KM_CONSUMER_GROUP_HEARTBEAT:
        consumer_learn(memory, request, answer);
        break;
    case KM_DELETE_GROUPS:
        deleted_learn(memory, answer);
        break;
    case KM_PRODUCE:
        produce_learn(memory, request, answer);
        break;
    case KM_INIT_PRODUCER_ID:
        producer_learn(memory, made->producer_id, made->producer_epoch,
            transaction_number(
                memory, ((const struct km_init_producer_id_request *)request)->transactional_id));
        break;
    case KM_END_TXN:
        if (version >= 5)
            producer_learn(memory, ended->producer_id, ended->producer_epoch,
                transaction_number(
                    memory, ((const struct km_end_txn_request *)request)->transactional_id));
        break;
    default:
        break;
    }
}
