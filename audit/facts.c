#include "audit/facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/flink.h"
#include "audit/streams.h"
#include "lib/base/xalloc.h"

#define USES_SHOWN 20
#define TRANSACTION_LOG "__transaction_state"
#define COMMIT_LOG "__consumer_offsets"
#define NO_PRODUCER "its partitions know no producer with an id"

static const enum audit_probe member_probes[] = {AUDIT_GROUPS, AUDIT_CLASSIC_MEMBERS,
    AUDIT_CONSUMER_MEMBERS, AUDIT_SHARE_MEMBERS, AUDIT_STREAMS_MEMBERS, AUDIT_COMMITS};

static void
evidence_add(struct audit_inventory *inventory, struct audit_finding *finding,
    enum audit_probe probe, const char *text)
{
    struct audit_evidence *evidence = arena_alloc(&inventory->arena, sizeof *evidence);

    if (evidence == NULL)
        return;
    *evidence = (struct audit_evidence){probe, text, NULL};
    if (finding->last == NULL)
        finding->first = evidence;
    else
        finding->last->next = evidence;
    finding->last = evidence;
}

static void
yes(struct audit_inventory *inventory, struct audit_finding *finding,
    enum audit_confidence confidence, enum audit_probe probe, const char *text)
{
    if (finding->value != AUDIT_YES || confidence > finding->confidence)
        finding->confidence = confidence;
    finding->value = AUDIT_YES;
    evidence_add(inventory, finding, probe, text);
}

/* Adds the reason of a gap; true where it is one that forbids a "no". */
static bool
gap_add(struct audit_inventory *inventory, const struct audit_topic *topic,
    struct audit_finding *finding, enum audit_probe probe)
{
    const struct audit_gap *gap = inventory_gap_of(inventory, topic, probe);

    if (gap == NULL)
        return false;
    evidence_add(inventory, finding, probe,
        gap->failures > 1
            ? inventory_printf(inventory, "%s (%" PRIu32 " times)", gap->why, gap->failures)
            : gap->why);
    return !gap->unsupported;
}

static bool
has_gap(const struct audit_inventory *inventory, const struct audit_topic *topic,
    enum audit_probe probe)
{
    return inventory_gap_of(inventory, topic, probe) != NULL;
}

/* Whether all that the topic's logs hold was read. */
static bool
is_whole(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    return topic->sample.cut == 0 && !has_gap(inventory, topic, AUDIT_SAMPLES) &&
           !has_gap(inventory, topic, AUDIT_OFFSETS) && !has_gap(inventory, topic, AUDIT_METADATA);
}

static const char *
sample_text(struct audit_inventory *inventory, const struct audit_topic *topic, uint64_t hits,
    const char *what)
{
    const struct audit_sample *s = &topic->sample;

    if (is_whole(inventory, topic))
        return s->batches == 0
                   ? "its logs hold no batch"
                   : inventory_printf(inventory,
                         "%" PRIu64 " of %" PRIu64 " stored batches %s (the whole log was read)",
                         hits, s->batches, what);
    if (s->batches == 0)
        return inventory_printf(
            inventory, "no stored batch was read, of %" PRIu64 " offsets", s->offsets_stored);
    return inventory_printf(inventory,
        "%" PRIu64 " of %" PRIu64 " sampled batches %s (%" PRIu64 " of %" PRIu64
        " offsets were read)",
        hits, s->batches, what, s->offsets, s->offsets_stored);
}

/* Ends a fact about producers of which no trace was found. `absent` tells whether an API that could
 * have seen one does not exist here. */
static void
no_trace(struct audit_inventory *inventory, const struct audit_topic *topic,
    struct audit_finding *finding, bool refused, bool absent)
{
    bool whole = is_whole(inventory, topic);
    /* Where everything was deleted and no producer is remembered there is nothing left to see. */
    bool emptied = topic->began_later && topic->sample.batches == 0 && topic->producers == 0;

