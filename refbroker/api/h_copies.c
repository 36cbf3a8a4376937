/*
 * Where copies of partitions lie: AlterPartitionReassignments, ListPartitionReassignments,
 * ElectLeaders (ReplicationControlManager; KIP-183, KIP-455, KIP-460).
 *
 * A partition has one copy, on this broker, in its one folder, and leads. So a move to where it is
 * changes nothing and is fine, any other is refused with what Kafka says of a broker that it does
 * not know, no move is ever under way, and no election is needed.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/meta/topics.h"

typedef struct km_alter_partition_reassignments_request_reassignable_partition move_in;
typedef struct km_alter_partition_reassignments_response_reassignable_partition_response move_out;
typedef struct km_elect_leaders_response_replica_election_result election_out;

static struct topic *
topic_of(const struct broker *broker, struct wire_string name)
{
    return name.size < 0 ? NULL : topics_find(&broker->topics, name.data, (size_t)name.size);
}

/* --- AlterPartitionReassignments, ListPartitionReassignments -----------------------------------
 */

/* Why these replicas cannot be, in Kafka's words, or NULL. */
static const char *
replicas_refused(struct broker *broker, struct request *request, const move_in *in)
{
    if (in->replicas.count == 0)
        return "The manual partition assignment includes an empty replica list.";
    for (int32_t i = 0; i < in->replicas.count; i++) {
        int32_t id = in->replicas.items[i];

        if (id != broker->options.node_id)
            return arena_printf(&request->arena,
                "The manual partition assignment includes broker %d, but no such broker is "
                "registered.",
                id);
        if (i > 0)
            return arena_printf(&request->arena,
                "The manual partition assignment includes the broker %d more than once.", id);
    }
    return NULL;
}

static void
partition_move(struct broker *broker, struct request *request, struct topic *topic,
    struct wire_string name, const move_in *in, move_out *out)
{
    const char *why;

    out->partition_index = in->partition_index;
    out->error_message = request_text(NULL);
    if (topic == NULL) {
        out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        out->error_message = request_text(arena_printf(
            &request->arena, "Unable to find topic named %.*s.", name.size, name.data));
    } else if (topics_partition(topic, in->partition_index) == NULL) {
        out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        out->error_message = request_text(arena_printf(&request->arena,
            "Unable to find partition %.*s:%d.", name.size, name.data, in->partition_index));
    } else if (in->replicas.count < 0) {
        out->error_code = KE_NO_REASSIGNMENT_IN_PROGRESS;
        out->error_message = request_text("No partition reassignment is in progress.");
    } else {
        why = replicas_refused(broker, request, in);
        out->error_code = why == NULL ? KE_NONE : KE_INVALID_REPLICA_ASSIGNMENT;
        out->error_message = request_text(why);
    }
}

enum h_result
h_alter_partition_reassignments(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_alter_partition_reassignments_request *in = in_;
    struct km_alter_partition_reassignments_response *out = out_;

    out->error_message = request_text(NULL);
    out->allow_replication_factor_change = in->allow_replication_factor_change;
    out->responses.items = codec_array(&request->arena,
        &km_alter_partition_reassignments_response_reassignable_topic_response_desc,
        in->topics.count);
    if (out->responses.items == NULL)
        return H_CLOSE;
    out->responses.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_alter_partition_reassignments_request_reassignable_topic *from =
            &in->topics.items[i];
        struct km_alter_partition_reassignments_response_reassignable_topic_response *to =
            &out->responses.items[i];
        struct topic *topic = topic_of(broker, from->name);

        to->name = from->name;
        to->partitions.items = codec_array(&request->arena,
            &km_alter_partition_reassignments_response_reassignable_partition_response_desc,
            from->partitions.count);
        if (to->partitions.items == NULL)
            return H_CLOSE;
        to->partitions.count = from->partitions.count;
        for (int32_t k = 0; k < from->partitions.count; k++)
            partition_move(broker, request, topic, from->name, &from->partitions.items[k],
                &to->partitions.items[k]);
    }
    return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
}

enum h_result
h_list_partition_reassignments(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_list_partition_reassignments_response *out = out_;

    (void)broker;
    (void)request;
    (void)in_;
    out->error_message = request_text(NULL);
    return H_DONE;
}

/* --- ElectLeaders ------------------------------------------------------------------------------
 */

static bool
topic_elect(struct broker *broker, struct request *request,
    const struct km_elect_leaders_request_topic_partitions *in, election_out *out)
{
    struct topic *topic = topic_of(broker, in->topic);

    out->topic = in->topic;
    out->partition_result.items = codec_array(
        &request->arena, &km_elect_leaders_response_partition_result_desc, in->partitions.count);
    if (out->partition_result.items == NULL)
        return false;
    out->partition_result.count = in->partitions.count;
    for (int32_t i = 0; i < in->partitions.count; i++) {
        struct km_elect_leaders_response_partition_result *result = &out->partition_result.items[i];

        result->partition_id = in->partitions.items[i];
        result->error_code = KE_ELECTION_NOT_NEEDED;
        result->error_message = request_text("Leader election not needed for topic partition.");
        if (topic != NULL && topics_partition(topic, result->partition_id) != NULL)
            continue;
        result->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        result->error_message = request_text(
            topic == NULL ? arena_printf(&request->arena, "No such topic as %.*s", in->topic.size,
                                in->topic.data)
                          : arena_printf(&request->arena, "No such partition as %.*s-%d",
                                in->topic.size, in->topic.data, result->partition_id));
    }
    return true;
}

enum h_result
h_elect_leaders(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_elect_leaders_request *in = in_;
    struct km_elect_leaders_response *out = out_;

    /* Of all partitions only those are told that an election has changed: none. */
    if (in->topic_partitions.count < 0)
        return H_DONE;
    out->replica_election_results.items = codec_array(&request->arena,
        &km_elect_leaders_response_replica_election_result_desc, in->topic_partitions.count);
    if (out->replica_election_results.items == NULL)
        return H_CLOSE;
    out->replica_election_results.count = in->topic_partitions.count;
    for (int32_t i = 0; i < in->topic_partitions.count; i++)
        if (!topic_elect(broker, request, &in->topic_partitions.items[i],
                &out->replica_election_results.items[i]))
            return H_CLOSE;
    return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
}
