#include "refbroker/meta/features.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define SETTING_BYTES 64

static const struct feature_row rows[] = {
#define FEATURE(id, name, lowest, highest, level) {name, lowest, highest, level},
#include "refbroker/meta/features.def"
#undef FEATURE
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

enum rc
features_load(struct features *features, struct catalog *catalog, struct err *e)
{
    for (enum feature_id id = 0; id < FEATURE_COUNT; id++) {
        char name[SETTING_BYTES], value[16] = "";
        enum rc rc;
        long level;

        setting_name(id, name);
        rc = catalog_get_setting(catalog, name, value, sizeof value, e);
        if (rc != RC_OK && rc != RC_NOTFOUND)
            return rc;
        level = rc == RC_OK ? strtol(value, NULL, 10) : rows[id].level;
        if (level < 0 || level > rows[id].highest)
            return err_set(e, RC_CORRUPT, "metadata: %s is %s", name, value);
        features->levels[id] = (int16_t)level;
    }
    return RC_OK;
}

static enum rc
refuse(struct wire_string name, int16_t level, const char *why, struct err *e)
{
    return err_set(e, RC_CONFIG, "Invalid update version %d for feature %.*s. %s", level, name.size,
        name.data, why);
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
    if (level > rows[id].highest || level < rows[id].lowest) {
        snprintf(why, sizeof why, "Local controller %d only supports versions %d-%d", node_id,
            rows[id].lowest, rows[id].highest);
        return refuse(name, level, why, e);
    }
    if (level < features->levels[id] && change == FEATURE_UPGRADE)
        return refuse(name, level,
            "Can't downgrade the version of this feature without setting the upgrade type to "
            "either safe or unsafe downgrade.",
            e);
    if (level > features->levels[id] && change != FEATURE_UPGRADE)
        return refuse(name, level, "Can't downgrade to a newer version.", e);
    /* What this broker writes does not depend on it, and an older level cannot be had here. */
    if (id == FEATURE_METADATA_VERSION && level < features->levels[id])
        return err_set(e, RC_CONFIG,
            "Invalid metadata.version %d. Refusing to perform the requested downgrade because it "
            "might delete metadata information.",
            level);
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
