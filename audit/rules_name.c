/* Conditions about names: what programs call their topics. A name alone proves nothing, so that
 * these rules say "named as". */
#include <fnmatch.h>
#include <string.h>

#include "audit/facts.h"
#include "audit/rules_when.h"
#include "lib/base/xalloc.h"

/* The first pattern, as in a shell, that a topic's name fits. */
static bool
is_named(struct rules_look *look, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fnmatch(patterns[i], look->topic->name, 0) == 0)
            return rules_when_seen(look, AUDIT_METADATA, "its name fits %s", patterns[i]);
    return false;
}

bool
rules_when_is_mirror_maker(struct rules_look *look)
{
    static const char *const patterns[] = {"heartbeats", "*.heartbeats", "*.checkpoints.internal",
        "mm2-offset-syncs.*.internal", "mm2-configs.*.internal", "mm2-offsets.*.internal",
        "mm2-status.*.internal"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
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

        if (inventory_topic(look->inventory, (struct wire_string){sign, (int32_t)strlen(sign)}) !=
            INVENTORY_NO_NUMBER)
            return rules_when_seen(look, AUDIT_METADATA, "%s is there, too", sign);
    }
    return false;
}

bool
rules_when_is_ksql(struct rules_look *look)
{
    static const char *const patterns[] = {
        "_confluent-ksql-*", "*ksql_processing_log", "*_command_topic"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
}

bool
rules_when_is_debezium(struct rules_look *look)
{
    static const char *const patterns[] = {"*schema-changes*", "*schemahistory*",
        "*schema-history*", "*dbhistory*", "*debezium_signal*", "*debezium-signal*"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
}

bool
rules_when_is_vendor(struct rules_look *look)
{
    static const char *const patterns[] = {"__amazon_msk*", "_confluent-controlcenter*",
        "_confluent-command", "_confluent-metrics", "_confluent-telemetry*",
        "_confluent-monitoring", "_confluent_balancer*", "_confluent-link-metadata", "_redpanda*",
        "__strimzi*", "strimzi.cruisecontrol.*", "__CruiseControl*", "__KafkaCruiseControl*",
        "__remote_log_metadata", "__automq*", "__auto_balancer*"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
}

bool
rules_when_is_schema_registry(struct rules_look *look)
{
    static const char *const patterns[] = {
        "_schemas", "_schemas-*", "_schemas_*", "__kafka_schemas", "_schema_encoders"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
}

bool
rules_when_is_connect(struct rules_look *look)
{
    static const char *const patterns[] = {"connect-configs", "connect-offsets", "connect-status",
        "*-connect-configs", "*-connect-offsets", "*-connect-status", "*connect-cluster-configs",
        "*connect-cluster-offsets", "*connect-cluster-status"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
}

bool
rules_when_is_iceberg_control(struct rules_look *look)
{
    static const char *const patterns[] = {"control-iceberg", "control-iceberg-*"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
}

bool
rules_when_is_dead_letters(struct rules_look *look)
{
    static const char *const patterns[] = {"*-dlq", "*.dlq", "*_dlq", "*-dlt", "*.DLT", "*.DLQ",
        "*-DLQ", "*-dead-letter*", "*.dead-letter*", "*-retry", "*-retry-[0-9]*", "*.retry"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
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
    static const char *const patterns[] = {"*[-._]reply", "*[-._]replies", "*[-._]response",
        "*[-._]responses", "*[-._]requests", "*[-._]request", "*[-._]rpc", "rpc[-._]*"};

    return is_named(look, patterns, ARRAY_LEN(patterns));
}
