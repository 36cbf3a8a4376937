/* Levels of features: where a new folder begins, what may follow, what comes back. The answers to
 * requests are compared with Kafka's in tests/kafka/admin.t. */
#include "refbroker/meta/features.h"

#include "tests/sim/disk_cut.h"
#include "tests/unit/unit.h"

static struct disk *disk;
static struct work *work;
static struct catalog *catalog;

static int
setup(void **state)
{
    (void)state;
    disk = disk_cut_new(1);
    work = work_new(1, false, NULL, NULL);
    assert_int_equal(catalog_open(disk, work, 0, &catalog, NULL), RC_OK);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    catalog_close(catalog);
    work_free(work);
    disk_free(disk);
    return 0;
}

static enum rc
load(struct features *features, int16_t first, bool unstable, struct err *e)
{
    struct feature_settings settings = {first, unstable, -1, -1};

    *features = (struct features){0};
    return features_load(features, &settings, catalog, e);
}

static void
levels_are(const struct features *features, int16_t metadata, int16_t group, int16_t transaction,
    int16_t share)
{
    assert_int_equal(features->levels[FEATURE_SHARE_VERSION], share);
    assert_int_equal(features_share_groups(features), share > 0);
    assert_int_equal(features->levels[FEATURE_METADATA_VERSION], metadata);
    assert_int_equal(features->levels[FEATURE_GROUP_VERSION], group);
    assert_int_equal(features->levels[FEATURE_TRANSACTION_VERSION], transaction);
}

static void
a_new_folder_has_what_its_metadata_version_brings(void **state)
{
    static const int16_t firsts[][4] = {{7, 0, 0, 0}, {21, 0, 0, 0}, {22, 1, 0, 0}, {24, 1, 2, 0},
        {27, 1, 2, 0}, {28, 1, 2, 1}, {30, 1, 2, 1}};

    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        struct features features;

        assert_int_equal(load(&features, firsts[i][0], false, NULL), RC_OK);
        levels_are(&features, firsts[i][0], firsts[i][1], firsts[i][2], firsts[i][3]);
        teardown(state);
        setup(state);
    }
}

/* What a start says of one feature, whatever the other levels are. */
static void
first_level_holds(
    void **state, enum feature_id id, struct feature_settings *settings, int64_t *first)
{
    for (int16_t level = 0; level <= 1; level++) {
        struct features features = {0};

        settings->first_metadata_version = level == 0 ? 30 : 7;
        *first = level;
        assert_int_equal(features_load(&features, settings, catalog, NULL), RC_OK);
        assert_int_equal(features.levels[id], level);
        *first = 1 - level;
        assert_int_equal(features_load(&features, settings, catalog, NULL), RC_OK);
        assert_int_equal(features.levels[id], level);
        teardown(state);
        setup(state);
    }
}

static void
a_new_folder_has_share_and_streams_groups_as_the_settings_say(void **state)
{
    struct feature_settings settings = {30, false, -1, -1};

    first_level_holds(state, FEATURE_SHARE_VERSION, &settings, &settings.first_share_version);
    settings.first_share_version = -1;
    first_level_holds(state, FEATURE_STREAMS_VERSION, &settings, &settings.first_streams_version);
}

static void
streams_groups_come_with_metadata_version_4_2(void **state)
{
    struct features features;

    assert_int_equal(load(&features, 28, false, NULL), RC_OK);
    assert_false(features_streams_groups(&features));
    teardown(state);
    setup(state);
    assert_int_equal(load(&features, 29, false, NULL), RC_OK);
    assert_true(features_streams_groups(&features));
}

static void
levels_come_back_whatever_the_start_says(void **state)
{
    struct features features;

    (void)state;
    assert_int_equal(load(&features, 20, false, NULL), RC_OK);
    assert_int_equal(load(&features, 30, false, NULL), RC_OK);
    levels_are(&features, 20, 0, 0, 0);
    assert_int_equal(features_put(catalog, FEATURE_METADATA_VERSION, 25, NULL), RC_OK);
    assert_int_equal(features_put(catalog, FEATURE_TRANSACTION_VERSION, 1, NULL), RC_OK);
    assert_int_equal(load(&features, 30, false, NULL), RC_OK);
    levels_are(&features, 25, 0, 1, 0);
}

static void
what_is_not_released_wants_the_setting(void **state)
{
    struct features features;
    struct err e = {0};

    (void)state;
    assert_int_equal(load(&features, 31, false, &e), RC_CONFIG);
    assert_non_null(strstr(e.text, "--set unstable.feature.versions.enable=true"));
    assert_int_equal(load(&features, 31, true, NULL), RC_OK);
    assert_int_equal(features_highest(&features, FEATURE_METADATA_VERSION), 31);
    assert_int_equal(features_highest(&features, FEATURE_GROUP_VERSION), 1);
    assert_int_equal(load(&features, 30, false, NULL), RC_CONFIG);
    assert_int_equal(features_put(catalog, FEATURE_METADATA_VERSION, 32, NULL), RC_OK);
    assert_int_equal(load(&features, 30, true, NULL), RC_CORRUPT);
}

static enum rc
change(int16_t from, int16_t to, int8_t kind, struct err *e)
{
    static const struct wire_string name = {"metadata.version", 16};
    struct features features = {.unstable = true};

    features.levels[FEATURE_METADATA_VERSION] = from;
    return features_check(&features, name, to, kind, 1, e);
}

static void
metadata_version_goes_down_only_where_no_level_between_changed_the_metadata(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(change(7, 31, FEATURE_UPGRADE, &e), RC_OK);
    assert_int_equal(change(31, 30, FEATURE_SAFE_DOWNGRADE, &e), RC_OK);
    assert_int_equal(change(29, 23, FEATURE_SAFE_DOWNGRADE, &e), RC_OK);
    assert_int_equal(change(22, 17, FEATURE_UNSAFE_DOWNGRADE, &e), RC_OK);
    assert_int_equal(change(31, 29, FEATURE_SAFE_DOWNGRADE, &e), RC_CONFIG);
    assert_string_equal(e.text,
        "Unsupported metadata.version downgrade from 31 to 29. Refusing to perform the requested "
        "downgrade because it might delete metadata information.");
    assert_int_equal(change(23, 22, FEATURE_UNSAFE_DOWNGRADE, &e), RC_CONFIG);
    assert_string_equal(e.text, "Unsupported metadata.version downgrade from 23 to 22. Unsafe "
                                "metadata downgrade is not supported in this version.");
    assert_int_equal(change(21, 20, FEATURE_UPGRADE, &e), RC_CONFIG);
    assert_int_equal(change(20, 21, FEATURE_SAFE_DOWNGRADE, &e), RC_CONFIG);
    assert_int_equal(change(30, 6, FEATURE_SAFE_DOWNGRADE, &e), RC_CONFIG);
    assert_string_equal(e.text, "Invalid update version 6 for feature metadata.version. Local "
                                "controller 1 only supports versions 7-31");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_new_folder_has_what_its_metadata_version_brings, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_new_folder_has_share_and_streams_groups_as_the_settings_say, setup, teardown),
        cmocka_unit_test_setup_teardown(
            streams_groups_come_with_metadata_version_4_2, setup, teardown),
        cmocka_unit_test_setup_teardown(levels_come_back_whatever_the_start_says, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_released_wants_the_setting, setup, teardown),
        cmocka_unit_test(
            metadata_version_goes_down_only_where_no_level_between_changed_the_metadata),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
