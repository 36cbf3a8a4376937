#include "refbroker/coord/share_delete.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/group_expiry.h"
#include "refbroker/coord/share_records.h"

/* --- a group -------------------------------------------------------------------------------------
 */

struct deletion {
    struct group_answer *answer;
    int32_t part;
};

static void
group_finish(struct groups *groups, struct share_calls *calls)
{
    struct group *group = groups_find(groups, request_text(calls->group_id));
    struct deletion *deletion = calls->arg;
    int16_t error = share_calls_error(calls);
    struct group_records records;

    /* Somebody may have come meanwhile. */
    if (error == KE_NONE)
        error = group == NULL ? KE_GROUP_ID_NOT_FOUND : group_expiry_delete_check(group);
    if (error == KE_NONE) {
        group_records_init(&records);
        group_expiry_delete(group, &records);
        group_answer_add(deletion->answer, calls->group_id, deletion->part, &records);
        group_records_fini(&records);
    } else {
        group_answer_refuse(deletion->answer, deletion->part, error);
    }
    group_answer_release(deletion->answer);
    free(deletion);
}

static void
calls_add_all(struct share_calls *calls, const struct topic *topic)
{
    for (int32_t i = 0; i < topic->partition_count; i++)
        share_calls_add(calls, &topic->topic_id, i, SHARE_OFFSET_UNKNOWN);
}

static void
calls_add_topics(struct share_calls *calls, const struct share_topics *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        share_calls_add_topic(calls, &topics->items[i]);
}

void
share_delete_group(struct group *group, struct group_answer *answer, int32_t part)
{
    struct share_stages *stages = &group->share->stages;
    struct deletion *deletion = xcalloc(1, sizeof *deletion);
    struct share_calls *calls = share_calls_new(group, SHARE_CALLS_DELETE, group_finish, deletion);
    struct group_records records;

    *deletion = (struct deletion){answer, part};
    group_answer_hold(answer);
    calls_add_topics(calls, &stages->initialized);
    calls_add_topics(calls, &stages->initializing);
    /* An earlier deletion may not have come through. */
    for (size_t i = 0; i < stages->deleting.count; i++) {
        const struct topic *topic =
            topics_find_id(&group->groups->broker->topics, &stages->deleting.items[i].topic_id);

        if (topic != NULL)
            calls_add_all(calls, topic);
    }
    if (stages->exists) {
        share_stages_delete_all(stages);
        group_records_init(&records);
        share_records_stages(&records, group->share);
        group_records_append_unasked(&records, group->groups, group->group_id);
        group_records_fini(&records);
    }
    share_calls_send(calls);
}

/* --- topics of a group ---------------------------------------------------------------------------
 */

bool
share_delete_topic(struct share_group *share, const struct topic *topic, struct share_calls *calls)
{
    const struct share_topic *done =
        share_topics_find(&share->stages.initialized, &topic->topic_id);

    if (done != NULL) {
        share_calls_add_topic(calls, done);
        share_stages_delete(&share->stages, &topic->topic_id);
        return true;
    }
    if (share_topics_find(&share->stages.deleting, &topic->topic_id) == NULL)
        return false;
    calls_add_all(calls, topic);
    return true;
}

void
share_delete_complete(struct share_group *share, const struct wire_uuid *topic_id)
{
    (void)share_topics_remove(&share->stages.deleting, topic_id);
}
