#include "lib/kafka/cluster_map.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

void
cluster_map_init(struct cluster_map *map)
{
    memset(map, 0, sizeof *map);
    map_init(&map->brokers);
    map_init(&map->topics);
    map->controller = -1;
}

static void
broker_free(void *value)
{
    struct cluster_broker *broker = value;

    if (broker == NULL)
        return;
    free(broker->host);
    free(broker->rack);
    free(broker);
}

static void
topic_free(void *value)
{
    struct cluster_topic *topic = value;

    if (topic == NULL)
        return;
    free(topic->name);
    free(topic->partitions);
    free(topic);
}

void
cluster_map_fini(struct cluster_map *map)
{
    map_fini(&map->brokers, broker_free);
    map_fini(&map->topics, topic_free);
    free(map->cluster_id);
    map->cluster_id = NULL;
}

/* --- checks, before anything changes -----------------------------------------------------------
 */

static enum rc
topic_check(const struct km_metadata_response_topic *topic, struct err *e)
{
    int32_t count = topic->partitions.count;
    bool *seen;
    enum rc rc = RC_OK;

    if (count <= 0)
        return RC_OK;
    seen = xcalloc((size_t)count, sizeof *seen);
    for (int32_t i = 0; i < count && rc == RC_OK; i++) {
        int32_t index = topic->partitions.items[i].partition_index;

        if (index < 0 || index >= count || seen[index])
            rc = err_set(e, RC_PROTOCOL, "topic %.*s has partition %d among %d", topic->name.size,
                topic->name.data, index, count);
        else
            seen[index] = true;
    }
    free(seen);
    return rc;
}

static enum rc
response_check(
    const struct cluster_map *map, const struct km_metadata_response *response, struct err *e)
{
    const struct wire_string *id = &response->cluster_id;

    if (map->cluster_id != NULL && id->size >= 0 &&
        (strlen(map->cluster_id) != (size_t)id->size ||
            memcmp(map->cluster_id, id->data, (size_t)id->size) != 0))
        return err_set(e, RC_CONFLICT, "the servers belong to different clusters: %.60s, and %.*s",
            map->cluster_id, id->size > 60 ? 60 : id->size, id->data);
    for (int32_t i = 0; i < response->brokers.count; i++) {
        const struct km_metadata_response_broker *broker = &response->brokers.items[i];

        if (broker->node_id < 0 || broker->port < 1 || broker->port > 65535 ||
            broker->host.size < 1)
            return err_set(e, RC_PROTOCOL, "broker %d is said to be at %.*s:%d", broker->node_id,
                broker->host.size > 100 ? 100 : broker->host.size, broker->host.data, broker->port);
    }
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct km_metadata_response_topic *topic = &response->topics.items[i];
        enum rc rc = topic_check(topic, e);

        if (rc != RC_OK)
            return rc;
    }
    return RC_OK;
}

/* --- loading -----------------------------------------------------------------------------------
 */

static char *
text_dup(const struct wire_string *text)
{
    return text->size < 0 ? NULL : xmemdup(text->data, (size_t)text->size);
}

static void
brokers_load(struct cluster_map *map, const struct km_metadata_response *response)
{
    map_fini(&map->brokers, broker_free);
    map_init(&map->brokers);
    for (int32_t i = 0; i < response->brokers.count; i++) {
        const struct km_metadata_response_broker *in = &response->brokers.items[i];
        struct cluster_broker *broker = xcalloc(1, sizeof *broker);

        broker->id = in->node_id;
        broker->port = (uint16_t)in->port;
        broker->host = text_dup(&in->host);
        broker->rack = text_dup(&in->rack);
        broker_free(map_put_int(&map->brokers, broker->id, broker));
    }
}

static int16_t
count_of(int32_t replicas)
{
    return (int16_t)(replicas < 0 ? 0 : replicas > INT16_MAX ? INT16_MAX : replicas);
}

/* A broker that has not heard of the latest election may still name the one before. */
static void
leader_keep_newer(struct cluster_partition *partition, const struct cluster_topic *old,
    const struct cluster_topic *topic, int32_t index)
{
    const struct cluster_partition *before;

    if (old == NULL || index >= old->partition_count ||
        memcmp(&old->id, &topic->id, sizeof old->id) != 0)
        return;
    before = &old->partitions[index];
    if (before->leader_epoch > partition->leader_epoch)
        *partition = *before;
}

