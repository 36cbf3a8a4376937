/* rules_rig: an inventory with a topic of which everything was seen, and nothing special is true.
 */
#ifndef TESTS_UNIT_AUDIT_RULES_RIG_H
#define TESTS_UNIT_AUDIT_RULES_RIG_H

#include "audit/facts.h"
#include "audit/rules.h"
#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1795000000000)

static struct audit_inventory inventory;

/* A topic of which everything was seen, and nothing special is true: a group reads it. */
static inline struct audit_topic *
plain_topic(const char *name, int32_t partitions)
{
    static const struct {
        enum audit_topic_config config;
        const char *value;
    } configs[] = {
        {AUDIT_CONFIG_CLEANUP_POLICY, "delete"},
        {AUDIT_CONFIG_RETENTION_MS, "604800000"},
        {AUDIT_CONFIG_RETENTION_BYTES, "-1"},
        {AUDIT_CONFIG_SEGMENT_MS, "604800000"},
        {AUDIT_CONFIG_COMPRESSION_TYPE, "producer"},
        {AUDIT_CONFIG_MAX_MESSAGE_BYTES, "1048588"},
        {AUDIT_CONFIG_MIN_INSYNC_REPLICAS, "1"},
    };
    struct audit_topic *topic = inventory_add_topic(&inventory, name, partitions);
    struct audit_group *group;
    struct wire_string id = {"readers", 7}, text = {topic->name, (int32_t)strlen(topic->name)};

    for (size_t i = 0; i < ARRAY_LEN(configs); i++)
        topic->configs[configs[i].config].value = configs[i].value;
    topic->offsets = 5000000;
    topic->bytes = INT64_C(1) << 40;
    topic->last_ms = NOW_MS;
    topic->replication = 1;
    topic->sample = (struct audit_sample){.batches = 1000,
        .with_producer = 1000,
        .bytes = 16000000,
        .records = 50000,
        .counted = 1000,
        .keyed = 50000,
        .repeated = 0,
        .newest_ms = NOW_MS,
        .partitions = 2};
    group = inventory_add_group(&inventory, id, AUDIT_GROUP_CLASSIC);
    group->members = 1;
    group->state = "Stable";
    inventory_use(&inventory, 0, text, true, true);
    return topic;
}

static inline void
begin_inventory(void)
{
    inventory_init(&inventory);
    for (unsigned i = 0; i < AUDIT_PROBES; i++)
        inventory.asked_ms[i] = NOW_MS;
}

static inline bool
holds(const struct audit_hit *hits, const char *id)
{
    for (const struct audit_hit *hit = hits; hit != NULL; hit = hit->next)
        if (strcmp(hit->rule->id, id) == 0) {
            assert_int_equal(hit->value, AUDIT_YES);
            assert_non_null(hit->text);
            return true;
        }
    return false;
}

static inline void
derive(void)
{
    facts_derive(&inventory);
    rules_apply(&inventory);
}

#endif
