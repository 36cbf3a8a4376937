/*
 * TxnOffsetCommit (GroupCoordinatorService.commitTransactionalOffsets, KIP-98, KIP-447, KIP-890).
 *
 * Offsets become part of a producer's transaction: its partition of __consumer_offsets has to be in
 * that (txn_gate.h). They are invisible until the transaction ends. A generation or a member's id
 * fences zombies; without either any group takes them, as older versions know none.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/txn_gate.h"
#include "refbroker/coord/consumer_offsets.h"
#include "refbroker/coord/offset_commit.h"
#include "refbroker/coord/streams_offsets.h"
#include "refbroker/limits.h"

#define VERSION_ABORTABLE 4
#define VERSION_ADDS 5

typedef struct km_txn_offset_commit_request_partition commit_in;
typedef struct km_txn_offset_commit_response_partition commit_out;

/* Puts a code into every partition that has none. */
static void
answer_fill(struct request *request, int16_t error)
{
    struct km_txn_offset_commit_response *out = request->out;

    if (error == KE_COORDINATOR_LOAD_IN_PROGRESS && request->header.api_version < 2)
        error = KE_COORDINATOR_NOT_AVAILABLE;
    for (int32_t i = 0; error != KE_NONE && i < out->topics.count; i++)
        for (int32_t k = 0; k < out->topics.items[i].partitions.count; k++)
            if (out->topics.items[i].partitions.items[k].error_code == KE_NONE)
                out->topics.items[i].partitions.items[k].error_code = error;
}

static bool
answer_shape(struct request *request, const struct km_txn_offset_commit_request *in,
    struct km_txn_offset_commit_response *out)
{
    out->topics.items =
        codec_array(&request->arena, &km_txn_offset_commit_response_topic_desc, in->topics.count);
    if (out->topics.items == NULL)
        return false;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        int32_t count = in->topics.items[i].partitions.count;

        out->topics.items[i].name = in->topics.items[i].name;
        out->topics.items[i].partitions.items =
            codec_array(&request->arena, &km_txn_offset_commit_response_partition_desc, count);
        out->topics.items[i].partitions.count = count;
    }
    return !arena_is_full(&request->arena);
}

/* validateOffsetCommit of ClassicGroup, ConsumerGroup and StreamsGroup for a transaction. */
static int16_t
group_check(struct broker *broker, const struct km_txn_offset_commit_request *in)
{
    struct group *group = groups_find(broker->groups, in->group_id);
    bool names_member =
        in->generation_id >= 0 || in->member_id.size > 0 || in->group_instance_id.size >= 0;
    struct group_member *member;

    if (group == NULL)
        return in->generation_id >= 0 ? KE_ILLEGAL_GENERATION : KE_NONE;
    if (group->share != NULL)
        return KE_GROUP_ID_NOT_FOUND;
    if (group->consumer != NULL)
        return consumer_offsets_txn_check(group->consumer, in);
    if (group->streams != NULL)
        return streams_offsets_txn_check(group->streams, in);
    if (!names_member || (in->generation_id < 0 && group->state == GROUP_EMPTY))
        return KE_NONE;
    return group_member_check(
        group, in->member_id, in->group_instance_id, in->generation_id, &member);
}

static int16_t
partition_check(struct broker *broker, struct wire_string topic_name, const commit_in *in)
{
    struct topic *topic = topics_find(&broker->topics, topic_name.data, (size_t)topic_name.size);

    if (topic == NULL || topics_partition(topic, in->partition_index) == NULL)
        return KE_UNKNOWN_TOPIC_OR_PARTITION;
    return in->committed_metadata.size > LIMIT_OFFSET_METADATA_BYTES_MAX
               ? KE_OFFSET_METADATA_TOO_LARGE
               : KE_NONE;
}

/* Judges every partition; their number that is fine. */
static size_t
partitions_judge(struct broker *broker, const struct request *request)
{
    const struct km_txn_offset_commit_request *in = request->in;
    struct km_txn_offset_commit_response *out = request->out;
    size_t fine = 0;

    for (int32_t i = 0; i < in->topics.count; i++)
        for (int32_t k = 0; k < in->topics.items[i].partitions.count; k++) {
            const commit_in *from = &in->topics.items[i].partitions.items[k];
            commit_out *to = &out->topics.items[i].partitions.items[k];

            to->partition_index = from->partition_index;
            to->error_code = partition_check(broker, in->topics.items[i].name, from);
            fine += to->error_code == KE_NONE;
        }
    return fine;
}

