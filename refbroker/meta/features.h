/*
 * features: the levels of the cluster's features (KIP-584): what there is, what is in force, which
 * change is allowed. Rules and messages are those of FeatureControlManager.java; levels live in the
 * catalog as settings "feature.<name>".
 */
#ifndef REFBROKER_META_FEATURES_H
#define REFBROKER_META_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/wire/desc.h"
#include "refbroker/meta/catalog.h"

enum feature_id {
#define FEATURE(id, name, lowest, highest, since) FEATURE_##id,
#include "refbroker/meta/features.def"
#undef FEATURE
    FEATURE_COUNT
};

/* UpgradeType of UpdateFeatures. */
enum feature_change {
    FEATURE_UPGRADE = 1,
    FEATURE_SAFE_DOWNGRADE = 2,
    FEATURE_UNSAFE_DOWNGRADE = 3
};

struct feature_row {
    const char *name;
    int16_t lowest;
    int16_t highest;
    int16_t since; /* metadata.version from which on a new folder has it */
};

/* What the start says (broker_configs.def). */
struct feature_settings {
    int64_t first_metadata_version; /* of a new folder */
    bool unstable;                  /* what Kafka has not released may be had, too */
    int64_t first_share_version;    /* of a new folder; -1: as its metadata.version has it */
    int64_t first_streams_version;  /* so, too */
};

struct features {
    int16_t levels[FEATURE_COUNT]; /* 0: not in force */
    int64_t epoch;                 /* how often they changed since the start */
    bool unstable;
};

const struct feature_row *features_row(enum feature_id id);

/* features_find returns the feature of a name, or FEATURE_COUNT. */
enum feature_id features_find(struct wire_string name);

/* features_highest returns the highest level that a feature can be raised to. */
int16_t features_highest(const struct features *features, enum feature_id id);

/* features_share_groups tells whether there are share groups (ShareVersion.supportsShareGroups). */
bool features_share_groups(const struct features *features);

/* features_streams_groups tells so of streams groups (StreamsVersion.streamsGroupSupported). */
bool features_streams_groups(const struct features *features);

/* features_load reads the levels at a start, and keeps those of a new folder. RC_CORRUPT for one
 * that this broker does not know. */
MUST_CHECK enum rc features_load(struct features *features, const struct feature_settings *settings,
    struct catalog *catalog, struct err *e);

/* features_check tells why a change is not allowed: RC_CONFIG, in Kafka's words. */
MUST_CHECK enum rc features_check(const struct features *features, struct wire_string name,
    int16_t level, int8_t change, int32_t node_id, struct err *e);

/* features_put writes a level inside a job of the catalog. */
MUST_CHECK enum rc features_put(
    struct catalog *catalog, enum feature_id id, int16_t level, struct err *e);

#endif
