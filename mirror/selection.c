#include "mirror/selection.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"

#define TIMESTAMP_END (-1)
#define TIMESTAMP_START (-2)

bool
selection_matches(const char *patterns, const char *name, bool is_internal)
{
    char *copy = xstrdup(patterns), *rest = copy, *pattern;
    bool taken = false;

    while ((pattern = strsep(&rest, ",")) != NULL) {
        bool out = *pattern == '!';
        bool exact = strcmp(pattern + out, name) == 0;

        if (*pattern == '\0')
            continue;
        if (exact || (!is_internal && fnmatch(pattern + out, name, 0) == 0))
            taken = !out;
    }
    free(copy);
    return taken;
}

static enum rc
topic_add(struct selection *s, const struct cluster_topic *topic, struct err *e)
{
    struct selection_topic *own;

    if (topic->error != KE_NONE)
        return err_set(
            e, RC_REMOTE, "topic %s: %d %s", topic->name, topic->error, kerr_name(topic->error));
    s->topics = xrealloc(s->topics, s->topic_count + 1, sizeof *s->topics);
    own = &s->topics[s->topic_count];
    *own = (struct selection_topic){.name = xstrdup(topic->name),
        .id = topic->id,
        .partition_count = topic->partition_count,
        .first = s->partition_count};
    s->partitions = xrealloc(s->partitions, s->partition_count + (uint32_t)topic->partition_count,
        sizeof *s->partitions);
    for (int32_t i = 0; i < topic->partition_count; i++)
        s->partitions[s->partition_count++] =
            (struct selection_partition){.topic = s->topic_count, .partition = i};
    s->topic_count++;
    /* The map holds places instead of pointers, since the array moves as it grows. */
    map_put_text(&s->by_name, own->name, (void *)(uintptr_t)s->topic_count);
    return RC_OK;
}

enum rc
selection_init(struct selection *s, struct cluster *cluster, const char *patterns, struct err *e)
{
    const struct cluster_topic *topic;
    size_t position = 0;
    enum rc rc = cluster_refresh(cluster, e);

    memset(s, 0, sizeof *s);
    while (
        rc == RC_OK && (topic = cluster_map_next_topic(cluster_view(cluster), &position)) != NULL)
        if (selection_matches(patterns, topic->name, topic->is_internal))
            rc = topic_add(s, topic, e);
    if (rc == RC_OK && s->topic_count == 0)
        rc = err_set(e, RC_NOTFOUND, "no topic matches %s", patterns);
    if (rc != RC_OK)
        selection_fini(s);
    return rc;
}

enum rc
selection_same(
    struct selection *s, struct cluster *cluster, const struct selection *other, struct err *e)
{
    const char **names = xcalloc(other->topic_count, sizeof *names);
    enum rc rc;

    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < other->topic_count; i++)
        names[i] = other->topics[i].name;
    rc = cluster_refresh_some(cluster, names, other->topic_count, e);
    for (uint32_t i = 0; i < other->topic_count && rc == RC_OK; i++) {
        const struct cluster_topic *topic = cluster_map_topic(cluster_view(cluster), names[i]);

        if (topic == NULL || topic->error != KE_NONE)
            rc = err_set(e, RC_NOTFOUND, "topic %s is not there", names[i]);
        else if (topic->partition_count != other->topics[i].partition_count)
            rc = err_set(e, RC_CONFLICT, "topic %s has %d partitions instead of %d", names[i],
                topic->partition_count, other->topics[i].partition_count);
        else
            rc = topic_add(s, topic, e);
    }
    free(names);
    if (rc != RC_OK)
        selection_fini(s);
    return rc;
}

void
selection_fini(struct selection *s)
{
    for (uint32_t i = 0; i < s->topic_count; i++)
        free(s->topics[i].name);
    free(s->topics);
    free(s->partitions);
    map_fini(&s->by_name, NULL);
    memset(s, 0, sizeof *s);
}

const char *
selection_name(const struct selection *s, uint32_t number)
{
    return s->topics[s->partitions[number].topic].name;
}

uint32_t
selection_find(const struct selection *s, struct wire_string topic, int32_t partition)
{
    uintptr_t place =
        topic.size < 0 ? 0 : (uintptr_t)map_get(&s->by_name, topic.data, (size_t)topic.size);

    if (place == 0 || partition < 0 || partition >= s->topics[place - 1].partition_count)
        return UINT32_MAX;
    return s->topics[place - 1].first + (uint32_t)partition;
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

struct selection_group *
selection_group(const struct selection *s, const uint32_t *items, size_t count, struct arena *arena,
    size_t *group_count)
{
    uint32_t *numbers = arena_dup(arena, items, count * sizeof *items);
    struct selection_group *groups = arena_array(arena, count, sizeof *groups);
    size_t used = 0;

    *group_count = 0;
    if (numbers == NULL || groups == NULL)
        return NULL;
    /* Numbers of one topic follow each other. */
    qsort(numbers, count, sizeof *numbers, by_number);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || s->partitions[numbers[i]].topic != s->partitions[numbers[i - 1]].topic)
            groups[used++] =
                (struct selection_group){selection_name(s, numbers[i]), &numbers[i], 0};
        groups[used - 1].count++;
    }
    *group_count = used;
    return groups;
}