    if (refused || emptied || (!whole && (absent || topic->sample.batches < FACTS_BATCHES_MIN))) {
        finding->value = AUDIT_UNKNOWN;
        finding->confidence = AUDIT_WEAK;
        return;
    }
    finding->value = AUDIT_NO;
    /* What was deleted from the front of a log may have been anything. */
    finding->confidence = whole && !absent && !topic->began_later ? AUDIT_CERTAIN : AUDIT_LIKELY;
}

static bool
has_trace(const struct audit_topic *topic, enum audit_trace trace)
{
    return topic->traces[trace].ids > 0;
}

static const char *
trace_text(struct audit_inventory *inventory, const struct audit_topic *topic,
    enum audit_trace trace, const char *what, const char *who)
{
    return inventory_printf(inventory, "%s %s%s%s", what, topic->traces[trace].first,
        topic->traces[trace].ids > 1 ? " and of others" : "", who);
}

/* Rules that permit transactions on the topic to somebody. */
static void
permits_add(struct audit_inventory *inventory, const struct audit_topic *topic,
    struct audit_finding *finding)
{
    const struct audit_principal *first = NULL;
    uint32_t count = 0;

    for (const struct audit_grant *g = topic->grants; g != NULL; g = g->next) {
        const struct audit_principal *principal = &inventory->principals[g->principal];

        if (!g->may_write || principal->transactional_ids == NULL)
            continue;
        count++;
        if (first == NULL)
            first = principal;
    }
    if (first != NULL)
        evidence_add(inventory, finding, AUDIT_ACLS,
            inventory_printf(inventory,
                "access rules let %s%s write it, and use transactional ids (%s): a permit, no use",
                first->name, count > 1 ? " and others" : "", first->transactional_ids));
}

/* What shows that transactions write the topic. */
static void
transactions_see(
    struct audit_inventory *inventory, const struct audit_topic *topic, struct audit_finding *f)
{
    if (has_trace(topic, AUDIT_TRACE_OPEN))
        yes(inventory, f, AUDIT_CERTAIN, AUDIT_FOOTPRINTS,
            trace_text(inventory, topic, AUDIT_TRACE_OPEN, "part of an open transaction of",
                inventory->watch.looks > 1 ? ", at one look at least" : ""));
    /* A topic of that name: it may have been made anew since. */
    if (has_trace(topic, AUDIT_TRACE_PAST))
        yes(inventory, f, AUDIT_LIKELY, AUDIT_TRANSACTION_LOG,
            trace_text(inventory, topic, AUDIT_TRACE_PAST, "written in transactions of",
                ", says " TRANSACTION_LOG));
    if (has_trace(topic, AUDIT_TRACE_REQUESTED))
        yes(inventory, f, AUDIT_LIKELY, AUDIT_REQUESTS,
            trace_text(inventory, topic, AUDIT_TRACE_REQUESTED,
                "requests to write it named transactions of", ""));
    if (topic->aborted.found > 0)
        yes(inventory, f, AUDIT_CERTAIN, AUDIT_ABORTED,
            inventory_printf(inventory,
                "aborted transactions span %" PRIu32 " of %" PRIu32 " offsets that were asked about",
                topic->aborted.found, topic->aborted.asked));
    if (topic->unstable > 0)
        yes(inventory, f, AUDIT_CERTAIN, AUDIT_STABLE_OFFSETS,
            inventory_printf(inventory,
                "the last stable offset of %" PRIu32 " partitions lies below the end: a "
                "transaction is open",
                topic->unstable));
    if (topic->transactional_producers > 0)
        yes(inventory, f, AUDIT_CERTAIN, AUDIT_PRODUCERS,
            inventory_printf(inventory,
                "%" PRIu64 " of %" PRIu64 " producers known to its partitions are transactional, "
                "%" PRIu64 " transactions are open",
                topic->transactional_producers, topic->producers, topic->open_transactions));
    if (topic->sample.transactional > 0)
        yes(inventory, f, AUDIT_CERTAIN, AUDIT_SAMPLES,
            sample_text(inventory, topic, topic->sample.transactional, "are transactional"));
}

