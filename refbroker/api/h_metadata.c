/*
 * Metadata and DescribeCluster (KafkaApis.handleTopicMetadataRequest, KIP-516, KIP-700).
 *
 * topics = null means all (v0: an empty list does), an unknown name is made when client and broker
 * allow it and answered with 3 or 5 until it is there, an unknown id with 100.
 */
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/doubled.h"
#include "refbroker/api/handlers.h"
#include "refbroker/api/operations.h"
#include "refbroker/broker.h"
#include "refbroker/meta/create.h"
#include "refbroker/meta/topics.h"

typedef struct km_metadata_response_topic topic_out;
typedef struct km_metadata_response_partition partition_out;

static bool
brokers_fill(struct broker *broker, struct request *request, struct km_metadata_response *out)
{
    out->brokers.items = codec_array(&request->arena, &km_metadata_response_broker_desc, 1);
    if (out->brokers.items == NULL)
        return false;
    out->brokers.count = 1;
    out->brokers.items[0].node_id = broker->options.node_id;
    out->brokers.items[0].host = request_text(broker->options.host);
    out->brokers.items[0].port = broker->options.port;
    out->cluster_id = request_text(broker->cluster_id);
    out->controller_id = broker->options.node_id;
    if (((const struct km_metadata_request *)request->in)->include_cluster_authorized_operations)
        out->cluster_authorized_operations = OPERATIONS_CLUSTER;
    return true;
}

static bool
topic_fill(
    struct broker *broker, struct request *request, const struct topic *topic, topic_out *out)
{
    const struct km_metadata_request *in = request->in;

    /* One copy everywhere, so all lists of replicas are the same one. */
    int32_t *self = arena_alloc(&request->arena, sizeof *self);

    out->name = request_text_dup(request, topic->name);
    out->topic_id = topic->topic_id;
    out->is_internal = topics_is_internal(topic->name);
    if (in->include_topic_authorized_operations)
        out->topic_authorized_operations = OPERATIONS_TOPIC;
    out->partitions.items =
        codec_array(&request->arena, &km_metadata_response_partition_desc, topic->partition_count);
    if (arena_is_full(&request->arena))
        return false;
    *self = broker->options.node_id;
    out->partitions.count = topic->partition_count;
    for (int32_t i = 0; i < topic->partition_count; i++) {
        partition_out *partition = &out->partitions.items[i];

        partition->partition_index = i;
        partition->leader_id = *self;
        partition->leader_epoch = topic->partitions[i]->leader_epoch;
        partition->replica_nodes.items = partition->isr_nodes.items = self;
        partition->replica_nodes.count = partition->isr_nodes.count = 1;
    }
    return true;
}

static void
unknown_name(struct broker *broker, const struct km_metadata_request *in, struct wire_string name,
    topic_out *out)
{
    out->name = name;
    if (in->include_topic_authorized_operations)
        out->topic_authorized_operations = OPERATIONS_TOPIC;
    if (topics_name_check(name.data, (size_t)name.size) != NULL) {
        out->error_code = KE_INVALID_TOPIC_EXCEPTION;
        return;
    }
    /* So Kafka answers also where it makes the topic (AutoTopicCreationManager): ask again. */
    out->error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
    if (in->allow_auto_topic_creation && broker->options.auto_create_topics)
        create_topic_by_use(broker, name.data, (size_t)name.size);
    out->is_internal = false;
}

static bool
is_zero(const struct wire_uuid *id)
{
    static const struct wire_uuid zero;

    return memcmp(id, &zero, sizeof zero) == 0;
}

static bool
asked_topic(struct broker *broker, struct request *request, const struct km_metadata_request *in,
    const struct km_metadata_request_topic *ask, topic_out *out)
{
    bool by_id = !is_zero(&ask->topic_id);
    struct topic *topic;

    /* Clients that know an id only send null, or an empty name (the Java client of KIP-848). */
    if (by_id || ask->name.size < 0) {
        topic = topics_find_id(&broker->topics, &ask->topic_id);
        if (topic != NULL)
            return topic_fill(broker, request, topic, out);
        out->name = request_text(NULL);
        out->topic_id = ask->topic_id;
        out->error_code = by_id ? KE_UNKNOWN_TOPIC_ID : KE_UNKNOWN_TOPIC_OR_PARTITION;
        return true;
    }
    topic = topics_find(&broker->topics, ask->name.data, (size_t)ask->name.size);
    if (topic != NULL)
        return topic_fill(broker, request, topic, out);
    unknown_name(broker, in, ask->name, out);
    return true;
}

