#include "refbroker/coord/share_update.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/coord/java_hash.h"
#include "refbroker/coord/topics_hash.h"

/* offsets.commit.timeout.ms of Kafka. */
#define RETRY_INTERVAL_MIN_MS 5000

static struct broker *
broker_of(const struct share_group *share)
{
    return share->group->groups->broker;
}

/* --- the group's epoch ---------------------------------------------------------------------------
 */

/* Raises the epoch where asked to, or where the topics that the group reads have changed. */
static bool
epoch_update(struct share_group *share, bool raise, struct group_records *records)
{
    const struct topics *topics = &broker_of(share)->topics;
    uint64_t hash = topics_hash_of(topics, &share->readers);

    share->topics_seen = topics->version;
    if (!raise && hash == share->metadata_hash)
        return false;
    share->epoch++;
    share->metadata_hash = hash;
    broker_of(share)->stats.rebalances_total++;
    share_records_epoch(records, share);
    return true;
}

/* --- who goes ------------------------------------------------------------------------------------
 */

void
share_update_fence(struct share_member *member, struct group_records *records)
{
    struct share_group *share = member->share;

    share_records_member_gone(records, share->group->group_id, member->member_id);
    share_member_remove(member);
    (void)epoch_update(share, true, records);
}

static void
session_over(struct groups *groups, struct group_timer *timer)
{
    struct share_member *member = list_of(timer, struct share_member, session);
    const char *group_id = member->share->group->group_id;
    struct group_records records;

    log_info("GROUP-SESSION", "share group %s: %s was not heard of for its session timeout",
        group_id, member->member_id);
    group_records_init(&records);
    share_update_fence(member, &records);
    group_records_append_unasked(&records, groups, group_id);
    group_records_fini(&records);
}

void
share_member_touch(struct share_member *member)
{
    struct group *group = member->share->group;

    member->session.due = session_over;
    groups_timer_set(group->groups, &member->session,
        env_now_ms(broker_of(member->share)->env) + group_configs_session_timeout_ms(group));
}

/* --- a member's update ---------------------------------------------------------------------------
 */

static bool
traits_update(struct share_member *member, const struct share_update *update)
{
    bool changed = text_replace(&member->client_id, update->client_id);

    changed = text_replace(&member->client_host, request_text(update->client_host)) || changed;
    if (update->rack_id.size >= 0)
        changed = text_replace(&member->rack_id, update->rack_id) || changed;
    return changed;
}

static bool
topics_update(struct share_member *member, const struct share_update *update)
{
    struct text_set topics;
    bool changed;

    if (update->topic_count < 0)
        return false;
    topics = text_set_from(update->topics, update->topic_count);
    changed = !text_set_equal(&topics, &member->topics);
    share_member_read(member, &topics);
    return changed;
}

/* Up to the group's epoch; tells whether that was raised. */
static bool
subscribe(
    struct share_member *member, const struct share_update *update, struct group_records *records)
{
    struct share_group *share = member->share;
    /* Whether something waits to be assigned is asked of the group as it was. */
    bool unassigned = share->target_epoch >= share->epoch && share_group_is_unassigned(share);
    bool traits = traits_update(member, update), topics = topics_update(member, update);

    if (traits || topics)
        share_records_member(records, member);
    if (!topics && !unassigned && share->topics_seen == broker_of(share)->topics.version)
        return false;
    return epoch_update(share, topics || unassigned, records);
}

static bool
is_read(const struct share_member *member, const struct wire_uuid *topic_id)
{
    const struct topic *topic = topics_find_id(&broker_of(member->share)->topics, topic_id);

    return topic != NULL && text_set_has(&member->topics, topic->name);
}

/* What of its target a member gets: topics that it reads. Kafka makes a copy of the table where
 * there is anything else in it. */
static struct share_parts
target_filter(const struct share_member *member)
{
    const struct share_parts *target = &member->target;
    struct share_parts kept = {0};

    for (size_t i = 0; i < target->count; i++) {
        size_t place;

        if (!is_read(member, &target->topics[i].topic_id))
            continue;
        place = share_parts_topic_add(&kept, &target->topics[i].topic_id);
        for (int32_t k = 0; k < target->topics[i].partition_count; k++)
            share_parts_add(&kept, place, target->topics[i].partitions[k]);
    }
    if (kept.count < target->count)
        share_parts_order(&kept, java_hash_reserved((size_t)((float)target->count / 0.75f + 1.0f)));
    return kept;
}

