#include "refbroker/coord/consumer_group.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "refbroker/coord/assignor.h"
#include "refbroker/coord/topics_hash.h"

/* How often a topic is named. */
struct reader_count {
    size_t by_name;
    size_t by_pattern;
};

/* The key of the map of owners. */
struct owner_key {
    struct wire_uuid topic_id;
    int32_t partition;
};

/* --- the group -----------------------------------------------------------------------------------
 */

struct consumer_group *
consumer_group_attach(struct group *group)
{
    struct consumer_group *consumer = xcalloc(1, sizeof *consumer);

    consumer->group = group;
    consumer->epoch = consumer->target_epoch = CONSUMER_EPOCH_FIRST;
    map_init(&consumer->members);
    map_init(&consumer->statics);
    map_init(&consumer->owners);
    map_init(&consumer->readers);
    map_init(&consumer->patterns);
    map_init(&consumer->subscribers);
    group->consumer = consumer;
    return consumer;
}

static void
pattern_free(void *value)
{
    struct consumer_pattern *pattern = value;

    text_set_fini(&pattern->topics);
    free(pattern->text);
    free(pattern);
}

void
consumer_group_detach(struct group *group)
{
    struct consumer_group *consumer = group->consumer;
    struct consumer_member *member;
    size_t position = 0;

    if (consumer == NULL)
        return;
    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        consumer_member_remove(member);
    groups_timer_clear(group->groups, &consumer->resolve);
    map_fini(&consumer->members, NULL);
    map_fini(&consumer->statics, NULL);
    map_fini(&consumer->owners, NULL);
    map_fini(&consumer->readers, free);
    map_fini(&consumer->patterns, pattern_free);
    map_fini(&consumer->subscribers, NULL);
    free(consumer);
    group->consumer = NULL;
}

const char *
consumer_group_state(const struct consumer_group *consumer)
{
    const struct consumer_member *member;
    size_t position = 0;

    if (map_count(&consumer->members) == 0)
        return "Empty";
    if (consumer->epoch > consumer->target_epoch)
        return "Assigning";
    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        if (member->state != MEMBER_STABLE || member->epoch != consumer->target_epoch)
            return "Reconciling";
    return "Stable";
}

/* --- who reads what ------------------------------------------------------------------------------
 */

static void
readers_add(struct consumer_group *consumer, const struct text_set *topics, bool by_pattern)
{
    for (size_t i = 0; i < topics->count; i++) {
        struct reader_count *count = map_get_text(&consumer->readers, topics->items[i]);

        if (count == NULL) {
            count = xcalloc(1, sizeof *count);
            map_put_text(&consumer->readers, topics->items[i], count);
        }
        *(by_pattern ? &count->by_pattern : &count->by_name) += 1;
    }
}

static void
readers_take(struct consumer_group *consumer, const struct text_set *topics, bool by_pattern)
{
    for (size_t i = 0; i < topics->count; i++) {
        struct reader_count *count = map_get_text(&consumer->readers, topics->items[i]);

        *(by_pattern ? &count->by_pattern : &count->by_name) -= 1;
        if (count->by_name + count->by_pattern == 0)
            free(map_remove_text(&consumer->readers, topics->items[i]));
    }
}

void
consumer_member_read(struct consumer_member *member, struct text_set *topics_take)
{
    readers_take(member->consumer, &member->topics, false);
    text_set_fini(&member->topics);
    member->topics = *topics_take;
    *topics_take = (struct text_set){NULL, 0};
    readers_add(member->consumer, &member->topics, false);
}

size_t
consumer_group_subscribers(const struct consumer_group *consumer, const char *text)
{
    return (size_t)(uintptr_t)map_get_text(&consumer->subscribers, text);
}

static void
subscribers_set(struct consumer_group *consumer, const char *text, size_t count)
{
    if (count == 0)
        map_remove_text(&consumer->subscribers, text);
    else
        map_put_text(&consumer->subscribers, text, (void *)(uintptr_t)count);
}

static void
regex_leave(struct consumer_member *member)
{
    if (member->regex != NULL && *member->regex != '\0')
        subscribers_set(member->consumer, member->regex,
            consumer_group_subscribers(member->consumer, member->regex) - 1);
}

void
consumer_member_set_regex(struct consumer_member *member, struct wire_string regex)
{
    regex_leave(member);
    (void)text_replace(&member->regex, regex);
    if (member->regex != NULL && *member->regex != '\0')
        subscribers_set(member->consumer, member->regex,
            consumer_group_subscribers(member->consumer, member->regex) + 1);
}

