/*
 * fake_cluster: three scripted brokers that agree on topics, leaders and coordinators.
 *
 * It has one topic "t" with many partitions and knows Metadata, FindCoordinator, ListOffsets (asked
 * of a partition's leader; the answer's offset is 1000000 * broker + partition, unless a test has
 * set offsets) and DescribeGroups
 * (asked of a group's coordinator). Tests set who leads what, and which code an answer has.
 */
#ifndef TESTS_UNIT_LIB_KAFKA_FAKE_CLUSTER_H
#define TESTS_UNIT_LIB_KAFKA_FAKE_CLUSTER_H

#include "lib/kafka/cluster.h"
#include "tests/unit/lib/kafka/fake_broker.h"

#define FAKE_BROKERS 3
#define FAKE_PARTITIONS_MAX 20000

struct fake_cluster {
    struct loop *loop;
    struct fake_broker brokers[FAKE_BROKERS]; /* with the ids 1 to 3 */
    struct conf_client conf;
    struct conf_text_server servers[FAKE_BROKERS];
    const char *cluster_id;
    int32_t partitions;
    int32_t leader[FAKE_PARTITIONS_MAX];      /* as Metadata says; -1: none */
    int32_t true_leader[FAKE_PARTITIONS_MAX]; /* as the brokers themselves see it; 0: the same */
    bool tells_truth_later;                   /* Metadata says the truth after its first answer */
    int16_t code[FAKE_PARTITIONS_MAX];        /* of ListOffsets */
    int32_t coordinator;                      /* of every group, as FindCoordinator says */
    int32_t true_coordinator;
    int16_t find_code;
    bool leaves_out_odd; /* ListOffsets answers nothing about odd partitions */

    /* What ListOffsets answers about a question's timestamp; NULL: see above. */
    int64_t (*offset)(
        int32_t partition, const struct km_list_offsets_request *question, int64_t timestamp);

    int metadata_requests, find_requests, find_keys, list_requests, group_requests;
    int32_t most_partitions; /* in one ListOffsets request */
};

static inline int32_t
fake_id(const struct fake_cluster *fake, const struct fake_conn *conn)
{
    return (int32_t)(conn->broker - fake->brokers) + 1;
}

static inline void
fake_metadata(struct fake_cluster *fake, struct fake_conn *conn,
    const struct frame_request *request, const struct km_metadata_request *in)
{
    struct arena *arena = &conn->broker->arena;
    struct km_metadata_response response;
    struct km_metadata_response_topic topic;

    if (fake->metadata_requests++ > 0 && fake->tells_truth_later)
        for (int32_t i = 0; i < fake->partitions; i++)
            if (fake->true_leader[i] != 0)
                fake->leader[i] = fake->true_leader[i];
    codec_init(&km_metadata_response_desc, &response);
    response.cluster_id = (struct wire_string){fake->cluster_id, (int32_t)strlen(fake->cluster_id)};
    response.controller_id = 2;
    response.brokers.items = codec_array(arena, &km_metadata_response_broker_desc, FAKE_BROKERS);
    response.brokers.count = FAKE_BROKERS;
    for (int32_t i = 0; i < FAKE_BROKERS; i++) {
        response.brokers.items[i].node_id = i + 1;
        response.brokers.items[i].host = (struct wire_string){"127.0.0.1", 9};
        response.brokers.items[i].port = fake->brokers[i].port;
    }
    codec_init(&km_metadata_response_topic_desc, &topic);
    topic.name = (struct wire_string){"t", 1};
    topic.partitions.items =
        codec_array(arena, &km_metadata_response_partition_desc, fake->partitions);
    topic.partitions.count = fake->partitions;
    for (int32_t i = 0; i < fake->partitions; i++) {
        topic.partitions.items[i].partition_index = i;
        topic.partitions.items[i].leader_id = fake->leader[i];
    }
    if (in->topics.count < 0) {
        response.topics.items = &topic;
        response.topics.count = 1;
        fake_reply(conn, request, &response);
        return;
    }
    response.topics.items = codec_array(arena, &km_metadata_response_topic_desc, in->topics.count);
    response.topics.count = in->topics.count;
    for (int32_t i = 0; i < in->topics.count; i++) {
        const struct wire_string *name = &in->topics.items[i].name;

        if (name->size == 1 && name->data[0] == 't') {
            response.topics.items[i] = topic;
        } else {
            response.topics.items[i].name = *name;
            response.topics.items[i].error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
        }
    }
    fake_reply(conn, request, &response);
}

