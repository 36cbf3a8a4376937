#include "refbroker/coord/streams_update.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/coord/group_member.h"
#include "refbroker/coord/text_set.h"

#define NUMBER_BYTES 24

static struct broker *
broker_of(const struct streams_group *streams)
{
    return streams->group->groups->broker;
}

/* --- who goes ------------------------------------------------------------------------------------
 */

void
streams_update_fence(struct streams_member *member, struct group_records *records)
{
    struct streams_group *streams = member->streams;

    streams_records_member_gone(records, streams->group->group_id, member->member_id);
    streams_member_remove(member);
    streams->epoch++;
    streams_records_epoch(records, streams);
}

/* --- time ----------------------------------------------------------------------------------------
 */

static void
timer_set(struct streams_group *streams, struct group_timer *timer, int64_t timeout_ms,
    void (*due)(struct groups *groups, struct group_timer *timer))
{
    timer->due = due;
    groups_timer_set(
        streams->group->groups, timer, env_now_ms(broker_of(streams)->env) + timeout_ms);
}

/* Takes a member out on a timer, and records that by itself. */
static void
fence_late(struct groups *groups, struct streams_member *member, const char *why)
{
    const char *group_id = member->streams->group->group_id;
    struct group_records records;

    log_info("GROUP-SESSION", "streams group %s: %s %s", group_id, member->member_id, why);
    group_records_init(&records);
    streams_update_fence(member, &records);
    group_records_append_unasked(&records, groups, group_id);
    group_records_fini(&records);
}

static void
session_over(struct groups *groups, struct group_timer *timer)
{
    fence_late(groups, list_of(timer, struct streams_member, session),
        "was not heard of for its session timeout");
}

static void
rebalance_over(struct groups *groups, struct group_timer *timer)
{
    struct streams_member *member = list_of(timer, struct streams_member, rebalance);

    if (member->epoch == member->rebalance_epoch)
        fence_late(groups, member, "did not give up its tasks within its rebalance timeout");
}

void
streams_member_touch(struct streams_member *member)
{
    timer_set(member->streams, &member->session,
        group_configs_session_timeout_ms(member->streams->group), session_over);
}

void
streams_member_watch(struct streams_member *member)
{
    if (member->state != STREAMS_UNREVOKED) {
        groups_timer_clear(member->streams->group->groups, &member->rebalance);
        return;
    }
    member->rebalance_epoch = member->epoch;
    timer_set(member->streams, &member->rebalance, member->rebalance_timeout_ms, rebalance_over);
}

/* The end of the first rebalance's delay. Without topics that were looked at since the start (or
 * since the group was made) the next heartbeat makes the target, as in Kafka. */
static void
delay_over(struct groups *groups, struct group_timer *timer)
{
    struct streams_group *streams = list_of(timer, struct streams_group, delay);
    struct group_records records;

    if (map_count(&streams->members) == 0 || streams->epoch <= streams->target_epoch ||
        !streams->is_configured || !group_configs_may_assign(streams->group, streams->target_ms))
        return;
    group_records_init(&records);
    streams_target_make(streams, &records);
    group_records_append_unasked(&records, groups, streams->group->group_id);
    group_records_fini(&records);
}

static void
delay_begin(struct streams_group *streams)
{
    int64_t delay_ms = group_configs_streams_delay_ms(streams->group);

    if (delay_ms > 0 && streams->delay.node.place == 0)
        timer_set(streams, &streams->delay, delay_ms, delay_over);
}

/* --- a member's update ---------------------------------------------------------------------------
 */

static bool
process_update(struct streams_member *member, struct wire_string process_id)
{
    if (process_id.size < 0 || request_is_text(process_id, member->process_id))
        return false;
    streams_member_set_process(member, process_id);
    return true;
}

static bool
endpoint_update(struct streams_member *member,
    const struct km_streams_group_heartbeat_request_endpoint *endpoint)
{
    bool changed;

    if (endpoint == NULL)
        return false;
    changed = text_replace(&member->endpoint_host, endpoint->host);
    changed = changed || member->endpoint_port != endpoint->port;
    member->endpoint_port = endpoint->port;
    return changed;
}