/* --- starts and ends: one ListOffsets round each -------------------------------------------------
 */

struct asking {
    struct selection *selection;
    int64_t timestamp;
    int64_t *stable;  /* read_committed answers go here, where it is not NULL */
    struct err first; /* the first failure */
};

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    struct asking *asking = arg;

    *out = (struct cluster_target){CLUSTER_LEADER, selection_name(asking->selection, item),
        asking->selection->partitions[item].partition};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *asking = arg;
    struct km_list_offsets_request *request = batch->request;
    size_t count = 0;
    struct selection_group *groups =
        selection_group(asking->selection, batch->items, batch->count, batch->arena, &count);

    request->replica_id = -1;
    request->isolation_level = asking->stable != NULL;
    request->topics.items =
        codec_array(batch->arena, &km_list_offsets_request_topic_desc, (int32_t)count);
    for (size_t i = 0; !arena_is_full(batch->arena) && i < count; i++) {
        struct km_list_offsets_request_topic *topic = &request->topics.items[i];

        topic->name = codec_string(groups[i].topic);
        topic->partitions.items = codec_array(
            batch->arena, &km_list_offsets_request_partition_desc, (int32_t)groups[i].count);
        for (size_t k = 0; topic->partitions.items != NULL && k < groups[i].count; k++) {
            topic->partitions.items[k].partition_index =
                asking->selection->partitions[groups[i].numbers[k]].partition;
            topic->partitions.items[k].timestamp = asking->timestamp;
        }
        topic->partitions.count = (int32_t)groups[i].count;
    }
    request->topics.count = (int32_t)count;
    return arena_is_full(batch->arena) ? 0 : batch->count;
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    struct asking *asking = arg;
    const struct km_list_offsets_response *response = batch->response;

    for (int32_t i = 0; i < response->topics.count; i++) {
        const struct km_list_offsets_response_topic_response *topic = &response->topics.items[i];

        for (int32_t k = 0; k < topic->partitions.count; k++) {
            const struct km_list_offsets_response_partition_response *answer =
                &topic->partitions.items[k];
            uint32_t number =
                selection_find(asking->selection, topic->name, answer->partition_index);

            if (!cluster_fan_is_asked(batch->fan, number))
                continue;
            if (asking->stable != NULL)
                asking->stable[number] = answer->offset;
            else if (asking->timestamp == TIMESTAMP_START)
                asking->selection->partitions[number].log_start_offset = answer->offset;
            else
                asking->selection->partitions[number].end_offset = answer->offset;
            cluster_fan_settle(batch->fan, number, answer->error_code);
        }
    }
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct asking *asking = arg;

    if (rc == RC_OK || asking->first.code != RC_OK)
        return;
    if (rc == RC_REMOTE)
        err_set(&asking->first, rc, "offsets of %s-%d: %d %s",
            selection_name(asking->selection, item), asking->selection->partitions[item].partition,
            code, kerr_name(code));
    else
        asking->first = *e;
}

static enum rc
ask(struct asking *asking, struct cluster *cluster, const struct wire_range *versions,
    struct err *e)
{
    struct cluster_fan_spec spec = {.api = frame_api(KM_LIST_OFFSETS),
        .wanted = versions,
        .item_count = asking->selection->partition_count,
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = asking,
        .retries = 3};

    cluster_fan_out(cluster, &spec, NULL);
    if (asking->first.code != RC_OK)
        *e = asking->first;
    return asking->first.code;
}

enum rc
selection_offsets(struct selection *s, struct cluster *cluster, struct err *e)
{
    static const struct wire_range versions = {1, 9};
    struct asking ends = {.selection = s, .timestamp = TIMESTAMP_END};
    struct asking starts = {.selection = s, .timestamp = TIMESTAMP_START};
    enum rc rc = ask(&ends, cluster, &versions, e);

    return rc == RC_OK ? ask(&starts, cluster, &versions, e) : rc;
}

enum rc
selection_stable(struct selection *s, struct cluster *cluster, int64_t *out, struct err *e)
{
    /* With 2 the isolation level came. */
    static const struct wire_range versions = {2, 9};
    struct asking asking = {.selection = s, .timestamp = TIMESTAMP_END, .stable = out};

    return ask(&asking, cluster, &versions, e);
}