static void
transactions_derive(struct audit_inventory *inventory, struct audit_topic *topic)
{
    struct audit_finding *f = &topic->facts[AUDIT_FACT_TRANSACTIONS];
    static const enum audit_probe needed[] = {AUDIT_METADATA, AUDIT_OFFSETS, AUDIT_PRODUCERS,
        AUDIT_TRANSACTIONS, AUDIT_FOOTPRINTS, AUDIT_SAMPLES};
    bool refused = false, absent = false;

    transactions_see(inventory, topic, f);
    if (f->value == AUDIT_YES)
        return;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        refused |= gap_add(inventory, topic, f, needed[i]);
        absent |= has_gap(inventory, topic, needed[i]);
    }
    /* It tells of the past, which a "no" does not stand on. */
    gap_add(inventory, topic, f, AUDIT_TRANSACTION_LOG);
    if (!has_gap(inventory, topic, AUDIT_PRODUCERS))
        evidence_add(inventory, f, AUDIT_PRODUCERS,
            topic->producers == 0
                ? NO_PRODUCER
                : inventory_printf(inventory,
                      "none of %" PRIu64 " producers known to its partitions is transactional",
                      topic->producers));
    if (!has_gap(inventory, topic, AUDIT_SAMPLES))
        evidence_add(
            inventory, f, AUDIT_SAMPLES, sample_text(inventory, topic, 0, "are transactional"));
    if (topic->aborted.asked > 0)
        evidence_add(inventory, f, AUDIT_ABORTED,
            inventory_printf(inventory,
                "no aborted transaction spans any of %" PRIu32 " offsets that were asked about",
                topic->aborted.asked));
    permits_add(inventory, topic, f);
    no_trace(inventory, topic, f, refused, absent);
    if (inventory->is_restricted && f->value == AUDIT_NO && f->confidence == AUDIT_CERTAIN)
        f->confidence = AUDIT_LIKELY;
}

static void
idempotence_derive(struct audit_inventory *inventory, struct audit_topic *topic)
{
    struct audit_finding *f = &topic->facts[AUDIT_FACT_IDEMPOTENCE];
    static const enum audit_probe needed[] = {
        AUDIT_METADATA, AUDIT_OFFSETS, AUDIT_PRODUCERS, AUDIT_SAMPLES};
    bool refused = false, absent = false;

    if (topic->producers > 0)
        yes(inventory, f, AUDIT_CERTAIN, AUDIT_PRODUCERS,
            inventory_printf(inventory, "its partitions know %" PRIu64 " producers with an id",
                topic->producers));
    if (topic->sample.with_producer > 0)
        yes(inventory, f, AUDIT_CERTAIN, AUDIT_SAMPLES,
            sample_text(inventory, topic, topic->sample.with_producer, "carry a producer id"));
    if (f->value == AUDIT_YES)
        return;
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        refused |= gap_add(inventory, topic, f, needed[i]);
        absent |= has_gap(inventory, topic, needed[i]);
    }
    if (!has_gap(inventory, topic, AUDIT_PRODUCERS))
        evidence_add(inventory, f, AUDIT_PRODUCERS, NO_PRODUCER);
    if (!has_gap(inventory, topic, AUDIT_SAMPLES))
        evidence_add(
            inventory, f, AUDIT_SAMPLES, sample_text(inventory, topic, 0, "carry a producer id"));
    no_trace(inventory, topic, f, refused, absent);
}

/* --- compaction ------------------------------------------------------------------------------ */

enum facts_keys
facts_keys(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    const struct audit_sample *s = &topic->sample;

    /* Holes are records that compaction took away, because their keys came again. */
    if (s->program > 0 && s->program * 10 >= s->keyed * 9)
        return FACTS_KEYS_PROGRAM;
    if (s->repeated > 0 || s->holes > 0)
        return FACTS_KEYS_REPEAT;
    if (has_gap(inventory, topic, AUDIT_SAMPLES) || has_gap(inventory, topic, AUDIT_OFFSETS) ||
        s->keyed < FACTS_KEYS_MIN)
        return FACTS_KEYS_UNPROVEN;
    return FACTS_KEYS_UNIQUE;
}

