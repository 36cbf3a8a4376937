/* Conditions about names: what programs call their topics. A name alone proves nothing, so that
 * these rules say "named as". */
#include <inttypes.h>
#include <string.h>

#include "audit/facts.h"
#include "audit/names.h"
#include "audit/rules_when.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

static bool
is_named(struct rules_look *look, enum names_kind kind)
{
    const char *pattern = look->names[kind];

    return pattern != NULL && rules_when_seen(look, AUDIT_METADATA, "its name fits %s", pattern);
}

bool
rules_when_is_mirror_maker(struct rules_look *look)
{
    return is_named(look, NAMES_MIRROR_MAKER);
}

/* ALIAS.TOPIC, where ALIAS.heartbeats or ALIAS.checkpoints.internal is there, too. */
bool
rules_when_is_mirrored(struct rules_look *look)
{
    static const char *const signs[] = {".heartbeats", ".checkpoints.internal"};
    const char *name = look->topic->name, *dot = strchr(name, '.');

    if (dot == NULL || rules_when_is_mirror_maker(look))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        const char *sign =
            inventory_printf(look->inventory, "%.*s%s", (int)(dot - name), name, signs[i]);

        if (inventory_topic(look->inventory, codec_string(sign)) != INVENTORY_NO_NUMBER)
            return rules_when_seen(look, AUDIT_METADATA, "%s is there, too", sign);
    }
    return false;
}

bool
rules_when_is_ksql(struct rules_look *look)
{
    return is_named(look, NAMES_KSQL);
}

bool
rules_when_is_debezium(struct rules_look *look)
{
    return is_named(look, NAMES_DEBEZIUM);
}

bool
rules_when_is_vendor(struct rules_look *look)
{
    return is_named(look, NAMES_VENDOR);
}

bool
rules_when_is_schema_registry(struct rules_look *look)
{
    return is_named(look, NAMES_SCHEMA_REGISTRY);
}

bool
rules_when_is_connect(struct rules_look *look)
{
    return is_named(look, NAMES_CONNECT);
}

bool
rules_when_is_iceberg_control(struct rules_look *look)
{
    return is_named(look, NAMES_ICEBERG_CONTROL);
}

bool
rules_when_is_dead_letters(struct rules_look *look)
{
    return is_named(look, NAMES_DEAD_LETTERS);
}

bool
rules_when_is_reserved(struct rules_look *look)
{
    return !look->topic->is_internal && strncmp(look->topic->name, "__", 2) == 0 &&
           rules_when_seen(look, AUDIT_METADATA, "%s", look->topic->name);
}

bool
rules_when_is_request_reply(struct rules_look *look)
{
    return is_named(look, NAMES_REQUEST_REPLY);
}

bool
rules_when_is_flink_sink(struct rules_look *look)
{
    const struct audit_flink *flink = &look->topic->flink;

    return flink->transactional_id != NULL &&
           rules_when_seen(look, flink->probe,
               "%s, of %" PRIu64 " transactional ids that differ in their last number only",
               flink->transactional_id, flink->ids);
}

bool
rules_when_is_flink_source(struct rules_look *look)
{
    const struct audit_flink *flink = &look->topic->flink;

    return flink->reader != NULL &&
           rules_when_seen(look, AUDIT_REQUESTS, "client %s reads it, and client %s is there, too",
               flink->reader, flink->enumerator);
}
