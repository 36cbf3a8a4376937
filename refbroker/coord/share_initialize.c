#include "refbroker/coord/share_initialize.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/share_records.h"

/* How many calls from `from` on are for one topic. */
static size_t
run_of(const struct share_calls *calls, size_t from)
{
    size_t end = from;

    while (end < calls->count && memcmp(&calls->items[end].topic_id, &calls->items[from].topic_id,
                                     sizeof(struct wire_uuid)) == 0)
        end++;
    return end - from;
}

/* What of the calls is still being initialised; the caller ends it. */
static struct share_topics
topics_of(const struct share_calls *calls, const struct share_stages *stages)
{
    int32_t *numbers = xcalloc(calls->count + 1, sizeof *numbers);
    struct share_topics topics = {0};

    for (size_t at = 0, run; at < calls->count; at += run) {
        const struct share_topic *begun =
            share_topics_find(&stages->initializing, &calls->items[at].topic_id);
        int32_t count = 0;

        run = run_of(calls, at);
        for (size_t i = at; begun != NULL && i < at + run; i++)
            if (!calls->items[i].off && share_topic_has(begun, calls->items[i].partition))
                numbers[count++] = calls->items[i].partition;
        if (count > 0)
            share_topics_add(&topics, &begun->topic_id, begun->name, numbers, count);
    }
    free(numbers);
    return topics;
}

void
share_initialize_settle(struct groups *groups, struct share_calls *calls)
{
    struct group *group = groups_find(groups, request_text(calls->group_id));
    struct share_topics topics;
    struct group_records records;

    if (group == NULL || group->share == NULL)
        return;
    topics = topics_of(calls, &group->share->stages);
    if (topics.count > 0) {
        if (share_calls_error(calls) == KE_NONE)
            share_stages_complete(&group->share->stages, &topics);
        else
            share_stages_withdraw(&group->share->stages, &topics);
        group_records_init(&records);
        share_records_stages(&records, group->share);
        group_records_append_unasked(&records, groups, group->group_id);
        group_records_fini(&records);
    }
    share_topics_fini(&topics);
}

void
share_initialize(struct group *group, const struct share_topics *begun)
{
    struct share_calls *calls;

    if (begun->count == 0)
        return;
    calls = share_calls_new(group, SHARE_CALLS_INITIALIZE, share_initialize_settle, NULL);
    for (size_t i = 0; i < begun->count; i++)
        share_calls_add_topic(calls, &begun->items[i]);
    share_calls_send(calls);
}