static void
compaction_derive(struct audit_inventory *inventory, struct audit_topic *topic)
{
    struct audit_finding *f = &topic->facts[AUDIT_FACT_COMPACTION];
    const struct audit_config *policy = &topic->configs[AUDIT_CONFIG_CLEANUP_POLICY];
    const struct audit_sample *s = &topic->sample;

    if (policy->value == NULL) {
        f->value = AUDIT_UNKNOWN;
        gap_add(inventory, topic, f, AUDIT_METADATA);
        gap_add(inventory, topic, f, AUDIT_CONFIGS);
        if (f->first == NULL)
            evidence_add(inventory, f, AUDIT_CONFIGS, "the answer does not name cleanup.policy");
        return;
    }
    f->value = inventory_is_compacted(topic) ? AUDIT_YES : AUDIT_NO;
    f->confidence = AUDIT_CERTAIN;
    evidence_add(inventory, f, AUDIT_CONFIGS,
        inventory_printf(inventory, "cleanup.policy=%s, %s", policy->value,
            policy->is_own ? "set on the topic" : "the brokers' default"));
    if (f->value != AUDIT_YES || gap_add(inventory, topic, f, AUDIT_SAMPLES))
        return;
    evidence_add(inventory, f, AUDIT_SAMPLES,
        inventory_printf(inventory,
            "%" PRIu64 " of %" PRIu64 " sampled keys repeat, compaction took %" PRIu64
            " records away",
            s->repeated, s->keyed, s->holes));
    if (facts_keys(inventory, topic) == FACTS_KEYS_PROGRAM)
        evidence_add(inventory, f, AUDIT_SAMPLES,
            inventory_printf(inventory, "%" PRIu64 " keys have the shape of those of %s",
                s->program, s->programs));
}

/* --- groups ---------------------------------------------------------------------------------- */

static void
groups_derive(struct audit_inventory *inventory, struct audit_topic *topic)
{
    static const char *const types[] = {"classic", "consumer", "share", "streams"};
    struct audit_finding *f = &topic->facts[AUDIT_FACT_GROUPS];
    bool refused = false;
    uint32_t shown = 0;

    for (const struct audit_use *use = topic->uses; use != NULL && shown < USES_SHOWN;
         use = use->next, shown++) {
        const struct audit_group *group = &inventory->groups[use->group];
        enum audit_probe probe =
            use->commits ? AUDIT_COMMITS
                         : (enum audit_probe)(AUDIT_CLASSIC_MEMBERS + (unsigned)group->type);

        yes(inventory, f, AUDIT_CERTAIN, probe,
            inventory_printf(inventory, "%s group %s%s%s%s", types[group->type], group->id,
                use->commits ? " has committed offsets" : "",
                use->commits && use->members ? " and" : "", use->members ? " has members" : ""));
    }
    /* Only with a group that is there: one that was deleted is on record for a while. */
    if (f->value == AUDIT_YES && has_trace(topic, AUDIT_TRACE_READ))
        evidence_add(inventory, f, AUDIT_COMMIT_LOG,
            trace_text(inventory, topic, AUDIT_TRACE_READ,
                "offsets of it are committed in transactions of", ", says " COMMIT_LOG));
    for (const struct audit_use *use = topic->uses; use != NULL; use = use->next)
        if (use->pending > 0)
            evidence_add(inventory, f, AUDIT_COMMITS,
                inventory_printf(inventory,
                    "a transaction is open that commits offsets of it, of group %s",
                    inventory->groups[use->group].id));
    if (f->value == AUDIT_YES && has_trace(topic, AUDIT_TRACE_REQUESTED_READ))
        evidence_add(inventory, f, AUDIT_REQUESTS,
            trace_text(inventory, topic, AUDIT_TRACE_REQUESTED_READ,
                "requests committed offsets of it in transactions of", ""));
    if (f->value == AUDIT_YES)
        return;
    if (topic->traffic.bytes_out > 0)
        evidence_add(inventory, f, AUDIT_METRICS,
            inventory_printf(inventory,
                "%" PRId64 " bytes a day are read of it: by consumers without a group, or by tools",
                topic->traffic.bytes_out));
    refused |= gap_add(inventory, topic, f, AUDIT_METADATA);
    for (size_t i = 0; i < ARRAY_LEN(member_probes); i++) {
        (void)gap_add(inventory, topic, f, member_probes[i]);
        refused |= has_gap(inventory, topic, member_probes[i]);
    }
    if (inventory->is_restricted) {
        evidence_add(inventory, f, AUDIT_CLUSTER,
            "this login may not describe the cluster: groups that it may not see are left out");
        refused = true;
    }
    f->value = refused ? AUDIT_UNKNOWN : AUDIT_NO;
    f->confidence = refused ? AUDIT_WEAK : AUDIT_CERTAIN;
    if (!refused)
        evidence_add(inventory, f, AUDIT_GROUPS,
            inventory_printf(inventory, "none of %" PRIu32 " groups has an offset or a member here",
                inventory->group_count));
}