static bool
all_topics(struct broker *broker, struct request *request, struct km_metadata_response *out)
{
    struct topic *topic;
    size_t position = 0;

    out->topics.items = codec_array(&request->arena, &km_metadata_response_topic_desc,
        (int32_t)map_count(&broker->topics.by_name));
    if (out->topics.items == NULL)
        return false;
    while ((topic = topics_next(&broker->topics, &position)) != NULL)
        if (!topic_fill(broker, request, topic, &out->topics.items[out->topics.count++]))
            return false;
    return true;
}

/*
 * Each topic that is asked for once, however often it is named. Where one of them is asked for by
 * its id those without an id are passed over, as Kafka does (useTopicId).
 */
static bool
some_topics(struct broker *broker, struct request *request, const struct km_metadata_request *in,
    struct km_metadata_response *out)
{
    struct doubled seen;
    bool by_id = false, fits = true;

    for (int32_t i = 0; i < in->topics.count; i++)
        by_id =
            by_id || (request->header.api_version >= 12 && !is_zero(&in->topics.items[i].topic_id));
    out->topics.items =
        codec_array(&request->arena, &km_metadata_response_topic_desc, in->topics.count);
    if (out->topics.items == NULL)
        return false;
    doubled_init(&seen);
    for (int32_t i = 0; i < in->topics.count && fits; i++) {
        struct km_metadata_request_topic ask = in->topics.items[i];
        const void *key = by_id ? (const void *)&ask.topic_id : ask.name.data;
        size_t size = by_id ? sizeof ask.topic_id : ask.name.size < 0 ? 0 : (size_t)ask.name.size;

        if (by_id && is_zero(&ask.topic_id))
            continue;
        if (by_id)
            ask.name.size = -1;
        doubled_note(&seen, key, size);
        if (!doubled_is(&seen, key, size))
            fits = asked_topic(broker, request, in, &ask, &out->topics.items[out->topics.count++]);
    }
    doubled_fini(&seen);
    return fits;
}

enum h_result
h_metadata(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_metadata_request *in = in_;
    struct km_metadata_response *out = out_;
    int16_t version = request->header.api_version;

    if (!brokers_fill(broker, request, out))
        return H_CLOSE;
    if (in->topics.count < 0 || (version == 0 && in->topics.count == 0))
        return all_topics(broker, request, out) ? H_DONE : H_CLOSE;
    /* Ids without names came with v12; v10 and v11 have the field and may not use it. */
    for (int32_t i = 0; i < in->topics.count; i++)
        if (in->topics.items[i].name.size < 0 && version < 12)
            return H_CLOSE;
    return some_topics(broker, request, in, out) ? H_DONE : H_CLOSE;
}

/* endpoint_type 1 is brokers; 2, controllers, is answered on controller listeners only (KIP-919).
 */
enum h_result
h_describe_cluster(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_describe_cluster_request *in = in_;
    struct km_describe_cluster_response *out = out_;
    struct km_describe_cluster_response_broker *self;

    out->endpoint_type = in->endpoint_type;
    if (in->endpoint_type != 1) {
        out->error_code =
            in->endpoint_type == 2 ? KE_MISMATCHED_ENDPOINT_TYPE : KE_UNSUPPORTED_ENDPOINT_TYPE;
        out->error_message =
            request_text(in->endpoint_type == 2
                             ? "The request was sent to an endpoint of type BROKER, but we wanted "
                               "an endpoint of type CONTROLLER"
                             : "Unsupported endpoint type");
        return H_DONE;
    }
    self = codec_array(&request->arena, &km_describe_cluster_response_broker_desc, 1);
    if (self == NULL)
        return H_CLOSE;
    self->broker_id = broker->options.node_id;
    self->host = request_text(broker->options.host);
    self->port = broker->options.port;
    out->brokers.items = self;
    out->brokers.count = 1;
    out->cluster_id = request_text(broker->cluster_id);
    out->controller_id = broker->options.node_id;
    if (in->include_cluster_authorized_operations)
        out->cluster_authorized_operations = OPERATIONS_CLUSTER;
    return H_DONE;
}
