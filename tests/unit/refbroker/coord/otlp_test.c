/* Metrics that clients push, whatever they are. */
#include "refbroker/coord/otlp.h"

#include "lib/base/xalloc.h"
#include "tests/unit/refbroker/coord/otlp_rig.h"
#include "tests/unit/unit.h"

#define ARENA_BYTES ((size_t)16 << 20)
#define DATA_BYTES ((size_t)2 << 20)

struct rig {
    struct arena arena;
    struct buf data;
    struct otlp_report report;
};

static struct rig rig;

static int
setup(void **state)
{
    (void)state;
    arena_init(&rig.arena, ARENA_BYTES);
    buf_init(&rig.data, DATA_BYTES);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&rig.arena);
    buf_fini(&rig.data);
    return 0;
}

static enum rc
read_all(void)
{
    struct err e;

    arena_reset(&rig.arena);
    return otlp_read(rig.data.data, rig.data.size, &rig.arena, &rig.report, &e);
}

static void
assert_text(struct wire_string text, const char *wanted)
{
    assert_int_equal(text.size, strlen(wanted));
    assert_memory_equal(text.data, wanted, strlen(wanted));
}

static void
gauges_and_sums_are_told(void **state)
{
    (void)state;
    otlp_rig_gauge(&rig.data, "a.b", 0.25);
    otlp_rig_sum(&rig.data, "sum", 7, OTLP_RIG_SINCE_LAST);
    otlp_rig_sum(&rig.data, "all", -8, OTLP_RIG_SO_FAR);
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(rig.report.point_count, 3);
    assert_int_equal(rig.report.dropped_count, 0);
    assert_text(rig.report.points[0].name, "a.b");
    assert_true(rig.report.points[0].value == 0.25);
    assert_false(rig.report.points[0].counter || rig.report.points[0].adds);
    assert_int_equal(rig.report.points[0].attribute_count, 1);
    assert_text(rig.report.points[0].attributes[0].key, "group_id");
    assert_text(rig.report.points[0].attributes[0].value, "g");
    assert_text(rig.report.points[1].name, "sum");
    assert_true(rig.report.points[1].value == 7);
    assert_true(rig.report.points[1].counter && rig.report.points[1].adds);
    assert_true(rig.report.points[2].value == -8);
    assert_true(rig.report.points[2].counter && !rig.report.points[2].adds);
}

static void
nothing_at_all_is_no_metrics(void **state)
{
    (void)state;
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(rig.report.point_count, 0);
}

static void
attributes_are_those_of_the_client_then_those_of_the_point(void **state)
{
    static const char *const keys[] = {"text", "truth", "whole", "real", "none"};
    static const char *const wanted[] = {"x", "true", "-5", "0.5"};
    Otlp__Value values[ARRAY_LEN(keys)];
    Otlp__Attribute attributes[ARRAY_LEN(keys)], *pointers[ARRAY_LEN(keys)];
    Otlp__Point point = OTLP__POINT__INIT, *points[] = {&point};
    Otlp__Gauge gauge = OTLP__GAUGE__INIT;
    Otlp__Metric metric = OTLP__METRIC__INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        otlp__value__init(&values[i]);
    values[0].value_case = OTLP__VALUE__VALUE_TEXT;
    values[0].text = otlp_rig_text("x");
    values[1].value_case = OTLP__VALUE__VALUE_TRUTH;
    values[1].truth = 1;
    values[2].value_case = OTLP__VALUE__VALUE_WHOLE;
    values[2].whole = -5;
    values[3].value_case = OTLP__VALUE__VALUE_REAL;
    values[3].real = 0.5;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        otlp__attribute__init(&attributes[i]);
        attributes[i].key = otlp_rig_text(keys[i]);
        attributes[i].value = &values[i];
        pointers[i] = &attributes[i];
    }
    point.value_case = OTLP__POINT__VALUE_WHOLE;
    point.n_attributes = ARRAY_LEN(keys);
    point.attributes = pointers;
    gauge.n_points = 1;
    gauge.points = points;
    metric.data_case = OTLP__METRIC__DATA_GAUGE;
    metric.gauge = &gauge;
    otlp_rig_metric(&rig.data, &metric, "rack", "r1");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(rig.report.points[0].attribute_count, 5);
    assert_text(rig.report.points[0].attributes[0].value, "r1");
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_text(rig.report.points[0].attributes[i + 1].key, keys[i]);
        assert_text(rig.report.points[0].attributes[i + 1].value, wanted[i]);
    }
}

static void
other_kinds_and_points_without_a_number_are_counted(void **state)
{
    Otlp__Point point = OTLP__POINT__INIT, *points[] = {&point};
    Otlp__Gauge gauge = OTLP__GAUGE__INIT;
    Otlp__Metric metric = OTLP__METRIC__INIT;

    (void)state;
    otlp_rig_metric(&rig.data, &metric, NULL, NULL);
    gauge.n_points = 1;
    gauge.points = points;
    metric.data_case = OTLP__METRIC__DATA_GAUGE;
    metric.gauge = &gauge;
    otlp_rig_metric(&rig.data, &metric, NULL, NULL);
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(rig.report.point_count, 0);
    assert_int_equal(rig.report.dropped_count, 2);
}

