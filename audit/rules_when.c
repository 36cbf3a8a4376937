/* Conditions about what was seen of a topic: transactions, compaction, Streams, groups, producers.
 */
#include "audit/rules_when.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "audit/facts.h"
#include "lib/base/xalloc.h"

#define TEXT_BYTES 512
#define SEQUENCE_LARGE (INT32_MAX / 2)
#define LAG_RECORDS 1000000
#define LAG_SHARE 2 /* half of the log */

bool
rules_when_seen(struct rules_look *look, enum audit_probe probe, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    int size;

    va_start(arguments, format);
    size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size >= (int)sizeof text)
        size = (int)sizeof text - 1;
    look->probe = probe;
    look->text = inventory_text(look->inventory, text, size < 0 ? 0 : size);
    return true;
}

/* Leaves the nth evidence of a fact, or the last there is where there are fewer. */
static bool
fact_seen(struct rules_look *look, enum audit_fact fact, unsigned nth)
{
    const struct audit_evidence *evidence = look->topic->facts[fact].first;

    while (evidence != NULL && nth-- > 0 && evidence->next != NULL)
        evidence = evidence->next;
    if (evidence != NULL) {
        look->probe = evidence->probe;
        look->text = evidence->text;
    }
    return true;
}

static bool
is(const struct rules_look *look, enum audit_fact fact, enum audit_value value)
{
    return look->topic->facts[fact].value == value;
}

/* --- transactions and producers --------------------------------------------------------------- */

bool
rules_when_is_transactional(struct rules_look *look)
{
    return is(look, AUDIT_FACT_TRANSACTIONS, AUDIT_YES) &&
           fact_seen(look, AUDIT_FACT_TRANSACTIONS, 0);
}

bool
rules_when_may_be_transactional(struct rules_look *look)
{
    return is(look, AUDIT_FACT_TRANSACTIONS, AUDIT_UNKNOWN) &&
           fact_seen(look, AUDIT_FACT_TRANSACTIONS, 0);
}

bool
rules_when_has_open_transaction(struct rules_look *look)
{
    const struct audit_topic *topic = look->topic;

    if (topic->traces[AUDIT_TRACE_OPEN].ids > 0)
        return rules_when_seen(look, AUDIT_FOOTPRINTS, "%" PRIu64 " open transactions, first %s",
            topic->traces[AUDIT_TRACE_OPEN].ids, topic->traces[AUDIT_TRACE_OPEN].first);
    if (topic->open_transactions > 0)
        return rules_when_seen(look, AUDIT_PRODUCERS,
            "%" PRIu64 " producers have an open transaction", topic->open_transactions);
    return topic->unstable > 0 &&
           rules_when_seen(look, AUDIT_STABLE_OFFSETS,
               "the last stable offset of %" PRIu32 " partitions lies below the end",
               topic->unstable);
}

/* By name there may be groups that are gone: then nobody reads it so any more. */
bool
rules_when_is_read_in_transactions(struct rules_look *look)
{
    static const enum audit_trace reads[] = {AUDIT_TRACE_READ, AUDIT_TRACE_REQUESTED_READ};
    const struct audit_topic *topic = look->topic;

    for (const struct audit_use *use = topic->uses; use != NULL; use = use->next)
        if (use->pending > 0)
            return rules_when_seen(look, AUDIT_COMMITS,
                "an open transaction holds offsets of group %s back, in %" PRIu32 " partitions",
                look->inventory->groups[use->group].id, use->pending);
    for (size_t i = 0; i < ARRAY_LEN(reads) && topic->uses != NULL; i++)
        if (topic->traces[reads[i]].ids > 0)
            return rules_when_seen(look, inventory_trace_probe(reads[i]),
                "%" PRIu64 " transactional ids, first %s", topic->traces[reads[i]].ids,
                topic->traces[reads[i]].first);
    return false;
}

bool
rules_when_is_idempotent(struct rules_look *look)
{
    return is(look, AUDIT_FACT_IDEMPOTENCE, AUDIT_YES) &&
           fact_seen(look, AUDIT_FACT_IDEMPOTENCE, 0);
}

