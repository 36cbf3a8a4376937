#include "audit/baseline.h"

#include "lib/wire/codec.h"

static bool
is_known(const struct audit_hit *hit, const struct audit_hit *before)
{
    for (; before != NULL; before = before->next)
        if (before->rule == hit->rule)
            return before->value == AUDIT_YES || hit->value == AUDIT_UNKNOWN;
    return false;
}

static void
hits_mark(struct audit_hit *hits, const struct audit_hit *before)
{
    for (struct audit_hit *hit = hits; hit != NULL; hit = hit->next)
        hit->is_known = is_known(hit, before);
}

void
baseline_apply(const struct audit_inventory *before, struct audit_inventory *inventory)
{
    hits_mark(inventory->hits, before->hits);
    for (uint32_t i = 0; i < inventory->topic_count; i++) {
        struct audit_topic *topic = &inventory->topics[i];
        uint32_t place = inventory_topic(before, codec_string(topic->name));

        hits_mark(topic->hits, place == INVENTORY_NO_NUMBER ? NULL : before->topics[place].hits);
    }
}