/* --- Streams state --------------------------------------------------------------------------- */

/* The configs with which Streams makes its topics; an application may change them. */
static bool
fits(const struct audit_topic *topic, enum audit_role role)
{
    if (role == AUDIT_ROLE_CHANGELOG)
        return inventory_is_compacted(topic);
    return topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value != NULL &&
           !inventory_is_compacted(topic) &&
           inventory_number(topic, AUDIT_CONFIG_RETENTION_MS, 0) == -1;
}

static bool
is_used_by(const struct audit_topic *topic, uint32_t group)
{
    for (const struct audit_use *use = topic->uses; use != NULL; use = use->next)
        if (use->group == group)
            return true;
    return false;
}

/* Looks for the application that a topic's name begins with; the longest id wins. */
static uint32_t
owner_of(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    uint32_t best = INVENTORY_NO_NUMBER;

    for (uint32_t i = 0; i < inventory->group_count; i++) {
        const struct audit_group *group = &inventory->groups[i];

        if (group->app == AUDIT_APP_NO || !streams_owner(topic->name, group->id))
            continue;
        if (best == INVENTORY_NO_NUMBER || group->app > inventory->groups[best].app ||
            (group->app == inventory->groups[best].app &&
                strlen(group->id) > strlen(inventory->groups[best].id)))
            best = i;
    }
    return best;
}

static void
owned(struct audit_inventory *inventory, struct audit_topic *topic, enum audit_role role,
    uint32_t owner)
{
    const struct audit_group *group = &inventory->groups[owner];
    struct audit_finding *f = &topic->facts[AUDIT_FACT_STREAMS_STATE];
    const char *kind = role == AUDIT_ROLE_CHANGELOG ? "changelog" : "repartition topic";

    if (group->app == AUDIT_APP_YES) {
        yes(inventory, f, fits(topic, role) ? AUDIT_CERTAIN : AUDIT_LIKELY,
            (enum audit_probe)(AUDIT_CLASSIC_MEMBERS + (unsigned)group->type),
            inventory_printf(
                inventory, "named as a %s of application %s: %s", kind, group->id, group->app_why));
    } else if (fits(topic, role) || is_used_by(topic, owner)) {
        yes(inventory, f, AUDIT_LIKELY, AUDIT_GROUPS,
            inventory_printf(inventory,
                "named and configured as a %s of application %s, whose group has no members now",
                kind, group->id));
    }
}