bool
rules_when_has_producers_without_id(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;
    uint64_t without = s->batches - s->with_producer;

    return s->batches >= FACTS_BATCHES_MIN && without * 2 > s->batches &&
           rules_when_seen(look, AUDIT_SAMPLES,
               "%" PRIu64 " of %" PRIu64 " sampled batches have none", without, s->batches);
}

bool
rules_when_has_large_sequences(struct rules_look *look)
{
    return look->topic->last_sequence > SEQUENCE_LARGE &&
           rules_when_seen(look, AUDIT_PRODUCERS, "the largest is %" PRId32 " of %" PRId32,
               look->topic->last_sequence, INT32_MAX);
}

/* --- compaction ------------------------------------------------------------------------------- */

/* Of a compacted topic the keys tell more than the policy. */
static bool
has_keys(struct rules_look *look, enum facts_keys keys)
{
    return is(look, AUDIT_FACT_COMPACTION, AUDIT_YES) &&
           facts_role(look->topic) == AUDIT_ROLE_NONE &&
           facts_keys(look->inventory, look->topic) == keys &&
           fact_seen(look, AUDIT_FACT_COMPACTION, 1);
}

bool
rules_when_has_repeating_keys(struct rules_look *look)
{
    return has_keys(look, FACTS_KEYS_REPEAT);
}

bool
rules_when_has_program_state(struct rules_look *look)
{
    return has_keys(look, FACTS_KEYS_PROGRAM);
}

bool
rules_when_has_unproven_keys(struct rules_look *look)
{
    return has_keys(look, FACTS_KEYS_UNPROVEN);
}

bool
rules_when_has_unique_keys(struct rules_look *look)
{
    return has_keys(look, FACTS_KEYS_UNIQUE);
}

bool
rules_when_may_be_compacted(struct rules_look *look)
{
    return is(look, AUDIT_FACT_COMPACTION, AUDIT_UNKNOWN) &&
           fact_seen(look, AUDIT_FACT_COMPACTION, 0);
}

bool
rules_when_inherits_compaction(struct rules_look *look)
{
    return inventory_is_compacted(look->topic) &&
           !look->topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].is_own &&
           fact_seen(look, AUDIT_FACT_COMPACTION, 0);
}

bool
rules_when_was_compacted(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;

    /* Markers leave holes for whoever copied the log without them. */
    if (!is(look, AUDIT_FACT_COMPACTION, AUDIT_NO) || s->transactional > 0)
        return false;
    if (s->horizons > 0)
        return rules_when_seen(look, AUDIT_SAMPLES,
            "%" PRIu64 " of %" PRIu64 " sampled batches carry the cleaner's mark", s->horizons,
            s->batches);
    return s->holes > 0 &&
           rules_when_seen(look, AUDIT_SAMPLES,
               "%" PRIu64 " offsets of the sampled ranges have no record", s->holes);
}

bool
rules_when_has_keyless_records(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;

    return inventory_is_compacted(look->topic) && s->unkeyed > 0 &&
           rules_when_seen(look, AUDIT_SAMPLES, "%" PRIu64 " of %" PRIu64 " sampled records",
               s->unkeyed, s->unkeyed + s->keyed);
}

bool
rules_when_has_many_tombstones(struct rules_look *look)
{
    const struct audit_sample *s = &look->topic->sample;

    return s->tombstones * 2 > s->keyed &&
           rules_when_seen(look, AUDIT_SAMPLES, "%" PRIu64 " of %" PRIu64 " sampled records",
               s->tombstones, s->keyed);
}

/* --- Streams ---------------------------------------------------------------------------------- */

bool
rules_when_is_changelog(struct rules_look *look)
{
    return facts_role(look->topic) == AUDIT_ROLE_CHANGELOG &&
           fact_seen(look, AUDIT_FACT_STREAMS_STATE, 0);
}

bool
rules_when_is_repartition(struct rules_look *look)
{
    return facts_role(look->topic) == AUDIT_ROLE_REPARTITION &&
           fact_seen(look, AUDIT_FACT_STREAMS_STATE, 0);
}

bool
rules_when_may_be_streams(struct rules_look *look)
{
    return is(look, AUDIT_FACT_STREAMS_STATE, AUDIT_UNKNOWN) &&
           fact_seen(look, AUDIT_FACT_STREAMS_STATE, 0);
}

