/* Conditions about a topic's configs. */
#include <inttypes.h>
#include <string.h>

#include "audit/rules_when.h"
#include "lib/base/xalloc.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define MESSAGE_BYTES_DEFAULT 1048588
#define MESSAGE_BYTES_HUGE (INT64_C(8) << 20)

static const struct audit_config *
config_of(const struct rules_look *look, enum audit_topic_config config)
{
    return &look->topic->configs[config];
}

/* Tells a config and whose it is. */
static bool
told(struct rules_look *look, enum audit_topic_config config)
{
    const struct audit_config *own = config_of(look, config);

    return rules_when_seen(look, AUDIT_CONFIGS, "%s=%s, %s", inventory_topic_key(config),
        own->value, own->is_own ? "set on the topic" : "the brokers' default");
}

static bool
is_set_to(struct rules_look *look, enum audit_topic_config config, const char *value)
{
    const char *text = config_of(look, config)->value;

    return text != NULL && strcmp(text, value) == 0 && told(look, config);
}

/* The first of some configs that is set on the topic itself. */
static bool
is_own_of(struct rules_look *look, const enum audit_topic_config *configs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (config_of(look, configs[i])->is_own)
            return told(look, configs[i]);
    return false;
}

static bool
deletes(const struct rules_look *look)
{
    const char *policy = config_of(look, AUDIT_CONFIG_CLEANUP_POLICY)->value;

    return policy != NULL && strstr(policy, "delete") != NULL;
}

static int64_t
number(const struct rules_look *look, enum audit_topic_config config, int64_t otherwise)
{
    return inventory_number(look->topic, config, otherwise);
}

/* --- retention ---------------------------------------------------------------------------------
 */

/* An empty policy keeps everything, too. */
static bool
keeps_all(const struct rules_look *look)
{
    const char *policy = config_of(look, AUDIT_CONFIG_CLEANUP_POLICY)->value;

    if (policy == NULL || inventory_is_compacted(look->topic))
        return false;
    return !deletes(look) || (number(look, AUDIT_CONFIG_RETENTION_MS, 0) == -1 &&
                                 number(look, AUDIT_CONFIG_RETENTION_BYTES, 0) == -1);
}

bool
rules_when_is_kept_for_ever(struct rules_look *look)
{
    return keeps_all(look) &&
           told(look, deletes(look) ? AUDIT_CONFIG_RETENTION_MS : AUDIT_CONFIG_CLEANUP_POLICY);
}

bool
rules_when_was_cut(struct rules_look *look)
{
    return keeps_all(look) && look->topic->began_later &&
           rules_when_seen(look, AUDIT_OFFSETS, "some partitions begin above offset 0");
}

bool
rules_when_is_kept_by_size(struct rules_look *look)
{
    return deletes(look) && number(look, AUDIT_CONFIG_RETENTION_BYTES, -1) >= 0 &&
           told(look, AUDIT_CONFIG_RETENTION_BYTES);
}

bool
rules_when_is_kept_shortly(struct rules_look *look)
{
    int64_t retention_ms = number(look, AUDIT_CONFIG_RETENTION_MS, -1);

    return deletes(look) && retention_ms >= 0 &&
           retention_ms < number(look, AUDIT_CONFIG_SEGMENT_MS, -1) && retention_ms <= DAY_MS &&
           rules_when_seen(look, AUDIT_CONFIGS, "retention.ms=%" PRId64 ", segment.ms=%s",
               retention_ms, config_of(look, AUDIT_CONFIG_SEGMENT_MS)->value);
}

bool
rules_when_expires_while_it_is_copied(struct rules_look *look)
{
    int64_t retention_ms = number(look, AUDIT_CONFIG_RETENTION_MS, -1);

    return deletes(look) && retention_ms >= 0 && retention_ms <= DAY_MS &&
           told(look, AUDIT_CONFIG_RETENTION_MS);
}

/* --- others ------------------------------------------------------------------------------------
 */

bool
rules_when_must_be_compacted_in_time(struct rules_look *look)
{
    return inventory_is_compacted(look->topic) &&
           config_of(look, AUDIT_CONFIG_MAX_COMPACTION_LAG_MS)->is_own &&
           told(look, AUDIT_CONFIG_MAX_COMPACTION_LAG_MS);
}