static inline void
fake_list_offsets(struct fake_cluster *fake, struct fake_conn *conn,
    const struct frame_request *request, const struct km_list_offsets_request *in)
{
    struct arena *arena = &conn->broker->arena;
    struct km_list_offsets_response response;
    struct km_list_offsets_response_topic_response topic;
    int32_t id = fake_id(fake, conn), count = in->topics.items[0].partitions.count;

    fake->list_requests++;
    if (count > fake->most_partitions)
        fake->most_partitions = count;
    codec_init(&km_list_offsets_response_desc, &response);
    codec_init(&km_list_offsets_response_topic_response_desc, &topic);
    topic.name = (struct wire_string){"t", 1};
    topic.partitions.items =
        codec_array(arena, &km_list_offsets_response_partition_response_desc, count);
    for (int32_t i = 0; i < count; i++) {
        int32_t index = in->topics.items[0].partitions.items[i].partition_index;
        struct km_list_offsets_response_partition_response *out =
            &topic.partitions.items[topic.partitions.count];
        int32_t leader =
            fake->true_leader[index] != 0 ? fake->true_leader[index] : fake->leader[index];

        if (fake->leaves_out_odd && index % 2 == 1)
            continue;
        topic.partitions.count++;
        out->partition_index = index;
        out->error_code = leader == id ? fake->code[index] : KE_NOT_LEADER_OR_FOLLOWER;
        out->offset = fake->offset == NULL ? 1000000 * id + index
                                           : fake->offset(index, in,
                                                 in->topics.items[0].partitions.items[i].timestamp);
        out->timestamp = out->offset;
    }
    response.topics.items = &topic;
    response.topics.count = 1;
    fake_reply(conn, request, &response);
}

static inline void
fake_find_coordinator(struct fake_cluster *fake, struct fake_conn *conn,
    const struct frame_request *request, const struct km_find_coordinator_request *in)
{
    struct km_find_coordinator_response response;
    int32_t id = fake->coordinator, port = fake->brokers[id - 1].port;

    fake->find_requests++;
    codec_init(&km_find_coordinator_response_desc, &response);
    if (request->api_version < 4) {
        fake->find_keys++;
        response.error_code = fake->find_code;
        response.node_id = id;
        response.host = (struct wire_string){"127.0.0.1", 9};
        response.port = port;
        fake_reply(conn, request, &response);
        return;
    }
    fake->find_keys += in->coordinator_keys.count;
    response.coordinators.items = codec_array(&conn->broker->arena,
        &km_find_coordinator_response_coordinator_desc, in->coordinator_keys.count);
    response.coordinators.count = in->coordinator_keys.count;
    for (int32_t i = 0; i < in->coordinator_keys.count; i++) {
        struct km_find_coordinator_response_coordinator *row = &response.coordinators.items[i];

        row->key = in->coordinator_keys.items[i];
        row->error_code = fake->find_code;
        row->node_id = id;
        row->host = (struct wire_string){"127.0.0.1", 9};
        row->port = port;
    }
    fake_reply(conn, request, &response);
}

static inline void
fake_describe_groups(struct fake_cluster *fake, struct fake_conn *conn,
    const struct frame_request *request, const struct km_describe_groups_request *in)
{
    struct km_describe_groups_response response;
    int32_t id = fake_id(fake, conn);

    fake->group_requests++;
    codec_init(&km_describe_groups_response_desc, &response);
    response.groups.items = codec_array(
        &conn->broker->arena, &km_describe_groups_response_described_group_desc, in->groups.count);
    response.groups.count = in->groups.count;
    for (int32_t i = 0; i < in->groups.count; i++) {
        response.groups.items[i].group_id = in->groups.items[i];
        response.groups.items[i].error_code =
            id == fake->true_coordinator ? KE_NONE : KE_NOT_COORDINATOR;
    }
    fake_reply(conn, request, &response);
}

static inline void
fake_cluster_request(
    void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    struct fake_cluster *fake = arg;

    switch (request->api_key) {
    case KM_METADATA:
        fake_metadata(fake, conn, request, body);
        break;
    case KM_LIST_OFFSETS:
        fake_list_offsets(fake, conn, request, body);
        break;
    case KM_FIND_COORDINATOR:
        fake_find_coordinator(fake, conn, request, body);
        break;
    case KM_DESCRIBE_GROUPS:
        fake_describe_groups(fake, conn, request, body);
        break;
    default:
        break;
    }
}

/* Partition p is led by broker p % 3 + 1; groups are coordinated by broker 3. */
static inline void
fake_cluster_start(struct fake_cluster *fake, struct loop *loop, int32_t partitions)
{
    memset(fake, 0, sizeof *fake);
    fake->loop = loop;
    fake->cluster_id = "fake";
    fake->partitions = partitions;
    fake->coordinator = fake->true_coordinator = 3;
    for (int32_t i = 0; i < partitions; i++)
        fake->leader[i] = i % FAKE_BROKERS + 1;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        static char host[] = "127.0.0.1";

        fake_start(&fake->brokers[i], loop);
        fake->brokers[i].handler = fake_cluster_request;
        fake->brokers[i].handler_arg = fake;
        fake->servers[i] = (struct conf_text_server){host, fake->brokers[i].port};
    }
    fake->conf = (struct conf_client){.names = &conf_names_usual,
        .servers = fake->servers,
        .server_count = 1,
        .client_id = "test",
        .request_timeout_ms = 10000,
        .connect_timeout_ms = 10000,
        .retry_backoff_ms = 5,
        .response_bytes_max = (size_t)100 << 20};
}

static inline void
fake_cluster_stop(struct fake_cluster *fake)
{
    for (int i = 0; i < FAKE_BROKERS; i++)
        fake_stop(&fake->brokers[i]);
}

#endif