struct consumer_pattern *
consumer_group_pattern(const struct consumer_group *consumer, const char *text)
{
    return map_get_text(&consumer->patterns, text);
}

void
consumer_group_resolve(struct consumer_group *consumer, const char *text,
    struct text_set *topics_take, int64_t version, int64_t resolved_ms)
{
    struct consumer_pattern *old = map_get_text(&consumer->patterns, text);
    struct consumer_pattern *made;

    if (old != NULL) {
        readers_take(consumer, &old->topics, true);
        map_remove_text(&consumer->patterns, text);
    }
    if (topics_take != NULL) {
        made = xcalloc(1, sizeof *made);
        made->text = xstrdup(text);
        made->topics = *topics_take;
        *topics_take = (struct text_set){NULL, 0};
        made->version = version;
        made->resolved_ms = resolved_ms;
        readers_add(consumer, &made->topics, true);
        map_put_text(&consumer->patterns, made->text, made);
    }
    if (old != NULL)
        pattern_free(old);
}

/* --- members -------------------------------------------------------------------------------------
 */

struct consumer_member *
consumer_member_find(const struct consumer_group *consumer, struct wire_string member_id)
{
    return member_id.size < 0 ? NULL
                              : map_get(&consumer->members, member_id.data, (size_t)member_id.size);
}

struct consumer_member *
consumer_member_find_static(const struct consumer_group *consumer, struct wire_string instance_id)
{
    return instance_id.size < 0
               ? NULL
               : map_get(&consumer->statics, instance_id.data, (size_t)instance_id.size);
}

struct consumer_member *
consumer_member_add(struct consumer_group *consumer, struct wire_string member_id)
{
    struct consumer_member *member = xcalloc(1, sizeof *member);

    member->consumer = consumer;
    member->member_id = xmemdup(member_id.data, (size_t)member_id.size);
    member->client_id = xstrdup("");
    member->client_host = xstrdup("");
    member->regex = xstrdup("");
    member->rebalance_timeout_ms = -1;
    map_put_text(&consumer->members, member->member_id, member);
    return member;
}

void
consumer_member_rename(struct consumer_member *member, struct wire_string member_id)
{
    map_remove_text(&member->consumer->members, member->member_id);
    (void)text_replace(&member->member_id, member_id);
    map_put_text(&member->consumer->members, member->member_id, member);
}

static void
instance_leave(struct consumer_member *member)
{
    if (member->instance_id != NULL &&
        map_get_text(&member->consumer->statics, member->instance_id) == member)
        map_remove_text(&member->consumer->statics, member->instance_id);
}

void
consumer_member_set_instance(struct consumer_member *member, struct wire_string instance_id)
{
    instance_leave(member);
    (void)text_replace(&member->instance_id, instance_id);
    if (member->instance_id != NULL)
        map_put_text(&member->consumer->statics, member->instance_id, member);
}

static void
classic_free(struct consumer_classic *classic)
{
    for (int32_t i = 0; classic != NULL && i < classic->protocol_count; i++) {
        free(classic->protocols[i].name);
        free(classic->protocols[i].metadata);
    }
    if (classic != NULL)
        free(classic->protocols);
    free(classic);
}

void
consumer_member_set_classic(struct consumer_member *member, struct consumer_classic *classic_take)
{
    classic_free(member->classic);
    member->classic = classic_take;
}

void
consumer_member_remove(struct consumer_member *member)
{
    struct groups *groups = member->consumer->group->groups;
    struct topic_parts none = {0}, none_too = {0};
    struct text_set nothing = {NULL, 0};

    groups_timer_clear(groups, &member->session);
    groups_timer_clear(groups, &member->rebalance);
    groups_timer_clear(groups, &member->sync);
    consumer_member_hold(member, &none, &none_too);
    consumer_member_read(member, &nothing);
    regex_leave(member);
    instance_leave(member);
    map_remove_text(&member->consumer->members, member->member_id);
    topic_parts_fini(&member->target);
    classic_free(member->classic);
    free(member->member_id);
    free(member->instance_id);
    free(member->rack_id);
    free(member->client_id);
    free(member->client_host);
    free(member->regex);
    free(member->assignor);
    free(member);
}

/* --- who owns what -------------------------------------------------------------------------------
 */

static struct owner_key
owner_key_of(const struct wire_uuid *topic_id, int32_t partition)
{
    struct owner_key key;

    memset(&key, 0, sizeof key);
    key.topic_id = *topic_id;
    key.partition = partition;
    return key;
}

