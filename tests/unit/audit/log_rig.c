#include "tests/unit/audit/log_rig.h"

#include "audit/facts.h"

#define MIB (1 << 20)

static void
metadata(struct log_rig *rig, struct fake_conn *conn, const struct frame_request *request)
{
    struct km_metadata_response_partition partition;
    struct km_metadata_response_topic topic;
    struct km_metadata_response_broker row;
    struct km_metadata_response response;

    codec_init(&km_metadata_response_partition_desc, &partition);
    partition.leader_id = 1;
    codec_init(&km_metadata_response_topic_desc, &topic);
    topic.name = codec_string(rig->topic);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    codec_init(&km_metadata_response_broker_desc, &row);
    row.node_id = 1;
    row.host = codec_string("127.0.0.1");
    row.port = rig->broker.port;
    codec_init(&km_metadata_response_desc, &response);
    response.brokers.items = &row;
    response.brokers.count = 1;
    response.controller_id = 1;
    response.topics.items = &topic;
    response.topics.count = 1;
    fake_reply(conn, request, &response);
}

static void
fetch(struct log_rig *rig, struct fake_conn *conn, const struct frame_request *request,
    const struct km_fetch_request *in)
{
    struct km_fetch_response_fetchable_topic_response topic;
    struct km_fetch_response_partition_data partition;
    struct km_fetch_response response;
    struct buf batch;

    assert_int_equal(in->topics.count, 1);
    assert_int_equal(in->topics.items[0].partitions.count, 1);
    rig->last_asked = in->topics.items[0].partitions.items[0].fetch_offset;
    if (rig->fetches++ == 0)
        rig->first_asked = rig->last_asked;
    buf_init(&batch, (size_t)4 * MIB);
    codec_init(&km_fetch_response_partition_data_desc, &partition);
    partition.high_watermark = rig->end_offset;
    partition.log_start_offset = rig->log_start_offset;
    if (rig->last_asked < rig->log_start_offset)
        partition.error_code = KE_OFFSET_OUT_OF_RANGE;
    else if (rig->last_asked < rig->end_offset)
        rig->batch_append(rig->last_asked, &batch);
    partition.records = (struct wire_records){.data = batch.data, .size = (int32_t)batch.size};
    codec_init(&km_fetch_response_fetchable_topic_response_desc, &topic);
    topic.topic = codec_string(rig->topic);
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    codec_init(&km_fetch_response_desc, &response);
    response.responses.items = &topic;
    response.responses.count = 1;
    fake_reply(conn, request, &response);
    buf_fini(&batch);
}

static void
handle(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    struct log_rig *rig = arg;

    if (request->api_key == KM_METADATA)
        metadata(rig, conn, request);
    else if (request->api_key == KM_FETCH)
        fetch(rig, conn, request, body);
    else
        fail_msg("a request of API %d", request->api_key);
}

int
log_rig_start(struct log_rig *rig)
{
    static char host[] = "127.0.0.1";
    static struct conf_text_server server = {host, 0};
    static struct conf_client conf;

    rig->log_start_offset = 0;
    rig->first_asked = rig->last_asked = -1;
    rig->fetches = 0;
    rig->bytes_max = UINT64_MAX;
    if (loop_new(&rig->loop, NULL) != RC_OK)
        return -1;
    fake_start(&rig->broker, rig->loop);
    rig->broker.handler = handle;
    rig->broker.handler_arg = rig;
    server.port = rig->broker.port;
    conf = (struct conf_client){.names = &conf_names_usual,
        .servers = &server,
        .server_count = 1,
        .client_id = "test",
        .request_timeout_ms = 10000,
        .connect_timeout_ms = 10000,
        .retry_backoff_ms = 5,
        .response_bytes_max = (size_t)100 * MIB};
    inventory_init(&rig->inventory);
    inventory_add_topic(&rig->inventory, rig->topic, 1)->is_internal = true;
    return cluster_new(rig->loop, &conf, &rig->cluster, NULL) == RC_OK ? 0 : -1;
}

void
log_rig_stop(struct log_rig *rig)
{
    inventory_fini(&rig->inventory);
    cluster_free(rig->cluster);
    fake_stop(&rig->broker);
    loop_free(rig->loop);
    blob_trim();
}

void
log_rig_look(struct log_rig *rig, int64_t began,
    uint64_t (*run)(const struct probe *probe, uint64_t bytes_max))
{
    struct probe probe = {&rig->inventory, rig->cluster};

    rig->inventory.partitions[0].log_start_offset = began;
    rig->inventory.partitions[0].end_offset = rig->end_offset;
    rig->bytes_read = run(&probe, rig->bytes_max);
    facts_derive(&rig->inventory);
}

bool
log_rig_says(const struct audit_finding *finding, enum audit_probe probe, const char *text)
{
    for (const struct audit_evidence *row = finding->first; row != NULL; row = row->next)
        if (row->probe == probe && strcmp(row->text, text) == 0)
            return true;
    return false;
}
