#include "tests/unit/mirror/group_rig.h"

#include "lib/wire/codec.h"

#define LEADER_EPOCH 7

static int
group_number(struct wire_string id)
{
    int number = 0;

    assert_true(id.size > 1 && id.size < 6 && id.data[0] == 'g');
    for (int32_t i = 1; i < id.size; i++)
        number = number * 10 + (id.data[i] - '0');
    assert_true(number < GROUP_RIG_GROUPS);
    return number;
}

static void
list_answer(struct group_rig *rig, struct fake_conn *conn, const struct frame_request *request)
{
    static char names[GROUP_RIG_GROUPS][16];
    struct km_list_groups_response response;

    codec_init(&km_list_groups_response_desc, &response);
    if (fake_id(&rig->cluster.fake, conn) == rig->cluster.fake.coordinator) {
        response.error_code = rig->list_code;
        response.groups.items = codec_array(
            &conn->broker->arena, &km_list_groups_response_listed_group_desc, rig->groups);
        response.groups.count = rig->groups;
        for (int i = 0; i < rig->groups; i++) {
            (void)snprintf(names[i], sizeof names[i], "g%d", i);
            response.groups.items[i].group_id = codec_string(names[i]);
            response.groups.items[i].group_type = codec_string(rig->type);
        }
    }
    fake_reply(conn, request, &response);
}

static struct wire_string
metadata_of(const struct group_rig *rig, int group, int partition)
{
    return (struct wire_string){
        &rig->metadata[group][partition], rig->metadata[group][partition] != '\0'};
}

/* Twice where the broker repeats itself; the second time it tells something else. */
static void
topics_answer(const struct group_rig *rig, struct arena *arena, int group,
    struct km_offset_fetch_response_topics_array *out)
{
    int times = rig->repeats ? 2 : 1;

    out->items = codec_array(arena, &km_offset_fetch_response_topics_desc, times);
    out->count = times;
    for (int i = 0; i < times; i++) {
        struct km_offset_fetch_response_topics *topic = &out->items[i];

        topic->name = codec_string(i == 0 ? "t" : "nobody");
        topic->partitions.items = codec_array(
            arena, &km_offset_fetch_response_partitions_desc, GROUP_RIG_PARTITIONS * times);
        topic->partitions.count = GROUP_RIG_PARTITIONS * times;
        for (int k = 0; k < GROUP_RIG_PARTITIONS * times; k++) {
            struct km_offset_fetch_response_partitions *p = &topic->partitions.items[k];

            p->partition_index = k / times;
            p->committed_offset = rig->offset[group][k / times];
            p->committed_leader_epoch = LEADER_EPOCH;
            p->metadata = metadata_of(rig, group, k / times);
            p->error_code = rig->code[group][k / times];
        }
    }
}

static void
old_answer(const struct group_rig *rig, struct fake_conn *conn, const struct frame_request *request,
    int group)
{
    struct arena *arena = &conn->broker->arena;
    struct km_offset_fetch_response response;
    struct km_offset_fetch_response_topic topic;

    codec_init(&km_offset_fetch_response_desc, &response);
    codec_init(&km_offset_fetch_response_topic_desc, &topic);
    topic.name = codec_string("t");
    topic.partitions.items =
        codec_array(arena, &km_offset_fetch_response_partition_desc, GROUP_RIG_PARTITIONS);
    topic.partitions.count = GROUP_RIG_PARTITIONS;
    for (int k = 0; k < GROUP_RIG_PARTITIONS; k++) {
        topic.partitions.items[k].partition_index = k;
        topic.partitions.items[k].committed_offset = rig->offset[group][k];
        topic.partitions.items[k].metadata = metadata_of(rig, group, k);
        topic.partitions.items[k].error_code = rig->code[group][k];
    }
    response.topics.items = &topic;
    response.topics.count = 1;
    response.error_code = group == 0 ? rig->fetch_code : KE_NONE;
    fake_reply(conn, request, &response);
}