struct consumer_member *
consumer_group_owner(
    const struct consumer_group *consumer, const struct wire_uuid *topic_id, int32_t partition)
{
    struct owner_key key = owner_key_of(topic_id, partition);

    return map_get(&consumer->owners, &key, sizeof key);
}

static void
owners_leave(struct consumer_member *member, const struct topic_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        struct owner_key key = owner_key_of(&parts->items[i].topic_id, parts->items[i].partition);

        if (map_get(&member->consumer->owners, &key, sizeof key) == member)
            map_remove(&member->consumer->owners, &key, sizeof key);
    }
}

static void
owners_enter(struct consumer_member *member, const struct topic_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        struct owner_key key = owner_key_of(&parts->items[i].topic_id, parts->items[i].partition);

        map_put(&member->consumer->owners, &key, sizeof key, member);
    }
}

void
consumer_member_hold(struct consumer_member *member, struct topic_parts *assigned_take,
    struct topic_parts *revoking_take)
{
    owners_leave(member, &member->assigned);
    owners_leave(member, &member->revoking);
    topic_parts_move(&member->assigned, assigned_take);
    topic_parts_move(&member->revoking, revoking_take);
    owners_enter(member, &member->assigned);
    owners_enter(member, &member->revoking);
}

/* --- what follows from all of them ---------------------------------------------------------------
 */

static int
compare_uuid(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct wire_uuid));
}

static size_t
ids_add(const struct consumer_group *consumer, const struct text_set *names, struct wire_uuid *out)
{
    const struct topics *topics = &consumer->group->groups->broker->topics;
    size_t count = 0;

    for (size_t i = 0; i < names->count; i++) {
        const struct topic *topic = topics_find(topics, names->items[i], strlen(names->items[i]));

        if (topic != NULL)
            out[count++] = topic->topic_id;
    }
    return count;
}

struct wire_uuid *
consumer_member_topics(const struct consumer_member *member, size_t *count)
{
    const struct consumer_group *consumer = member->consumer;
    const struct consumer_pattern *pattern =
        member->regex == NULL ? NULL : consumer_group_pattern(consumer, member->regex);
    size_t most = member->topics.count + (pattern == NULL ? 0 : pattern->topics.count);
    struct wire_uuid *ids = xcalloc(most + 1, sizeof *ids);
    size_t found = ids_add(consumer, &member->topics, ids), kept = 0;

    if (pattern != NULL)
        found += ids_add(consumer, &pattern->topics, ids + found);
    qsort(ids, found, sizeof *ids, compare_uuid);
    for (size_t i = 0; i < found; i++)
        if (kept == 0 || compare_uuid(&ids[kept - 1], &ids[i]) != 0)
            ids[kept++] = ids[i];
    *count = kept;
    return ids;
}

uint64_t
consumer_group_hash(const struct consumer_group *consumer)
{
    return topics_hash_of(&consumer->group->groups->broker->topics, &consumer->readers);
}

bool
consumer_group_is_homogeneous(const struct consumer_group *consumer)
{
    size_t members = map_count(&consumer->members), position = 0;
    bool by_pattern = map_count(&consumer->subscribers) > 0;
    const struct reader_count *count;

    if (by_pattern &&
        (size_t)(uintptr_t)map_next(&consumer->subscribers, &position, NULL, NULL) != members)
        return false;
    position = 0;
    while ((count = map_next(&consumer->readers, &position, NULL, NULL)) != NULL)
        if (by_pattern ? count->by_pattern != 1 || count->by_name > 0 : count->by_name != members)
            return false;
    return true;
}

const char *
consumer_group_assignor(const struct consumer_group *consumer, const struct consumer_member *asking)
{
    const struct consumer_member *member;
    const char *best = assignor_default_name();
    size_t position = 0, wanted = 0, others = 0;

    /* There are two: the default, and one other. */
    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL) {
        if (member->assignor == NULL)
            continue;
        if (strcmp(member->assignor, best) == 0)
            wanted++;
        else
            others++;
    }
    if (wanted == 1 && others == 1 && asking != NULL && asking->assignor != NULL)
        return asking->assignor;
    return others > wanted ? "range" : best;
}

size_t
consumer_group_classic_count(const struct consumer_group *consumer)
{
    const struct consumer_member *member;
    size_t position = 0, count = 0;

    while ((member = map_next(&consumer->members, &position, NULL, NULL)) != NULL)
        count += member->classic != NULL;
    return count;
}
