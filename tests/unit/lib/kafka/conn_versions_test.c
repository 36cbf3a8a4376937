/* Ranges of both sides and of the caller, crossed. */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "lib/kafka/conn_versions.h"
#include "lib/wire/frame.h"

static struct conn_versions versions;

static void
load(int16_t key, int16_t min, int16_t max)
{
    struct km_api_versions_response_api_version rows[2] = {{.api_key = key}, {.api_key = 9999}};
    struct km_api_versions_response response = {.api_keys = {rows, 2}};

    rows[0].min_version = min;
    rows[0].max_version = max;
    conn_versions_load(&versions, &response);
}

static void
the_highest_common_version_is_taken(void **state)
{
    static const struct {
        int16_t min, max;         /* the broker's */
        struct wire_range wanted; /* the caller's; empty: any */
        int16_t expected;         /* -1: none */
    } rows[] = {
        {0, 13, {0, -1}, 13},
        {0, 99, {0, -1}, 13},
        {0, 5, {0, -1}, 5},
        {14, 20, {0, -1}, -1},
        {0, 13, {0, 0}, 0},
        {0, 13, {4, 8}, 8},
        {0, 6, {4, 8}, 6},
        {0, 3, {4, 8}, -1},
        {9, 13, {4, 8}, -1},
        {-5, 13, {0, -1}, 13},
        {5, 2, {0, -1}, -1},
    };
    const struct wire_api *api = frame_api(KM_METADATA);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct wire_range *wanted = rows[i].wanted.max < 0 ? NULL : &rows[i].wanted;
        int16_t version = -1;
        enum rc rc;

        load(KM_METADATA, rows[i].min, rows[i].max);
        rc = conn_versions_pick(&versions, api, wanted, &version, NULL);
        assert_int_equal(rc, rows[i].expected < 0 ? RC_UNSUPPORTED : RC_OK);
        assert_int_equal(version, rows[i].expected);
    }
}

static void
an_api_that_is_not_listed_is_not_spoken(void **state)
{
    struct err e;
    int16_t version;

    (void)state;
    conn_versions_clear(&versions);
    for (size_t i = 0; i < KM_API_COUNT; i++)
        assert_int_equal(
            conn_versions_pick(&versions, &km_apis[i], NULL, &version, &e), RC_UNSUPPORTED);
    assert_non_null(strstr(e.text, "it does not speak"));
    load(KM_METADATA, 0, 13);
    assert_int_equal(
        conn_versions_pick(&versions, frame_api(KM_FETCH), NULL, &version, &e), RC_UNSUPPORTED);
    assert_int_equal(conn_versions_range(&versions, frame_api(KM_METADATA)).max, 13);
}

static void
an_unstable_version_is_used_only_when_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < KM_API_COUNT; i++) {
        const struct wire_message *request = km_apis[i].request;
        struct wire_range last = {request->versions.max, request->versions.max};
        int16_t version;

        if (!request->last_unstable)
            continue;
        load(km_apis[i].key, 0, 99);
        if (request->versions.max > request->versions.min) {
            assert_int_equal(
                conn_versions_pick(&versions, &km_apis[i], NULL, &version, NULL), RC_OK);
            assert_int_equal(version, last.max - 1);
        }
        assert_int_equal(conn_versions_pick(&versions, &km_apis[i], &last, &version, NULL), RC_OK);
        assert_int_equal(version, last.max);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_common_version_is_taken),
        cmocka_unit_test(an_api_that_is_not_listed_is_not_spoken),
        cmocka_unit_test(an_unstable_version_is_used_only_when_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