static void
fetch_answer(struct group_rig *rig, struct fake_conn *conn, const struct frame_request *request,
    const struct km_offset_fetch_request *in)
{
    struct arena *arena = &conn->broker->arena;
    struct km_offset_fetch_response response;
    int times = rig->repeats ? 2 : 1;

    rig->fetches++;
    assert_true(request->api_version < 7 || in->require_stable);
    if (request->api_version < 8) {
        old_answer(rig, conn, request, group_number(in->group_id));
        return;
    }
    if (in->groups.count > rig->most_groups)
        rig->most_groups = in->groups.count;
    codec_init(&km_offset_fetch_response_desc, &response);
    response.groups.items =
        codec_array(arena, &km_offset_fetch_response_group_desc, in->groups.count * times);
    response.groups.count = in->groups.count * times;
    for (int32_t i = 0; i < response.groups.count; i++) {
        struct km_offset_fetch_response_group *group = &response.groups.items[i];
        int number = group_number(in->groups.items[i / times].group_id);

        group->group_id = in->groups.items[i / times].group_id;
        group->error_code = number == 0 ? rig->fetch_code : KE_NONE;
        topics_answer(rig, arena, number, &group->topics);
    }
    fake_reply(conn, request, &response);
}

static void
commit_answer(struct group_rig *rig, struct fake_conn *conn, const struct frame_request *request,
    const struct km_offset_commit_request *in)
{
    struct arena *arena = &conn->broker->arena;
    struct km_offset_commit_response response;
    int group = group_number(in->group_id);

    rig->commits++;
    rig->generation = in->generation_id_or_member_epoch;
    codec_init(&km_offset_commit_response_desc, &response);
    response.topics.items = codec_array(arena, &km_offset_commit_response_topic_desc, 1);
    response.topics.count = 1;
    assert_int_equal(in->topics.count, 1);
    response.topics.items[0].name = in->topics.items[0].name;
    response.topics.items[0].partitions.count = in->topics.items[0].partitions.count;
    response.topics.items[0].partitions.items =
        codec_array(arena, &km_offset_commit_response_partition_desc, GROUP_RIG_PARTITIONS);
    for (int32_t i = 0; i < in->topics.items[0].partitions.count; i++) {
        const struct km_offset_commit_request_partition *p =
            &in->topics.items[0].partitions.items[i];

        response.topics.items[0].partitions.items[i].partition_index = p->partition_index;
        response.topics.items[0].partitions.items[i].error_code = rig->refusal;
        rig->epoch = p->committed_leader_epoch;
        if (rig->refusal != KE_NONE || rig->forgets)
            continue;
        rig->offset[group][p->partition_index] = p->committed_offset;
        rig->metadata[group][p->partition_index] =
            p->committed_metadata.size == 0 ? '\0' : p->committed_metadata.data[0];
    }
    fake_reply(conn, request, &response);
}

static void
answer(void *arg, struct fake_conn *conn, const struct frame_request *request, const void *body)
{
    struct group_rig *rig = arg;

    if (request->api_key == KM_LIST_GROUPS)
        list_answer(rig, conn, request);
    else if (request->api_key == KM_OFFSET_FETCH)
        fetch_answer(rig, conn, request, body);
    else if (request->api_key == KM_OFFSET_COMMIT)
        commit_answer(rig, conn, request, body);
    else
        fake_cluster_request(&rig->cluster.fake, conn, request, body);
}

int
group_rig_start(struct group_rig *rig, struct selection *selection)
{
    memset(rig, 0, sizeof *rig);
    memset(rig->offset, 0xff, sizeof rig->offset);
    rig->groups = 1;
    rig->type = "Classic";
    if (cluster_rig_start(&rig->cluster, GROUP_RIG_PARTITIONS) != 0)
        return -1;
    for (int i = 0; i < FAKE_BROKERS; i++) {
        rig->cluster.fake.brokers[i].handler = answer;
        rig->cluster.fake.brokers[i].handler_arg = rig;
    }
    return selection_init(selection, rig->cluster.cluster, "t", NULL) == RC_OK ? 0 : -1;
}

void
group_rig_stop(struct group_rig *rig, struct selection *selection)
{
    selection_fini(selection);
    cluster_rig_stop(&rig->cluster);
}
