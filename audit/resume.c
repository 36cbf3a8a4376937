#include "audit/resume.h"

#include <string.h>

#include "lib/wire/codec.h"

/* Whether all partitions that were read are those of then. */
static bool
is_same(const struct audit_inventory *fresh, const struct audit_topic *topic,
    const struct audit_inventory *begun, const struct audit_topic *old)
{
    for (int32_t i = 0; i < old->partition_count; i++) {
        const struct audit_partition *then = &begun->partitions[old->first + (uint32_t)i];
        const struct audit_partition *now = &fresh->partitions[topic->first + (uint32_t)i];

        if (!then->is_sampled)
            continue;
        if (i >= topic->partition_count || now->end_offset < then->end_offset ||
            now->log_start_offset < then->log_start_offset)
            return false;
    }
    return true;
}

/* Partitions that had something to read, and were not done with: they counted as cut. */
static uint32_t
unread(const struct audit_inventory *begun, const struct audit_topic *old)
{
    uint32_t count = 0;

    for (int32_t i = 0; i < old->partition_count; i++) {
        const struct audit_partition *then = &begun->partitions[old->first + (uint32_t)i];

        count += !then->is_sampled && then->log_start_offset >= 0 &&
                 then->end_offset > then->log_start_offset;
    }
    return count;
}

static uint32_t
topic_take(struct audit_inventory *fresh, struct audit_topic *topic,
    const struct audit_inventory *begun, const struct audit_topic *old)
{
    uint32_t waiting = unread(begun, old), taken = 0;
    const char *programs = old->sample.programs;

    topic->sample = old->sample;
    if (programs != NULL)
        topic->sample.programs = inventory_text(fresh, programs, (int32_t)strlen(programs));
    topic->sample.cut = old->sample.cut > waiting ? old->sample.cut - waiting : 0;
    for (int32_t i = 0; i < old->partition_count && i < topic->partition_count; i++) {
        const struct audit_partition *then = &begun->partitions[old->first + (uint32_t)i];
        struct audit_partition *now = &fresh->partitions[topic->first + (uint32_t)i];

        if (!then->is_sampled)
            continue;
        now->is_sampled = true;
        topic->sample.cut += now->end_offset > then->end_offset;
        taken++;
    }
    return taken;
}

uint32_t
resume_take(struct audit_inventory *fresh, const struct audit_inventory *begun, uint64_t *bytes)
{
    uint32_t taken = 0;

    *bytes = 0;
    for (uint32_t t = 0; t < begun->topic_count; t++) {
        const struct audit_topic *old = &begun->topics[t];
        uint32_t place = inventory_topic(fresh, codec_string(old->name));

        if (place == INVENTORY_NO_NUMBER || old->sample.partitions == 0 ||
            !is_same(fresh, &fresh->topics[place], begun, old))
            continue;
        taken += topic_take(fresh, &fresh->topics[place], begun, old);
        *bytes += old->sample.bytes;
    }
    return taken;
}