static bool
tags_update(struct streams_member *member, struct text_pairs *tags_take)
{
    if (tags_take == NULL || text_pairs_equal(&member->tags, tags_take))
        return false;
    text_pairs_move(&member->tags, tags_take);
    return true;
}

static bool
number_update(int32_t *number, int32_t told)
{
    if (told == -1 || told == *number)
        return false;
    *number = told;
    return true;
}

/* True where something is not as before. */
static bool
traits_update(struct streams_member *member, const struct streams_update *update)
{
    bool changed = text_replace(&member->client_id, update->client_id);

    changed = text_replace(&member->client_host, request_text(update->client_host)) || changed;
    if (update->rack_id.size >= 0)
        changed = text_replace(&member->rack_id, update->rack_id) || changed;
    changed = number_update(&member->rebalance_timeout_ms, update->rebalance_timeout_ms) || changed;
    changed = number_update(&member->topology_epoch, update->topology_epoch) || changed;
    changed = process_update(member, update->process_id) || changed;
    changed = endpoint_update(member, update->endpoint) || changed;
    return tags_update(member, update->tags_take) || changed;
}

/* The settings by which targets are made now. */
static struct text_pairs
settings_now(const struct streams_group *streams)
{
    struct text_pairs settings = {NULL, 0};
    char number[NUMBER_BYTES];
    struct err e;

    snprintf(number, sizeof number, "%" PRId64, group_configs_streams_standbys(streams->group));
    REQUIRE(text_pairs_add(&settings, request_text(STREAMS_SETTING_STANDBYS), request_text(number),
                &e) == RC_OK);
    return settings;
}

/* Raises the epoch where asked to, or where what it was made of has changed. */
static void
epoch_update(
    struct streams_group *streams, bool raise, uint64_t hash, struct group_records *records)
{
    struct text_pairs settings = settings_now(streams);
    int32_t validated =
        streams_group_is_ready(streams) ? streams->topology->value.epoch : STREAMS_EPOCH_NOWHERE;

    raise = raise || hash != streams->metadata_hash || validated != streams->validated_epoch ||
            !text_pairs_equal(&settings, &streams->settings);
    if (raise) {
        streams->epoch++;
        streams->metadata_hash = hash;
        streams->validated_epoch = validated;
        text_pairs_move(&streams->settings, &settings);
        broker_of(streams)->stats.rebalances_total++;
        streams_records_epoch(records, streams);
    }
    text_pairs_fini(&settings);
}

/* A new target, where it is time for one. */
static enum streams_delay
target_update(struct streams_group *streams, struct group_records *records)
{
    if (streams->delay.node.place != 0)
        return STREAMS_DELAY_FIRST;
    if (streams->target_epoch >= streams->epoch)
        return STREAMS_DELAY_NONE;
    if (!group_configs_may_assign(streams->group, streams->target_ms))
        return STREAMS_DELAY_INTERVAL;
    streams_target_make(streams, records);
    return STREAMS_DELAY_NONE;
}

enum streams_delay
streams_update_apply(
    struct streams_member *member, struct streams_update *update, struct group_records *records)
{
    static const struct streams_assignment nothing;
    struct streams_group *streams = member->streams;
    bool was_empty = member->is_new && map_count(&streams->members) == 1;
    bool changed = traits_update(member, update);
    enum streams_delay delay;

    if (changed)
        streams_records_member(records, member);
    if (update->topology_take != NULL) {
        streams_group_set_topology(streams, update->topology_take);
        streams_records_topology(records, streams);
    }
    if (update->topics_take != NULL)
        streams_group_configure(streams, update->topics_take);
    streams->topics_seen = broker_of(streams)->topics.version;
    epoch_update(streams, changed, update->metadata_hash, records);
    if (was_empty)
        delay_begin(streams);
    delay = target_update(streams, records);
    if (streams_reconcile(
            member, delay == STREAMS_DELAY_FIRST ? &nothing : &member->target, update->owned)) {
        streams_records_current(records, member);
        streams_member_watch(member);
    }
    return delay;
}

void
streams_update_classic(struct group *group, struct group_records *records)
{
    group_records_group_gone(records, group->group_id);
    group_classic_forget(group);
    (void)streams_group_attach(group);
    log_info("GROUP-MIGRATE", "group %s is a streams group now", group->group_id);
}