static bool
reconcile(struct share_member *member, bool raised, struct group_records *records)
{
    int32_t epoch = member->share->target_epoch;
    struct share_parts kept;
    bool changed;

    if (!raised && member->epoch == epoch)
        return false;
    kept = target_filter(member);
    changed = !share_parts_same(&member->assigned, &kept);
    share_parts_move(&member->assigned, &kept);
    member->unsettled = true;
    if (member->epoch != epoch) {
        member->previous_epoch = member->epoch;
        member->epoch = epoch;
        share_records_current(records, member);
    } else if (changed) {
        share_records_current(records, member);
    }
    return changed;
}

bool
share_update_apply(
    struct share_member *member, const struct share_update *update, struct group_records *records)
{
    struct share_group *share = member->share;
    bool raised = subscribe(member, update, records);

    if (share->target_epoch < share->epoch &&
        group_configs_may_assign(share->group, share->target_ms))
        share_target_make(share, member, records);
    return reconcile(member, raised, records);
}

void
share_update_settle(struct share_member *member)
{
    if (!member->unsettled)
        return;
    member->unsettled = false;
    share_parts_replay(&member->target);
    share_parts_replay(&member->assigned);
}

/* --- partitions to initialise --------------------------------------------------------------------
 */

static void
topic_begin(const struct share_group *share, const struct topic *topic, bool retry,
    struct share_topics *begun)
{
    const struct share_topic *done =
        share_topics_find(&share->stages.initialized, &topic->topic_id);
    const struct share_topic *begins =
        retry ? NULL : share_topics_find(&share->stages.initializing, &topic->topic_id);
    int32_t *missing, count = 0;

    if (done != NULL && done->partition_count >= topic->partition_count)
        return;
    missing = xcalloc((size_t)topic->partition_count + 1, sizeof *missing);
    for (int32_t i = 0; i < topic->partition_count; i++)
        if ((done == NULL || !share_topic_has(done, i)) &&
            (begins == NULL || !share_topic_has(begins, i)))
            missing[count++] = i;
    if (count > 0)
        share_topics_add(begun, &topic->topic_id, topic->name, missing, count);
    free(missing);
}

/* As Kafka has it, a retry does not come before a commit of offsets would be given up. */
static bool
is_retry(const struct share_group *share)
{
    const struct group_settings *settings = &broker_of(share)->options.groups;
    int64_t interval_ms = settings->share_initialize_retry_interval_ms;

    if (interval_ms < RETRY_INTERVAL_MIN_MS)
        interval_ms = RETRY_INTERVAL_MIN_MS;
    return env_wall_ms(broker_of(share)->env) - share->stages.recorded_ms >= interval_ms;
}

void
share_update_initialize(
    struct share_group *share, struct share_topics *begun, struct group_records *records)
{
    const struct topics *topics = &broker_of(share)->topics;
    size_t position = 0, size;
    bool retry = is_retry(share);
    const void *name;

    while (map_next(&share->readers, &position, &name, &size) != NULL) {
        const struct topic *topic = topics_find(topics, name, size);

        if (topic != NULL)
            topic_begin(share, topic, retry, begun);
    }
    if (begun->count == 0)
        return;
    share_stages_begin(&share->stages, begun);
    share_records_stages(records, share);
}

/* --- topics that go ------------------------------------------------------------------------------
 */

void
share_update_topic_gone(struct groups *groups, const struct wire_uuid *topic_id)
{
    struct group_records records;
    struct group *group;
    size_t at = 0;

    while ((group = groups_next(groups, &at)) != NULL) {
        if (group->share == NULL || !share_stages_forget(&group->share->stages, topic_id))
            continue;
        group_records_init(&records);
        share_records_stages(&records, group->share);
        group_records_append_unasked(&records, groups, group->group_id);
        group_records_fini(&records);
    }
}
