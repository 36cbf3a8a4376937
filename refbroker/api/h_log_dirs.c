/*
 * DescribeLogDirs and AlterReplicaLogDirs (KafkaApis, ReplicaManager, KIP-113, KIP-827). A
 * partition moves to the folder in which it is, or nowhere.
 *
 * There is one folder, and every partition lies in it. topics = null means all; what is asked for
 * and is not there is left out, without an error, and what is named twice comes once. The size is
 * that of the batches as they are stored, in objects or not yet. The volume's bytes are unknown
 * (-1): asking the file system may block, and the core waits for no file.
 */
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/handlers.h"
#include "refbroker/broker.h"
#include "refbroker/meta/topics.h"

typedef struct km_describe_log_dirs_response_result result_out;
typedef struct km_describe_log_dirs_response_topic topic_out;
typedef struct km_describe_log_dirs_response_partition partition_out;

static int
by_name_and_index(const void *a, const void *b)
{
    const struct partition *x = *(struct partition *const *)a, *y = *(struct partition *const *)b;
    int order = strcmp(x->topic->name, y->topic->name);

    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* The partitions that are meant, sorted, each once; NULL where the arena is full. */
static struct partition **
collect(struct broker *broker, struct request *request,
    const struct km_describe_log_dirs_request *in, size_t *count)
{
    size_t size = (size_t)broker->topics.partition_count, found = 0, position = 0;
    struct partition **list;
    struct topic *topic;

    for (int32_t i = 0; i < in->topics.count; i++)
        found += (size_t)in->topics.items[i].partitions.count;
    list = arena_array(&request->arena, in->topics.count < 0 ? size : found, sizeof *list);
    if (list == NULL)
        return NULL;
    found = 0;
    while (in->topics.count < 0 && (topic = topics_next(&broker->topics, &position)) != NULL)
        for (int32_t k = 0; k < topic->partition_count; k++)
            list[found++] = topic->partitions[k];
    for (int32_t i = 0; i < in->topics.count; i++) {
        struct wire_string name = in->topics.items[i].topic;

        topic = topics_find(&broker->topics, name.data, (size_t)name.size);
        for (int32_t k = 0; topic != NULL && k < in->topics.items[i].partitions.count; k++) {
            list[found] = topics_partition(topic, in->topics.items[i].partitions.items[k]);
            found += list[found] != NULL;
        }
    }
    qsort(list, found, sizeof *list, by_name_and_index);
    *count = 0;
    for (size_t i = 0; i < found; i++)
        if (*count == 0 || list[*count - 1] != list[i])
            list[(*count)++] = list[i];
    return list;
}

static bool
topics_fill(
    struct request *request, struct partition *const *list, size_t count, result_out *folder)
{
    size_t topic_count = 0, end;

    for (size_t i = 0; i < count; i++)
        topic_count += i == 0 || list[i]->topic != list[i - 1]->topic;
    folder->topics.items = codec_array(
        &request->arena, &km_describe_log_dirs_response_topic_desc, (int32_t)topic_count);
    for (size_t i = 0; i < count && folder->topics.items != NULL; i = end) {
        topic_out *out = &folder->topics.items[folder->topics.count];

        for (end = i; end < count && list[end]->topic == list[i]->topic; end++)
            continue;
        out->name = request_text_dup(request, list[i]->topic->name);
        out->partitions.items = codec_array(
            &request->arena, &km_describe_log_dirs_response_partition_desc, (int32_t)(end - i));
        if (out->partitions.items == NULL)
            return false;
        for (size_t k = i; k < end; k++) {
            partition_out *partition = &out->partitions.items[out->partitions.count++];

            partition->partition_index = list[k]->index;
            partition->partition_size = partition_bytes(list[k]);
        }
        folder->topics.count++;
    }
    return !arena_is_full(&request->arena);
}

enum h_result
h_describe_log_dirs(struct broker *broker, struct request *request, const void *in_, void *out_)
{
    struct km_describe_log_dirs_response *out = out_;
    struct partition **list;
    size_t count = 0;

    list = collect(broker, request, in_, &count);
    out->results.items =
        codec_array(&request->arena, &km_describe_log_dirs_response_result_desc, 1);
    if (list == NULL || out->results.items == NULL)
        return H_CLOSE;
    out->results.count = 1;
    out->results.items[0].log_dir = request_text(broker->options.data_folder);
    return topics_fill(request, list, count, &out->results.items[0]) ? H_DONE : H_CLOSE;
}

static bool
topic_move(struct broker *broker, struct request *request, bool ours,
    const struct km_alter_replica_log_dirs_request_alter_replica_log_dir_topic *in,
    struct km_alter_replica_log_dirs_response_alter_replica_log_dir_topic_result *out)
{
    struct topic *topic = topics_find(&broker->topics, in->name.data, (size_t)in->name.size);

    out->topic_name = in->name;
    out->partitions.items = codec_array(&request->arena,
        &km_alter_replica_log_dirs_response_alter_replica_log_dir_partition_result_desc,
        in->partitions.count);
    if (out->partitions.items == NULL)
        return false;
    out->partitions.count = in->partitions.count;
    for (int32_t i = 0; i < in->partitions.count; i++) {
        out->partitions.items[i].partition_index = in->partitions.items[i];
        if (!ours)
            out->partitions.items[i].error_code = KE_LOG_DIR_NOT_FOUND;
        else if (topic == NULL || topics_partition(topic, in->partitions.items[i]) == NULL)
            out->partitions.items[i].error_code = KE_UNKNOWN_TOPIC_OR_PARTITION;
    }
    return true;
}

enum h_result
h_alter_replica_log_dirs(
    struct broker *broker, struct request *request, const void *in_, void *out_)
{
    const struct km_alter_replica_log_dirs_request *in = in_;
    struct km_alter_replica_log_dirs_response *out = out_;
    int32_t topics = 0;

    for (int32_t i = 0; i < in->dirs.count; i++)
        topics += in->dirs.items[i].topics.count;
    out->results.items = codec_array(&request->arena,
        &km_alter_replica_log_dirs_response_alter_replica_log_dir_topic_result_desc, topics);
    for (int32_t i = 0; i < in->dirs.count && out->results.items != NULL; i++) {
        bool ours = request_is_text(in->dirs.items[i].path, broker->options.data_folder);

        for (int32_t k = 0; k < in->dirs.items[i].topics.count; k++)
            if (!topic_move(broker, request, ours, &in->dirs.items[i].topics.items[k],
                    &out->results.items[out->results.count++]))
                return H_CLOSE;
    }
    return arena_is_full(&request->arena) ? H_CLOSE : H_DONE;
}
