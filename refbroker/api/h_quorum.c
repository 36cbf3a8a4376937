/*
 * What KRaft clients ask of the controllers (KIP-595, KIP-853, KIP-500): DescribeQuorum,
 * AddRaftVoter, RemoveRaftVoter, UnregisterBroker.
 *
 * This broker is its only voter and leads since its start. Its metadata are no log: the end of it
 * is the version of the topics. There is no kraft.version, so that voters cannot be changed, as in
 * a Kafka whose kraft.version is 0; and the only broker there is cannot be unregistered.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"

#define METADATA_TOPIC "__cluster_metadata"
#define CONTROLLER_LISTENER "CONTROLLER"

typedef struct km_describe_quorum_response_partition_data partition_out;

static bool
partition_fill(struct broker *broker, struct request *request, bool metadata, partition_out *out)
{
    struct km_describe_quorum_response_replica_state *self;
    int64_t now_ms = env_wall_ms(broker->env);

    if (!metadata || out->partition_index != 0) {
        out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        out->error_message = request_text(TOPICS_UNKNOWN_WHY);
        return true;
    }
    self = codec_array(&request->arena, &km_describe_quorum_response_replica_state_desc, 1);
    if (self == NULL)
        return false;
    out->error_message = request_text("");
    out->leader_id = broker->options.node_id;
    out->leader_epoch = 1;
    out->high_watermark = (int64_t)broker->topics.version + 1;
    out->current_voters.items = self;
    out->current_voters.count = 1;
    self->replica_id = broker->options.node_id;
    self->log_end_offset = out->high_watermark;
    self->last_fetch_timestamp = now_ms;
    self->last_caught_up_timestamp = now_ms;
    return true;
}

/* Where the voters can be reached: here. */
static bool
nodes_fill(struct broker *broker, struct request *request, struct km_describe_quorum_response *out)
{
    struct km_describe_quorum_response_node *node =
        codec_array(&request->arena, &km_describe_quorum_response_node_desc, 1);
    struct km_describe_quorum_response_listener *listener =
        codec_array(&request->arena, &km_describe_quorum_response_listener_desc, 1);

    if (arena_is_full(&request->arena))
        return false;
    listener->name = request_text(CONTROLLER_LISTENER);
    listener->host = request_text(broker->options.host);
    listener->port = (uint16_t)broker->options.port;
    node->node_id = broker->options.node_id;
    node->listeners.items = listener;
    node->listeners.count = 1;
    out->nodes.items = node;
    out->nodes.count = 1;
    return true;
}

enum h_result
h_describe_quorum(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_quorum_request *in = in_;
    struct km_describe_quorum_response *out = out_;
    bool known = false;

    out->error_message = request_text("");
    out->topics.items = codec_array(
        &request->arena, &km_describe_quorum_response_topic_data_desc, in->topics.count);
    if (out->topics.items == NULL)
        return H_CLOSE;
    out->topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct km_describe_quorum_request_topic_data *from = &in->topics.items[i];
        struct km_describe_quorum_response_topic_data *to = &out->topics.items[i];

        to->topic_name = from->topic_name;
        to->partitions.items = codec_array(&request->arena,
            &km_describe_quorum_response_partition_data_desc, from->partitions.count);
        if (to->partitions.items == NULL)
            return H_CLOSE;
        to->partitions.count = from->partitions.count;
        for (int32_t k = 0; k < from->partitions.count; k++) {
            to->partitions.items[k].partition_index = from->partitions.items[k].partition_index;
            if (!partition_fill(broker, request, request_is_text(from->topic_name, METADATA_TOPIC),
                    &to->partitions.items[k]))
                return H_CLOSE;
            known = known || to->partitions.items[k].error_code == KE_NONE;
        }
    }
    /* Older versions cannot say where nodes are. */
    return !known || request->header.api_version < 2 || nodes_fill(broker, request, out) ? H_DONE
                                                                                         : H_CLOSE;
}

/* --- changes, none of which can be ------------------------------------------------------------ */

/* Why voters are not changed; the code, and the text in *why. */
static int16_t
voters_refused(struct broker *broker, struct request *request, struct wire_string cluster_id,
    const char *doing, const char **why)
{
    if (cluster_id.size >= 0 && !request_is_text(cluster_id, broker->cluster_id)) {
        *why = arena_printf(&request->arena,
            "The given id \"%.*s\" doesn't match the cluster id \"%s\"", cluster_id.size,
            cluster_id.data, broker->cluster_id);
        return KE_INCONSISTENT_CLUSTER_ID;
    }
    *why = arena_printf(&request->arena,
        "Cluster doesn't support %s voter because the kraft.version feature is 0", doing);
    return KE_UNSUPPORTED_VERSION;
}

enum h_result
h_add_raft_voter(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_add_raft_voter_request *in = in_;
    struct km_add_raft_voter_response *out = out_;
    const char *why;

    out->error_code = voters_refused(broker, request, in->cluster_id, "adding", &why);
    out->error_message = request_text(why);
    return why == NULL ? H_CLOSE : H_DONE;
}

enum h_result
h_remove_raft_voter(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_remove_raft_voter_request *in = in_;
    struct km_remove_raft_voter_response *out = out_;
    const char *why;

    out->error_code = voters_refused(broker, request, in->cluster_id, "removing", &why);
    out->error_message = request_text(why);
    return why == NULL ? H_CLOSE : H_DONE;
}

enum h_result
h_unregister_broker(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_unregister_broker_request *in = in_;
    struct km_unregister_broker_response *out = out_;

    if (in->broker_id == broker->options.node_id) {
        out->error_code = KE_INVALID_REQUEST;
        out->error_message = request_text("The only broker there is cannot be unregistered.");
        return H_DONE;
    }
    out->error_code = KE_BROKER_ID_NOT_REGISTERED;
    out->error_message = request_text(
        arena_printf(&request->arena, "Broker ID %d is not currently registered", in->broker_id));
    return H_DONE;
}