/* --- groups ----------------------------------------------------------------------------------- */

/* The probe that told that a group uses the topic. */
static enum audit_probe
told_by(const struct audit_use *use, const struct audit_group *group)
{
    return use->commits ? AUDIT_COMMITS
                        : (enum audit_probe)(AUDIT_CLASSIC_MEMBERS + (unsigned)group->type);
}

static bool
has_group_of(struct rules_look *look, enum audit_group_type type)
{
    for (const struct audit_use *use = look->topic->uses; use != NULL; use = use->next) {
        const struct audit_group *group = &look->inventory->groups[use->group];

        if (group->type == type)
            return rules_when_seen(look, told_by(use, group), "group %s", group->id);
    }
    return false;
}

bool
rules_when_is_shared(struct rules_look *look)
{
    return has_group_of(look, AUDIT_GROUP_SHARE);
}

bool
rules_when_has_consumer_protocol_group(struct rules_look *look)
{
    return has_group_of(look, AUDIT_GROUP_CONSUMER);
}

bool
rules_when_has_streams_protocol_group(struct rules_look *look)
{
    return has_group_of(look, AUDIT_GROUP_STREAMS);
}

bool
rules_when_feeds_streams(struct rules_look *look)
{
    if (facts_role(look->topic) != AUDIT_ROLE_NONE)
        return false;
    for (const struct audit_use *use = look->topic->uses; use != NULL; use = use->next) {
        const struct audit_group *group = &look->inventory->groups[use->group];

        if (group->app == AUDIT_APP_YES)
            return rules_when_seen(look, told_by(use, group), "application %s", group->id);
    }
    return false;
}

bool
rules_when_is_sunk(struct rules_look *look)
{
    for (const struct audit_use *use = look->topic->uses; use != NULL; use = use->next) {
        const struct audit_group *group = &look->inventory->groups[use->group];

        if (strncmp(group->id, "connect-", strlen("connect-")) == 0)
            return rules_when_seen(look, told_by(use, group), "group %s", group->id);
    }
    return false;
}

bool
rules_when_has_stopped_groups(struct rules_look *look)
{
    uint32_t count = 0;
    const char *first = "";

    for (const struct audit_use *use = look->topic->uses; use != NULL; use = use->next) {
        const struct audit_group *group = &look->inventory->groups[use->group];

        if (use->commits && group->members == 0 && strcmp(group->state, "Empty") == 0 &&
            count++ == 0)
            first = group->id;
    }
    return count > 0 && rules_when_seen(look, AUDIT_COMMITS, "%" PRIu32 " of them: %s%s", count,
                            first, count > 1 ? ", ..." : "");
}

bool
rules_when_has_lagging_groups(struct rules_look *look)
{
    for (const struct audit_use *use = look->topic->uses; use != NULL; use = use->next)
        if (use->lag >= LAG_RECORDS && use->lag > look->topic->offsets / LAG_SHARE)
            return rules_when_seen(look, AUDIT_COMMITS,
                "group %s is %" PRId64 " of %" PRId64 " records behind",
                look->inventory->groups[use->group].id, use->lag, look->topic->offsets);
    return false;
}

bool
rules_when_has_lost_offsets(struct rules_look *look)
{
    for (const struct audit_use *use = look->topic->uses; use != NULL; use = use->next)
        if (use->lost > 0)
            return rules_when_seen(look, AUDIT_COMMITS, "group %s, in %" PRIu32 " partitions",
                look->inventory->groups[use->group].id, use->lost);
    return false;
}

bool
rules_when_has_overwritten_offsets(struct rules_look *look)
{
    for (const struct audit_use *use = look->topic->uses; use != NULL; use = use->next)
        if (use->overwritten > 0)
            return rules_when_seen(look, AUDIT_EPOCHS,
                "group %s, in %" PRIu32 " partitions: later leaders begin below its offset",
                look->inventory->groups[use->group].id, use->overwritten);
    return false;
}

bool
rules_when_has_no_groups(struct rules_look *look)
{
    return is(look, AUDIT_FACT_GROUPS, AUDIT_NO) && fact_seen(look, AUDIT_FACT_GROUPS, 0);
}