static void
unowned(struct audit_inventory *inventory, struct audit_topic *topic, enum audit_role role)
{
    struct audit_finding *f = &topic->facts[AUDIT_FACT_STREAMS_STATE];
    bool refused = gap_add(inventory, topic, f, AUDIT_METADATA);

    for (size_t i = 0; i < ARRAY_LEN(member_probes); i++) {
        (void)gap_add(inventory, topic, f, member_probes[i]);
        refused |= has_gap(inventory, topic, member_probes[i]);
    }
    if (role != AUDIT_ROLE_NONE && topic->configs[AUDIT_CONFIG_CLEANUP_POLICY].value == NULL)
        refused |= gap_add(inventory, topic, f, AUDIT_CONFIGS) || true;
    if (inventory->is_restricted && role != AUDIT_ROLE_NONE) {
        evidence_add(inventory, f, AUDIT_CLUSTER,
            "this login may not describe the cluster: groups that it may not see are left out");
        refused = true;
    }
    if (role == AUDIT_ROLE_NONE) {
        evidence_add(inventory, f, AUDIT_METADATA,
            "neither its name nor a topology of a streams group says so");
    } else if (fits(topic, role)) {
        evidence_add(inventory, f, AUDIT_METADATA,
            "named and configured as a topic of Kafka Streams, but no group of that application "
            "is known");
        refused = true;
    } else {
        evidence_add(inventory, f, AUDIT_METADATA,
            "only its name ends as those of Kafka Streams: no application has it, and its "
            "configuration is another");
    }
    f->value = refused ? AUDIT_UNKNOWN : AUDIT_NO;
    f->confidence = refused ? AUDIT_WEAK : AUDIT_LIKELY;
    if (!refused && role == AUDIT_ROLE_NONE && !inventory->is_restricted)
        f->confidence = AUDIT_CERTAIN;
}

static void
streams_derive(struct audit_inventory *inventory, struct audit_topic *topic)
{
    struct audit_finding *f = &topic->facts[AUDIT_FACT_STREAMS_STATE];
    enum audit_role role = streams_role(topic->name);
    uint32_t owner;

    if (topic->role != AUDIT_ROLE_NONE) {
        yes(inventory, f, AUDIT_CERTAIN, AUDIT_STREAMS_MEMBERS,
            inventory_printf(inventory, "the topology of streams group %s names it as %s",
                inventory->groups[topic->role_group].id,
                topic->role == AUDIT_ROLE_CHANGELOG ? "the changelog of a store"
                                                    : "a repartition topic"));
        return;
    }
    owner = role == AUDIT_ROLE_NONE ? INVENTORY_NO_NUMBER : owner_of(inventory, topic);
    if (owner != INVENTORY_NO_NUMBER)
        owned(inventory, topic, role, owner);
    if (f->value != AUDIT_YES)
        unowned(inventory, topic, role);
}

/* --- all ------------------------------------------------------------------------------------- */

enum audit_role
facts_role(const struct audit_topic *topic)
{
    if (topic->facts[AUDIT_FACT_STREAMS_STATE].value != AUDIT_YES)
        return AUDIT_ROLE_NONE;
    return topic->role != AUDIT_ROLE_NONE ? topic->role : streams_role(topic->name);
}

void
facts_derive(struct audit_inventory *inventory)
{
    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        struct audit_topic *topic = &inventory->topics[i];

        memset(topic->facts, 0, sizeof topic->facts);
        transactions_derive(inventory, topic);
        compaction_derive(inventory, topic);
        streams_derive(inventory, topic);
        idempotence_derive(inventory, topic);
        groups_derive(inventory, topic);
    }
    flink_derive(inventory);
}

const char *
facts_name(enum audit_fact fact)
{
    static const char *const names[] = {
#define FACT(name, json) json,
#include "audit/facts.def"
#undef FACT
    };

    return names[fact];
}

const char *
facts_value(enum audit_value value)
{
    static const char *const names[] = {"unknown", "no", "yes"};

    return names[value];
}

const char *
facts_confidence(enum audit_confidence confidence)
{
    static const char *const names[] = {"weak", "likely", "certain"};

    return names[confidence];
}
