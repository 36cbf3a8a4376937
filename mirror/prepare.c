#include "mirror/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "mirror/topics.h"

#define SKIPPED_BYTES_MAX ((size_t)1 << 20)

/* The topic's own configs that go along; the others are counted and named. */
static int32_t
configs_choose(const struct selection_topic *topic,
    const struct km_describe_configs_response_result *from,
    struct km_create_topics_request_creatable_topic_config *out, struct prepare_result *result)
{
    int32_t count = 0;

    for (int32_t i = 0; i < from->configs.count; i++) {
        const struct km_describe_configs_response_resource_result *config = &from->configs.items[i];

        if (!topics_is_own(config))
            continue;
        if (topics_is_copied(config->name)) {
            out[count++] = (struct km_create_topics_request_creatable_topic_config){
                config->name, config->value};
            continue;
        }
        result->configs_skipped++;
        buf_printf(&result->skipped, "%s: %.*s=%.*s\n", topic->name, config->name.size,
            config->name.data, config->value.size, config->value.data);
    }
    return count;
}

static enum rc
topic_make(struct cluster *to, const struct selection_topic *topic,
    const struct km_describe_configs_response_result *from, struct prepare_result *result,
    struct err *e)
{
    struct topics_wanted wanted = {
        {topic->name, (int32_t)strlen(topic->name)}, topic->partition_count, NULL, 0};
    struct km_create_topics_request_creatable_topic_config *configs =
        xcalloc(from == NULL ? 0 : (size_t)from->configs.count, sizeof *configs);
    bool made = false;
    enum rc rc;

    if (from != NULL)
        wanted.config_count = configs_choose(topic, from, configs, result);
    wanted.configs = configs;
    rc = topics_make(to, &wanted, &made, e);
    result->topics_made += made;
    free(configs);
    return rc;
}

static enum rc
missing_make(struct cluster *source, const struct selection *selection, struct cluster *to,
    struct prepare_result *result, struct err *e)
{
    struct conn_reply *reply;
    enum rc rc = topics_configs_ask(source, selection, NULL, &reply, e);

    if (rc != RC_OK)
        return rc;
    rc = cluster_refresh(to, e);
    for (uint32_t i = 0; i < selection->topic_count && rc == RC_OK; i++) {
        const struct selection_topic *topic = &selection->topics[i];

        if (cluster_map_topic(cluster_view(to), topic->name) == NULL)
            rc = topic_make(to, topic, topics_configs_of(reply, topic->name), result, e);
    }
    conn_reply_unref(reply);
    return rc;
}

enum rc
prepare_target(struct cluster *source, const struct selection *selection, struct cluster *to,
    struct selection *target, struct prepare_result *result, struct err *e)
{
    enum rc rc;

    memset(result, 0, sizeof *result);
    buf_init(&result->skipped, SKIPPED_BYTES_MAX);
    rc = missing_make(source, selection, to, result, e);
    if (rc == RC_OK)
        rc = selection_same(target, to, selection, e);
    if (rc != RC_OK)
        return rc;
    rc = topics_mirroring(to, selection, e);
    if (rc == RC_OK)
        rc = selection_offsets(target, to, e);
    if (rc != RC_OK)
        selection_fini(target);
    return rc;
}

void
prepare_result_fini(struct prepare_result *result)
{
    buf_fini(&result->skipped);
}
