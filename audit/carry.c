#include "audit/carry.h"

#include <inttypes.h>
#include <string.h>

#include "audit/flink.h"
#include "lib/base/saturate.h"
#include "lib/wire/codec.h"

static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The group in the fresh audit, made anew where it is gone. */
static uint32_t
group_carry(struct audit_inventory *fresh, const struct audit_group *before)
{
    uint32_t place = inventory_group(fresh, codec_string(before->id));
    struct audit_group *group;

    if (place == INVENTORY_NO_NUMBER) {
        group = inventory_add_group(fresh, codec_string(before->id), before->type);
        group->state = "Dead";
        group->protocol_type =
            inventory_text(fresh, before->protocol_type, (int32_t)strlen(before->protocol_type));
        place = fresh->group_count - 1;
    }
    group = &fresh->groups[place];
    if (before->app > group->app) {
        group->app = before->app;
        group->app_why = before->app_why == NULL ? NULL
                                                 : inventory_text(fresh, before->app_why,
                                                       (int32_t)strlen(before->app_why));
    }
    group->has_pattern |= before->has_pattern;
    return place;
}

static void
uses_carry(struct audit_inventory *fresh, const struct audit_topic *topic,
    const struct audit_inventory *before, const struct audit_topic *old)
{
    for (const struct audit_use *use = old->uses; use != NULL; use = use->next) {
        uint32_t group = group_carry(fresh, &before->groups[use->group]);

        /* Without memory for it the inventory's check says so. */
        (void)inventory_use(fresh, group, codec_string(topic->name), use->commits, use->members);
    }
}

/* Returns how many records came since. */
static int64_t
growth_carry(struct audit_inventory *fresh, struct audit_topic *topic,
    const struct audit_inventory *before, const struct audit_topic *old)
{
    struct audit_rate own = topic->rate;
    int64_t records = 0;

    topic->rate = old->rate;
    for (int32_t p = 0; p < topic->partition_count && p < old->partition_count; p++) {
        int64_t from = before->partitions[old->first + (uint32_t)p].end_offset;
        int64_t to = fresh->partitions[topic->first + (uint32_t)p].end_offset;

        if (from >= 0 && to > from)
            records = saturate_add(records, saturate_subtract(to, from));
    }
    inventory_rate_add(&topic->rate, records,
        saturate_subtract(fresh->asked_ms[AUDIT_OFFSETS], before->asked_ms[AUDIT_OFFSETS]));
    inventory_rate_add(&topic->rate, own.records, own.window_ms);
    return records;
}

static void
topic_carry(struct audit_inventory *fresh, uint32_t place, const struct audit_inventory *before,
    const struct audit_topic *old)
{
    struct audit_topic *topic = &fresh->topics[place];
    int64_t records = growth_carry(fresh, topic, before, old);

    topic->producers = larger(topic->producers, old->producers);
    topic->transactional_producers =
        larger(topic->transactional_producers, old->transactional_producers);
    if (topic->sample.partitions == 0 && old->sample.partitions > 0) {
        topic->sample = old->sample;
        if (old->sample.programs != NULL)
            topic->sample.programs =
                inventory_text(fresh, old->sample.programs, (int32_t)strlen(old->sample.programs));
        /* What came since was not read. */
        if (records > 0 && topic->sample.cut == 0)
            topic->sample.cut = 1;
    }
    topic->aborted.asked += old->aborted.asked;
    topic->aborted.found += old->aborted.found;
    if (topic->traffic.window_ms == 0)
        topic->traffic = old->traffic;
    uses_carry(fresh, topic, before, old);
}

static void
footprints_carry(struct audit_inventory *fresh, const struct audit_inventory *before)
{
    struct map known;

    map_init(&known);
    for (const struct audit_footprint *f = fresh->footprints; f != NULL; f = f->next)
        map_put_text(&known,
            inventory_printf(
                fresh, "%" PRIu32 " %d %s", f->topic, (int)f->trace, f->transactional_id),
            fresh);
    for (const struct audit_footprint *f = before->footprints; f != NULL; f = f->next) {
        uint32_t topic = inventory_topic(fresh, codec_string(before->topics[f->topic].name));
        const char *key;

        if (topic == INVENTORY_NO_NUMBER)
            continue;
        key =
            inventory_printf(fresh, "%" PRIu32 " %d %s", topic, (int)f->trace, f->transactional_id);
        if (map_get(&known, key, strlen(key)) != NULL)
            continue;
        map_put_text(&known, key, fresh);
        inventory_add_transactional_id(fresh, codec_string(f->transactional_id));
        inventory_add_footprint(fresh,
            inventory_transactional_id(fresh, codec_string(f->transactional_id)), topic, f->trace);
    }
    map_fini(&known, NULL);
}

/* What the clients of an earlier request log asked; a log that two audits were given counts twice.
 */
static void
contacts_carry(struct audit_inventory *fresh, uint32_t topic, const struct audit_inventory *before,
    const struct audit_topic *old)
{
    for (const struct audit_contact *c = old->contacts; c != NULL; c = c->next) {
        uint32_t client = inventory_add_client(fresh, &before->clients[c->client]);
        struct audit_contact *own =
            client == INVENTORY_NO_NUMBER ? NULL : inventory_contact(fresh, topic, client);

        if (own == NULL)
            continue;
        own->produces += c->produces;
        own->transactional += c->transactional;
        own->fetches += c->fetches;
        own->committed_fetches += c->committed_fetches;
        own->share_fetches += c->share_fetches;
        own->commits += c->commits;
    }
}

/* Admin clients of Flink's sources have to do with no topic, so that no contact tells of them. */
static void
enumerators_carry(struct audit_inventory *fresh, const struct audit_inventory *before)
{
    for (uint32_t c = 0; c < before->client_count; c++)
        if (flink_enumerator(before->clients[c].id, strlen(before->clients[c].id)) > 0)
            (void)inventory_add_client(fresh, &before->clients[c]);
}

static void
watch_carry(struct audit_watch *watch, int64_t now_ms, const struct audit_inventory *before)
{
    int64_t gap_ms = saturate_subtract(now_ms, before->asked_ms[AUDIT_METADATA]);

    watch->looks += before->watch.looks;
    watch->first_ms = before->watch.first_ms;
    watch->longest_gap_ms = before->watch.longest_gap_ms;
    if (gap_ms > watch->longest_gap_ms)
        watch->longest_gap_ms = gap_ms;
}

enum rc
carry_on(struct audit_inventory *fresh, const struct audit_inventory *before, struct err *e)
{
    enum rc rc = inventory_is_of_cluster(fresh, before, e);

    if (rc != RC_OK)
        return rc;
    if (before->asked_ms[AUDIT_METADATA] > fresh->asked_ms[AUDIT_METADATA])
        return err_set(e, RC_CONFLICT, "it is of a later time than this one");
    for (uint32_t t = 0; t < before->topic_count; t++) {
        uint32_t place = inventory_topic(fresh, codec_string(before->topics[t].name));

        if (place == INVENTORY_NO_NUMBER)
            continue;
        topic_carry(fresh, place, before, &before->topics[t]);
        contacts_carry(fresh, place, before, &before->topics[t]);
    }
    for (uint32_t i = 0; i < before->transactional_id_count; i++)
        inventory_add_transactional_id(fresh, codec_string(before->transactional_ids[i]));
    footprints_carry(fresh, before);
    enumerators_carry(fresh, before);
    fresh->requests += before->requests;
    fresh->sampled_bytes += before->sampled_bytes;
    watch_carry(&fresh->watch, fresh->asked_ms[AUDIT_METADATA], before);
    return inventory_check(fresh, e);
}
