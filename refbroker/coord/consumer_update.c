#include "refbroker/coord/consumer_update.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "refbroker/coord/consumer_migrate.h"
#include "refbroker/coord/group_configs.h"
#include "refbroker/coord/topic_pattern.h"

/* Kafka's REGEX_BATCH_REFRESH_MIN_INTERVAL_MS. */
#define RESOLVE_INTERVAL_MIN_MS 10000

static struct broker *
broker_of(const struct consumer_group *consumer)
{
    return consumer->group->groups->broker;
}

/* --- time ----------------------------------------------------------------------------------------
 */

static void
timer_set(struct consumer_member *member, struct group_timer *timer, int64_t timeout_ms,
    void (*due)(struct groups *groups, struct group_timer *timer))
{
    struct groups *groups = member->consumer->group->groups;

    timer->due = due;
    groups_timer_set(groups, timer, env_now_ms(groups->broker->env) + timeout_ms);
}

/* Takes a member out on a timer, and records that by itself. */
static void
fence_late(struct consumer_member *member, const char *why)
{
    struct groups *groups = member->consumer->group->groups;
    char *group_id = xstrdup(member->consumer->group->group_id);
    struct group_records records;

    log_info("GROUP-SESSION", "group %s: %s %s", group_id, member->member_id, why);
    group_records_init(&records);
    consumer_update_fence(member->consumer, &member, 1, &records);
    group_records_append_unasked(&records, groups, group_id);
    group_records_fini(&records);
    free(group_id);
}

static void
session_over(struct groups *groups, struct group_timer *timer)
{
    (void)groups;
    fence_late(list_of(timer, struct consumer_member, session),
        "was not heard of for its session timeout");
}

static void
rebalance_over(struct groups *groups, struct group_timer *timer)
{
    struct consumer_member *member = list_of(timer, struct consumer_member, rebalance);

    (void)groups;
    if (member->classic != NULL)
        fence_late(member, "did not join within its rebalance timeout");
    else if (member->epoch == member->rebalance_epoch)
        fence_late(member, "did not give up its partitions within its rebalance timeout");
}

static void
sync_over(struct groups *groups, struct group_timer *timer)
{
    (void)groups;
    fence_late(
        list_of(timer, struct consumer_member, sync), "did not sync within its rebalance timeout");
}

void
consumer_member_touch(struct consumer_member *member)
{
    timer_set(member, &member->session,
        member->classic != NULL ? member->classic->session_timeout_ms
                                : group_configs_session_timeout_ms(member->consumer->group),
        session_over);
}

void
consumer_member_watch(struct consumer_member *member)
{
    if (member->classic != NULL)
        return;
    if (member->state != MEMBER_UNREVOKED) {
        groups_timer_clear(member->consumer->group->groups, &member->rebalance);
        return;
    }
    member->rebalance_epoch = member->epoch;
    timer_set(member, &member->rebalance, member->rebalance_timeout_ms, rebalance_over);
}

void
consumer_member_must_join(struct consumer_member *member)
{
    if (member->rebalance.node.place == 0)
        timer_set(member, &member->rebalance, member->rebalance_timeout_ms, rebalance_over);
}

void
consumer_member_must_sync(struct consumer_member *member)
{
    timer_set(member, &member->sync, member->rebalance_timeout_ms, sync_over);
}

void
consumer_member_did_join(struct consumer_member *member)
{
    groups_timer_clear(member->consumer->group->groups, &member->rebalance);
}

void
consumer_member_did_sync(struct consumer_member *member)
{
    groups_timer_clear(member->consumer->group->groups, &member->sync);
}

/* --- patterns ------------------------------------------------------------------------------------
 */

static struct text_set
pattern_match(const struct topics *topics, const char *text)
{
    struct text_set found = {NULL, 0};
    struct wire_string *names = NULL;
    const char *why;
    struct topic_pattern *pattern = topic_pattern_new(text, strlen(text), &why);
    const struct topic *topic;
    size_t position = 0, count = 0, capacity = 0;

    while (pattern != NULL && (topic = topics_next(topics, &position)) != NULL) {
        if (!topic_pattern_matches(pattern, topic->name))
            continue;
        if (count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            names = xrealloc(names, capacity, sizeof *names);
        }
        names[count++] = request_text(topic->name);
    }
    found = text_set_from(names, (int32_t)count);
    free(names);
    topic_pattern_free(pattern);
    return found;
}