bool
rules_when_is_tiered(struct rules_look *look)
{
    const struct audit_topic *topic = look->topic;

    if (!is_set_to(look, AUDIT_CONFIG_REMOTE_STORAGE_ENABLE, "true"))
        return false;
    if (topic->tiered == 0)
        return true;
    return rules_when_seen(look, AUDIT_LOCAL_STARTS,
        "%" PRId64 " of %" PRId64 " offsets lie in tiered storage alone, which its size leaves out",
        topic->tiered, topic->offsets);
}

bool
rules_when_keeps_local_tail(struct rules_look *look)
{
    static const enum audit_topic_config configs[] = {
        AUDIT_CONFIG_LOCAL_RETENTION_MS, AUDIT_CONFIG_LOCAL_RETENTION_BYTES};

    return is_own_of(look, configs, ARRAY_LEN(configs));
}

bool
rules_when_is_diskless(struct rules_look *look)
{
    return is_set_to(look, AUDIT_CONFIG_DISKLESS_ENABLE, "true");
}

bool
rules_when_wants_many_copies(struct rules_look *look)
{
    return number(look, AUDIT_CONFIG_MIN_INSYNC_REPLICAS, 1) > 1 &&
           told(look, AUDIT_CONFIG_MIN_INSYNC_REPLICAS);
}

bool
rules_when_elects_uncleanly(struct rules_look *look)
{
    return is_set_to(look, AUDIT_CONFIG_UNCLEAN_LEADER_ELECTION, "true");
}

bool
rules_when_has_append_time(struct rules_look *look)
{
    return is_set_to(look, AUDIT_CONFIG_TIMESTAMP_TYPE, "LogAppendTime");
}

bool
rules_when_bounds_timestamps(struct rules_look *look)
{
    static const enum audit_topic_config configs[] = {
        AUDIT_CONFIG_TIMESTAMP_BEFORE_MAX_MS, AUDIT_CONFIG_TIMESTAMP_AFTER_MAX_MS};

    return is_own_of(look, configs, ARRAY_LEN(configs));
}

bool
rules_when_has_huge_messages(struct rules_look *look)
{
    return number(look, AUDIT_CONFIG_MAX_MESSAGE_BYTES, 0) > MESSAGE_BYTES_HUGE &&
           told(look, AUDIT_CONFIG_MAX_MESSAGE_BYTES);
}

bool
rules_when_has_large_messages(struct rules_look *look)
{
    return number(look, AUDIT_CONFIG_MAX_MESSAGE_BYTES, 0) > MESSAGE_BYTES_DEFAULT &&
           told(look, AUDIT_CONFIG_MAX_MESSAGE_BYTES);
}

bool
rules_when_compresses_in_the_broker(struct rules_look *look)
{
    const char *type = config_of(look, AUDIT_CONFIG_COMPRESSION_TYPE)->value;

    return type != NULL && strcmp(type, "producer") != 0 &&
           told(look, AUDIT_CONFIG_COMPRESSION_TYPE);
}

bool
rules_when_flushes(struct rules_look *look)
{
    static const enum audit_topic_config configs[] = {
        AUDIT_CONFIG_FLUSH_MESSAGES, AUDIT_CONFIG_FLUSH_MS};

    return is_own_of(look, configs, ARRAY_LEN(configs));
}

bool
rules_when_tunes_segments(struct rules_look *look)
{
    static const enum audit_topic_config configs[] = {AUDIT_CONFIG_SEGMENT_BYTES,
        AUDIT_CONFIG_SEGMENT_MS, AUDIT_CONFIG_SEGMENT_JITTER_MS, AUDIT_CONFIG_SEGMENT_INDEX_BYTES,
        AUDIT_CONFIG_INDEX_INTERVAL_BYTES, AUDIT_CONFIG_PREALLOCATE,
        AUDIT_CONFIG_FILE_DELETE_DELAY_MS, AUDIT_CONFIG_LEADER_THROTTLES,
        AUDIT_CONFIG_FOLLOWER_THROTTLES};

    return is_own_of(look, configs, ARRAY_LEN(configs));
}
