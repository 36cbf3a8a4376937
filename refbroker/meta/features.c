#include "refbroker/meta/features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define SETTING_BYTES 64

static const struct feature_row rows[] = {
#define FEATURE(id, name, lowest, highest, since) {name, lowest, highest, since},
#include "refbroker/meta/features.def"
#undef FEATURE
};

/* Whether a level of metadata.version, from the lowest on, changes the metadata. */
static const bool changes_metadata[] = {
#define METADATA_VERSION(level, name, changes) changes,
#include "refbroker/meta/metadata_versions.def"
#undef METADATA_VERSION
};

const struct feature_row *
features_row(enum feature_id id)
{
    return &rows[id];
}

enum feature_id
features_find(struct wire_string name)
{
    enum feature_id id = 0;

    while (id < FEATURE_COUNT && (name.size < 0 || strlen(rows[id].name) != (size_t)name.size ||
                                     memcmp(rows[id].name, name.data, (size_t)name.size) != 0))
        id++;
    return id;
}

static void
setting_name(enum feature_id id, char out[SETTING_BYTES])
{
    snprintf(out, SETTING_BYTES, "feature.%s", rows[id].name);
}

int16_t
features_highest(const struct features *features, enum feature_id id)
{
    int16_t latest = (int16_t)(rows[id].lowest + (int16_t)ARRAY_LEN(changes_metadata) - 1);

    return id == FEATURE_METADATA_VERSION && features->unstable ? latest : rows[id].highest;
}

bool
features_share_groups(const struct features *features)
{
    return features->levels[FEATURE_SHARE_VERSION] >= 1;
}

bool
features_streams_groups(const struct features *features)
{
    return features->levels[FEATURE_STREAMS_VERSION] >= 1;
}

/* The level of a new folder. */
static int16_t
first_level(const struct feature_settings *settings, enum feature_id id)
{
    if (id == FEATURE_METADATA_VERSION)
        return (int16_t)settings->first_metadata_version;
    if (id == FEATURE_SHARE_VERSION && settings->first_share_version >= 0)
        return (int16_t)settings->first_share_version;
    if (id == FEATURE_STREAMS_VERSION && settings->first_streams_version >= 0)
        return (int16_t)settings->first_streams_version;
    return settings->first_metadata_version >= rows[id].since ? rows[id].highest : 0;
}

static enum rc
level_load(struct features *features, const struct feature_settings *settings,
    struct catalog *catalog, enum feature_id id, struct err *e)
{
    char name[SETTING_BYTES], value[16] = "";
    enum rc rc;
    long level;

    setting_name(id, name);
    rc = catalog_get_setting(catalog, name, value, sizeof value, e);
    if (rc != RC_OK && rc != RC_NOTFOUND)
        return rc;
    level = rc == RC_OK ? strtol(value, NULL, 10) : first_level(settings, id);
    if (id == FEATURE_METADATA_VERSION && level == rows[id].highest + 1 && !features->unstable)
        return err_set(e, RC_CONFIG,
            "metadata.version %ld is not released in Kafka 4.3: --set "
            "unstable.feature.versions.enable=true",
            level);
    if (level < 0 || level > features_highest(features, id))
        return err_set(e, RC_CORRUPT, "metadata: %s is %s", name, value);
    features->levels[id] = (int16_t)level;
    return rc == RC_OK ? RC_OK : features_put(catalog, id, features->levels[id], e);
}

enum rc
features_load(struct features *features, const struct feature_settings *settings,
    struct catalog *catalog, struct err *e)
{
    enum rc rc = RC_OK;

    features->unstable = settings->unstable;
    for (enum feature_id id = 0; id < FEATURE_COUNT && rc == RC_OK; id++)
        rc = level_load(features, settings, catalog, id, e);
    return rc;
}

static enum rc
refuse(struct wire_string name, int16_t level, const char *why, struct err *e)
{
    return err_set(e, RC_CONFIG, "Invalid update version %d for feature %.*s. %s", level, name.size,
        name.data, why);
}

/* Records of Kafka's metadata might be lost where one of the levels that go had brought a change.
 */
static enum rc
metadata_check(int16_t now, int16_t level, int8_t change, struct err *e)
{
    for (int16_t gone = now; gone > level; gone--)
        if (changes_metadata[gone - rows[FEATURE_METADATA_VERSION].lowest])
            return err_set(e, RC_CONFIG, "Unsupported metadata.version downgrade from %d to %d. %s",
                now, level,
                change == FEATURE_UNSAFE_DOWNGRADE
                    ? "Unsafe metadata downgrade is not supported in this version."
                    : "Refusing to perform the requested downgrade because it might delete "
                      "metadata information.");
    return RC_OK;
}

enum rc
features_check(const struct features *features, struct wire_string name, int16_t level,
    int8_t change, int32_t node_id, struct err *e)
{
    enum feature_id id = features_find(name);
    char why[128];

    if (change < FEATURE_UPGRADE || change > FEATURE_UNSAFE_DOWNGRADE)
        return refuse(name, level, "The controller does not support the given upgrade type.", e);
    if (level < 0)
        return refuse(name, level, "A feature version cannot be less than 0.", e);
    if (id == FEATURE_COUNT) {
        snprintf(why, sizeof why, "Local controller %d does not support this feature.", node_id);
        return refuse(name, level, why, e);
    }
    if (level > features_highest(features, id) || level < rows[id].lowest) {
        snprintf(why, sizeof why, "Local controller %d only supports versions %d-%d", node_id,
            rows[id].lowest, features_highest(features, id));
        return refuse(name, level, why, e);
    }
    if (level < features->levels[id] && change == FEATURE_UPGRADE)
        return refuse(name, level,
            "Can't downgrade the version of this feature without setting the upgrade type to "
            "either safe or unsafe downgrade.",
            e);
    if (level > features->levels[id] && change != FEATURE_UPGRADE)
        return refuse(name, level, "Can't downgrade to a newer version.", e);
    if (id == FEATURE_METADATA_VERSION)
        return metadata_check(features->levels[id], level, change, e);
    return RC_OK;
}

enum rc
features_put(struct catalog *catalog, enum feature_id id, int16_t level, struct err *e)
{
    char name[SETTING_BYTES], value[16];

    setting_name(id, name);
    snprintf(value, sizeof value, "%d", level);
    return catalog_put_setting(catalog, name, value, e);
}