/* Matches one pattern anew, and tells whether that changed what it matches. */
static bool
pattern_resolve(struct consumer_group *consumer, const char *text, struct group_records *records)
{
    const struct topics *topics = &broker_of(consumer)->topics;
    const struct consumer_pattern *old = consumer_group_pattern(consumer, text);
    struct text_set found = pattern_match(topics, text);
    bool changed = old == NULL ? found.count > 0 : !text_set_equal(&old->topics, &found);

    consumer_group_resolve(
        consumer, text, &found, (int64_t)topics->version, env_wall_ms(broker_of(consumer)->env));
    consumer_records_pattern(records, consumer, consumer_group_pattern(consumer, text));
    return changed;
}

/* Raises the epoch where asked to, or where the topics that the group reads have changed. */
static void
epoch_update(struct consumer_group *consumer, bool raise, struct group_records *records)
{
    uint64_t hash = consumer_group_hash(consumer);

    consumer->topics_seen = broker_of(consumer)->topics.version;
    if (!raise && hash == consumer->metadata_hash)
        return;
    consumer->epoch++;
    consumer->metadata_hash = hash;
    broker_of(consumer)->stats.rebalances_total++;
    consumer_records_epoch(records, consumer);
}

/* Matches all patterns of a group; members see the result with their next heartbeats. */
static void
resolve(struct groups *groups, struct group_timer *timer)
{
    struct consumer_group *consumer = list_of(timer, struct consumer_group, resolve);
    struct group_records records;
    size_t position = 0, size;
    const void *text;
    bool changed = false;

    consumer->topics_matched = groups->broker->topics.created;
    group_records_init(&records);
    while (map_next(&consumer->subscribers, &position, &text, &size) != NULL) {
        char *copy = xmemdup(text, size);

        changed = pattern_resolve(consumer, copy, &records) || changed;
        free(copy);
    }
    epoch_update(consumer, changed, &records);
    group_records_append_unasked(&records, groups, consumer->group->group_id);
    group_records_fini(&records);
}

/* Patterns are matched when one is new, when topics have come, and now and then; at most every ten
 * seconds, all of a group together. */
static void
resolve_when_due(struct consumer_group *consumer, bool wanted)
{
    struct broker *broker = broker_of(consumer);
    const struct consumer_pattern *any;
    int64_t now = env_wall_ms(broker->env), last = INT64_MIN / 2;
    size_t position = 0;

    if (map_count(&consumer->subscribers) == 0 || consumer->resolve.node.place != 0)
        return;
    any = map_next(&consumer->patterns, &position, NULL, NULL);
    if (any != NULL)
        last = any->resolved_ms;
    if (now <= last + RESOLVE_INTERVAL_MIN_MS)
        return;
    wanted = wanted || map_count(&consumer->subscribers) != map_count(&consumer->patterns) ||
             consumer->topics_matched != broker->topics.created ||
             now > last + broker->options.groups.consumer_regex_refresh_ms;
    if (!wanted)
        return;
    consumer->resolve.due = resolve;
    groups_timer_set(consumer->group->groups, &consumer->resolve, env_now_ms(broker->env));
}

static bool
is_pattern(const char *text)
{
    return text != NULL && *text != '\0';
}

enum regex_change { REGEX_SAME, REGEX_CHANGED, REGEX_CHANGED_AND_RESOLVED };

/* Sets what pattern a member has; the record of the member follows elsewhere. */
static enum regex_change
regex_update(struct consumer_member *member, struct wire_string regex,
    struct group_records *records, bool *wanted)
{
    struct consumer_group *consumer = member->consumer;
    bool had = is_pattern(member->regex);

    *wanted = false;
    if (regex.size < 0 || (member->regex != NULL && request_is_text(regex, member->regex)))
        return REGEX_SAME;
    if (had && consumer_group_subscribers(consumer, member->regex) == 1) {
        consumer_records_pattern_gone(records, consumer->group->group_id, member->regex);
        consumer_group_resolve(consumer, member->regex, NULL, 0, 0);
    }
    consumer_member_set_regex(member, regex);
    if (!is_pattern(member->regex))
        return had ? REGEX_CHANGED_AND_RESOLVED : REGEX_CHANGED;
    if (consumer_group_subscribers(consumer, member->regex) == 1)
        *wanted = true;
    else if (consumer_group_pattern(consumer, member->regex) != NULL)
        return REGEX_CHANGED_AND_RESOLVED;
    return REGEX_CHANGED;
}

/* --- a member's update ---------------------------------------------------------------------------
 */

