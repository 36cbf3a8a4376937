#include "lib/wire/codec_value.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static void
numbers_of_every_width_are_loaded_with_their_sign(void **state)
{
    const int8_t byte = -3;
    const int16_t half = -300;
    const uint16_t unsigned_half = 65535;
    const int32_t word = INT32_MIN;
    const int64_t wide = INT64_MIN;
    const bool flag = true;
    const double real = 2.5;
    const struct {
        enum wire_kind kind;
        const void *at;
        int64_t number;
    } rows[] = {{WIRE_BOOL, &flag, 1}, {WIRE_INT8, &byte, -3}, {WIRE_INT16, &half, -300},
        {WIRE_UINT16, &unsigned_half, 65535}, {WIRE_INT32, &word, INT32_MIN},
        {WIRE_INT64, &wide, INT64_MIN}};
    struct wire_field field = {.kind = WIRE_FLOAT64};

    (void)state;
    assert_true(codec_value_load(&field, &real, false).real == 2.5);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct codec_value value;

        field.kind = rows[i].kind;
        value = codec_value_load(&field, rows[i].at, false);
        assert_int_equal(
            value.kind, rows[i].kind == WIRE_BOOL ? CODEC_VALUE_BOOL : CODEC_VALUE_INT);
        assert_int_equal(value.number, rows[i].number);
    }
}

static void
negative_sizes_and_null_pointers_are_null(void **state)
{
    const struct wire_string string = {NULL, -1};
    const struct wire_bytes bytes = {NULL, -1};
    const struct wire_records records = {NULL, NULL, -1, 0};
    const struct wire_array array = {NULL, -1};
    void *const pointer = NULL;
    const struct wire_field fields[] = {{.kind = WIRE_STRING}, {.kind = WIRE_BYTES},
        {.kind = WIRE_RECORDS}, {.kind = WIRE_INT32, .is_array = true},
        {.kind = WIRE_STRUCT, .is_pointer = true}};
    const void *const members[] = {&string, &bytes, &records, &array, &pointer};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        assert_int_equal(codec_value_load(&fields[i], members[i], false).kind, CODEC_VALUE_NULL);
}

static void
elements_of_an_array_are_loaded_one_by_one(void **state)
{
    int32_t items[] = {5, -6};
    const struct wire_array array = {items, 2};
    const struct wire_field field = {.kind = WIRE_INT32, .is_array = true};
    struct codec_value value = codec_value_load(&field, &array, false);

    (void)state;
    assert_int_equal(value.kind, CODEC_VALUE_ARRAY);
    assert_int_equal(value.size, 2);
    assert_int_equal(codec_value_element(&field, &value, 1).number, -6);
}

static void
a_version_has_the_fields_of_its_range(void **state)
{
    const struct wire_field field = {.versions = {2, 4}};

    (void)state;
    assert_false(codec_value_has(&field, 1));
    assert_true(codec_value_has(&field, 2));
    assert_true(codec_value_has(&field, 4));
    assert_false(codec_value_has(&field, 5));
}

static void
records_whose_fragments_end_too_early_differ(void **state)
{
    static const struct wire_fragment piece = {(const uint8_t *)"abc", 3};
    const struct codec_value whole = {
        .kind = CODEC_VALUE_RECORDS, .records = {(const uint8_t *)"abcd", NULL, 4, 0}};
    const struct codec_value part = {.kind = CODEC_VALUE_RECORDS, .records = {NULL, &piece, 4, 1}};

    (void)state;
    assert_true(codec_value_equal(&whole, &whole));
    assert_false(codec_value_equal(&whole, &part));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_width_are_loaded_with_their_sign),
        cmocka_unit_test(negative_sizes_and_null_pointers_are_null),
        cmocka_unit_test(elements_of_an_array_are_loaded_one_by_one),
        cmocka_unit_test(a_version_has_the_fields_of_its_range),
        cmocka_unit_test(records_whose_fragments_end_too_early_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