static void
topic_load(struct cluster_map *map, const struct km_metadata_response_topic *in)
{
    struct cluster_topic *topic = xcalloc(1, sizeof *topic);
    const struct cluster_topic *old;

    topic->name = text_dup(&in->name);
    topic->id = in->topic_id;
    topic->is_internal = in->is_internal;
    topic->error = in->error_code;
    topic->partition_count = in->partitions.count < 0 ? 0 : in->partitions.count;
    topic->partitions = xcalloc((size_t)topic->partition_count, sizeof *topic->partitions);
    old = map_get_text(&map->topics, topic->name);
    for (int32_t i = 0; i < topic->partition_count; i++) {
        const struct km_metadata_response_partition *from = &in->partitions.items[i];
        struct cluster_partition *partition = &topic->partitions[from->partition_index];

        *partition = (struct cluster_partition){from->leader_id, from->leader_epoch,
            from->error_code, count_of(from->replica_nodes.count), count_of(from->isr_nodes.count)};
        leader_keep_newer(partition, old, topic, from->partition_index);
    }
    topic_free(map_put_text(&map->topics, topic->name, topic));
}

/* Topics that a full answer does not name any more are gone. */
static void
topics_forget(struct cluster_map *map, const struct km_metadata_response *response)
{
    struct map named;
    const void *name;
    size_t size, position = 0;

    map_init(&named);
    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct wire_string *text = &response->topics.items[i].name;

        if (text->size > 0)
            map_put(&named, text->data, (size_t)text->size, &named);
    }
    while (map_next(&map->topics, &position, &name, &size) != NULL)
        if (map_get(&named, name, size) == NULL)
            topic_free(map_remove(&map->topics, name, size));
    map_fini(&named, NULL);
}

enum rc
cluster_map_load(struct cluster_map *map, const struct km_metadata_response *response, bool is_full,
    struct err *e)
{
    enum rc rc = response_check(map, response, e);

    if (rc != RC_OK)
        return rc;
    if (map->cluster_id == NULL)
        map->cluster_id = text_dup(&response->cluster_id);
    map->controller = response->controller_id;
    brokers_load(map, response);
    if (is_full)
        topics_forget(map, response);
    for (int32_t i = 0; i < response->topics.count; i++)
        if (response->topics.items[i].name.size > 0)
            topic_load(map, &response->topics.items[i]);
    return RC_OK;
}

/* --- reading -----------------------------------------------------------------------------------
 */

const struct cluster_broker *
cluster_map_broker(const struct cluster_map *map, int32_t id)
{
    return map_get_int(&map->brokers, id);
}

const struct cluster_topic *
cluster_map_topic(const struct cluster_map *map, const char *name)
{
    return map_get_text(&map->topics, name);
}

int16_t
cluster_map_leader(const struct cluster_map *map, const struct cluster_topic *topic,
    int32_t partition, int32_t listed, int32_t *broker)
{
    const struct cluster_partition *at;

    *broker = -1;
    if (topic == NULL)
        return KE_UNKNOWN_TOPIC_OR_PARTITION;
    if (topic->error != KE_NONE)
        return topic->error;
    if (partition < 0 || partition >= topic->partition_count)
        return KE_UNKNOWN_TOPIC_OR_PARTITION;
    at = &topic->partitions[partition];
    if (at->leader < 0)
        return at->error != KE_NONE ? at->error : KE_LEADER_NOT_AVAILABLE;
    /* A leader at an address that this listener does not tell. */
    if (at->leader != listed && cluster_map_broker(map, at->leader) == NULL)
        return KE_LISTENER_NOT_FOUND;
    *broker = at->leader;
    return KE_NONE;
}

const struct cluster_broker *
cluster_map_next_broker(const struct cluster_map *map, size_t *position)
{
    return map_next(&map->brokers, position, NULL, NULL);
}

const struct cluster_topic *
cluster_map_next_topic(const struct cluster_map *map, size_t *position)
{
    return map_next(&map->topics, position, NULL, NULL);
}