static void
points_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    for (int i = 0; i < OTLP_POINTS_MAX + 5; i++)
        otlp_rig_gauge(&rig.data, "a", 1);
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(rig.report.point_count, OTLP_POINTS_MAX);
    assert_int_equal(rig.report.dropped_count, 5);
}

static void
attributes_beyond_the_limit_are_left_out(void **state)
{
    Otlp__Value text;
    Otlp__Attribute attribute = OTLP__ATTRIBUTE__INIT;
    Otlp__Attribute *pointers[OTLP_ATTRIBUTES_MAX + 5];
    Otlp__Point point = OTLP__POINT__INIT, *points[] = {&point};
    Otlp__Gauge gauge = OTLP__GAUGE__INIT;
    Otlp__Metric metric = OTLP__METRIC__INIT;

    (void)state;
    otlp__value__init(&text);
    text.value_case = OTLP__VALUE__VALUE_TRUTH;
    attribute.value = &text;
    for (size_t i = 0; i < ARRAY_LEN(pointers); i++)
        pointers[i] = &attribute;
    point.value_case = OTLP__POINT__VALUE_REAL;
    point.n_attributes = ARRAY_LEN(pointers);
    point.attributes = pointers;
    gauge.n_points = 1;
    gauge.points = points;
    metric.data_case = OTLP__METRIC__DATA_GAUGE;
    metric.gauge = &gauge;
    otlp_rig_metric(&rig.data, &metric, "rack", "r1");
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(rig.report.points[0].attribute_count, OTLP_ATTRIBUTES_MAX);
}

static void
every_cut_is_refused_or_less(void **state)
{
    size_t size, refused = 0;

    (void)state;
    otlp_rig_gauge(&rig.data, "name", 1);
    otlp_rig_sum(&rig.data, "sum", 7, OTLP_RIG_SINCE_LAST);
    size = rig.data.size;
    for (size_t i = 0; i < size; i++) {
        rig.data.size = i;
        if (read_all() == RC_CORRUPT)
            refused++;
        else
            assert_true(rig.report.point_count < 2);
    }
    /* All but nothing, and the end of the first metric. */
    assert_int_equal(refused, size - 2);
}

static void
every_changed_byte_is_survived(void **state)
{
    (void)state;
    otlp_rig_gauge(&rig.data, "name", 1);
    otlp_rig_sum(&rig.data, "sum", 7, OTLP_RIG_SINCE_LAST);
    for (size_t i = 0; i < rig.data.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            rig.data.data[i] ^= (uint8_t)(1U << bit);
            (void)read_all();
            rig.data.data[i] ^= (uint8_t)(1U << bit);
        }
    assert_int_equal(read_all(), RC_OK);
}

/* A field of one byte's number and of length-delimited type, with the content that stands there
 * already. */
static void
wrap(uint8_t field)
{
    uint8_t head[8];
    size_t size = 0, left = rig.data.size;
    struct buf out;

    head[size++] = (uint8_t)(field << 3 | 2);
    for (; left >= 0x80; left >>= 7)
        head[size++] = (uint8_t)(left | 0x80);
    head[size++] = (uint8_t)left;
    buf_init(&out, DATA_BYTES);
    buf_append(&out, head, size);
    buf_append(&out, rig.data.data, rig.data.size);
    buf_fini(&rig.data);
    rig.data = out;
}

/* Two bytes each, of which the library makes a message each. */
static void
what_becomes_too_large_in_memory_is_refused(void **state)
{
    static const uint8_t empty_metric[] = {0x12, 0x00};

    (void)state;
    while (rig.data.size < (size_t)1 << 20)
        buf_append(&rig.data, empty_metric, sizeof empty_metric);
    wrap(2);
    wrap(1);
    assert_int_equal(read_all(), RC_LIMIT);
}

/* The library joins what comes twice, and copies what it has each time. */
static void
what_is_repeated_to_be_joined_is_refused(void **state)
{
    static const uint8_t resource[] = {0x0a, 0x02, 0x0a, 0x00};

    (void)state;
    while (rig.data.size < (size_t)1 << 20)
        buf_append(&rig.data, resource, sizeof resource);
    wrap(1);
    assert_int_equal(read_all(), RC_LIMIT);
}

static void
fields_that_nobody_knows_are_passed_over(void **state)
{
    static const uint8_t unknown[] = {0x7a, 0x03, 1, 2, 3, 0x78, 0x05};

    (void)state;
    buf_append(&rig.data, unknown, sizeof unknown);
    otlp_rig_gauge(&rig.data, "name", 1);
    buf_append(&rig.data, unknown, sizeof unknown);
    assert_int_equal(read_all(), RC_OK);
    assert_int_equal(rig.report.point_count, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gauges_and_sums_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_at_all_is_no_metrics, setup, teardown),
        cmocka_unit_test_setup_teardown(
            attributes_are_those_of_the_client_then_those_of_the_point, setup, teardown),
        cmocka_unit_test_setup_teardown(
            other_kinds_and_points_without_a_number_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(points_beyond_the_limit_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(attributes_beyond_the_limit_are_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(every_cut_is_refused_or_less, setup, teardown),
        cmocka_unit_test_setup_teardown(every_changed_byte_is_survived, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_becomes_too_large_in_memory_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_repeated_to_be_joined_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(fields_that_nobody_knows_are_passed_over, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