static bool
classic_equal(const struct consumer_classic *a, const struct consumer_classic *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->session_timeout_ms != b->session_timeout_ms || a->protocol_count != b->protocol_count)
        return false;
    for (int32_t i = 0; i < a->protocol_count; i++)
        if (strcmp(a->protocols[i].name, b->protocols[i].name) != 0 ||
            a->protocols[i].metadata_size != b->protocols[i].metadata_size ||
            memcmp(a->protocols[i].metadata, b->protocols[i].metadata,
                (size_t)a->protocols[i].metadata_size) != 0)
            return false;
    return true;
}

/* Everything but topics and pattern; true where something is not as before. */
static bool
traits_update(struct consumer_member *member, struct consumer_update *update)
{
    bool changed = false;

    if (update->instance_id.size >= 0 &&
        (member->instance_id == NULL ||
            !request_is_text(update->instance_id, member->instance_id))) {
        consumer_member_set_instance(member, update->instance_id);
        changed = true;
    }
    if (update->rack_id.size >= 0)
        changed = text_replace(&member->rack_id, update->rack_id) || changed;
    if (update->assignor.size >= 0)
        changed = text_replace(&member->assignor, update->assignor) || changed;
    changed = text_replace(&member->client_id, update->client_id) || changed;
    changed = text_replace(&member->client_host, request_text(update->client_host)) || changed;
    if (update->rebalance_timeout_ms != -1 &&
        update->rebalance_timeout_ms != member->rebalance_timeout_ms) {
        member->rebalance_timeout_ms = update->rebalance_timeout_ms;
        changed = true;
    }
    changed = !classic_equal(member->classic, update->classic_take) || changed;
    consumer_member_set_classic(member, update->classic_take);
    update->classic_take = NULL;
    return changed;
}

static bool
topics_update(struct consumer_member *member, const struct consumer_update *update)
{
    struct text_set topics;
    bool changed;

    if (update->topic_count < 0)
        return false;
    topics = text_set_from(update->topics, update->topic_count);
    changed = !text_set_equal(&topics, &member->topics);
    consumer_member_read(member, &topics);
    return changed;
}

bool
consumer_update_subscribe(
    struct consumer_member *member, struct consumer_update *update, struct group_records *records)
{
    struct consumer_group *consumer = member->consumer;
    bool is_new = member->epoch == CONSUMER_EPOCH_JOIN;
    bool is_classic = update->classic_take != NULL;
    bool traits = traits_update(member, update);
    bool topics = topics_update(member, update), wanted;
    enum regex_change regex = regex_update(member, update->regex, records, &wanted);
    bool raise;

    if (is_new || traits || topics || regex != REGEX_SAME)
        consumer_records_member(records, member);
    resolve_when_due(consumer, wanted);
    raise = topics || regex == REGEX_CHANGED_AND_RESOLVED || (is_classic && regex != REGEX_SAME);
    if (raise || consumer->topics_seen != broker_of(consumer)->topics.version)
        epoch_update(consumer, raise, records);
    return topics || regex != REGEX_SAME;
}

void
consumer_update_settle(struct consumer_member *member, const struct topic_parts *owned,
    bool changed, struct group_records *records)
{
    struct consumer_group *consumer = member->consumer;

    if (consumer->target_epoch < consumer->epoch &&
        group_configs_may_assign(consumer->group, consumer->target_ms))
        consumer_target_make(consumer, member, records);
    if (!consumer_reconcile(member, owned, changed))
        return;
    consumer_records_current(records, member);
    consumer_member_watch(member);
}

void
consumer_update_apply(
    struct consumer_member *member, struct consumer_update *update, struct group_records *records)
{
    bool changed = consumer_update_subscribe(member, update, records);

    consumer_update_settle(member, update->owned, changed, records);
}

/* --- who goes ------------------------------------------------------------------------------------
 */

void
consumer_update_take_out(struct consumer_member *member, struct group_records *records)
{
    struct consumer_group *consumer = member->consumer;
    char *regex = is_pattern(member->regex) ? xstrdup(member->regex) : NULL;

    consumer_records_member_gone(records, consumer->group->group_id, member->member_id);
    consumer_member_remove(member);
    if (regex != NULL && consumer_group_subscribers(consumer, regex) == 0) {
        consumer_records_pattern_gone(records, consumer->group->group_id, regex);
        consumer_group_resolve(consumer, regex, NULL, 0, 0);
    }
    free(regex);
}

void
consumer_update_fence(struct consumer_group *consumer, struct consumer_member **members,
    size_t count, struct group_records *records)
{
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        members[i]->leaving = true;
    if (consumer_migrate_down_when_left(consumer, members, count, records))
        return;
    for (size_t i = 0; i < count; i++)
        consumer_update_take_out(members[i], records);
    epoch_update(consumer, true, records);
}