/* Collects what is fine. Kafka notes no topic ids here, since the request has none. */
static struct offset_commit *
commit_collect(struct broker *broker, const struct request *request, size_t offsets_max)
{
    static const struct wire_uuid no_id;
    const struct km_txn_offset_commit_request *in = request->in;
    struct km_txn_offset_commit_response *out = request->out;
    struct offset_commit *commit = offset_commit_new(broker->groups, in->group_id, offsets_max);
    struct err e;

    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct topic *topic = topics_find(
            &broker->topics, in->topics.items[i].name.data, (size_t)in->topics.items[i].name.size);

        for (int32_t k = 0; topic != NULL && k < in->topics.items[i].partitions.count; k++) {
            const commit_in *from = &in->topics.items[i].partitions.items[k];
            commit_out *to = &out->topics.items[i].partitions.items[k];

            if (to->error_code == KE_NONE &&
                offset_commit_add(commit, topic->name, &no_id, from->partition_index,
                    from->committed_offset, from->committed_leader_epoch, from->committed_metadata,
                    &e) != RC_OK)
                to->error_code = KE_INVALID_COMMIT_OFFSET_SIZE;
        }
    }
    return commit;
}

static struct partition *
log_partition(const struct broker *broker, struct request *request, struct wire_string group_id)
{
    struct topic *topic = topics_find(&broker->topics, GROUPS_TOPIC, strlen(GROUPS_TOPIC));
    char *id = arena_printf(&request->arena, "%.*s", (int)group_id.size, group_id.data);

    return id == NULL || topic == NULL
               ? NULL
               : topic->partitions[state_log_partition_of(broker, GROUPS_TOPIC, id)];
}

static void
gate_passed(struct broker *broker, struct request *request, const struct txn_gate *gate)
{
    const struct km_txn_offset_commit_request *in = request->in;
    const struct partition *partition = log_partition(broker, request, in->group_id);
    int16_t error =
        partition == NULL ? KE_COORDINATOR_NOT_AVAILABLE : txn_gate_error(gate, partition);
    struct offset_commit *commit;

    if (error == KE_NONE)
        error = group_check(broker, in);
    if (error != KE_NONE) {
        answer_fill(request, error);
        broker_finish(broker, request);
        return;
    }
    commit = commit_collect(broker, request, partitions_judge(broker, request));
    if (commit->count > 0) {
        offset_commit_send(commit, request, in->producer_id, in->producer_epoch, answer_fill);
        return;
    }
    offset_commit_free(commit);
    broker_finish(broker, request);
}

enum h_result
h_txn_offset_commit(struct broker *broker, struct request *request, const void *in_, void *out)
{
    const struct km_txn_offset_commit_request *in = in_;
    int16_t version = request->header.api_version;
    const struct partition *partition;
    struct txn_gate *gate;
    int16_t error;

    if (!answer_shape(request, in, out))
        return H_CLOSE;
    if (partitions_judge(broker, request) == 0)
        return H_DONE;
    error = groups_id_check(in->group_id);
    if (error == KE_NONE && !groups_ready(broker->groups))
        error = KE_COORDINATOR_NOT_AVAILABLE;
    if (error != KE_NONE) {
        answer_fill(request, error);
        return H_DONE;
    }
    partition = log_partition(broker, request, in->group_id);
    if (partition == NULL)
        return H_CLOSE;
    gate = txn_gate_new(broker, request, in->transactional_id, in->producer_id, in->producer_epoch,
        version >= VERSION_ADDS        ? TXN_GATE_ADD
        : version >= VERSION_ABORTABLE ? TXN_GATE_CHECK
                                       : TXN_GATE_CHECK_OLD);
    txn_gate_need(gate, partition);
    txn_gate_enter(gate, gate_passed);
    return H_PARK;
}
