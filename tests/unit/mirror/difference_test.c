#include "mirror/difference.h"

#include <string.h>

#include "tests/unit/unit.h"

static const uint8_t some[] = "some bytes", other[] = "some bytez";

static struct difference_record
record_at(int64_t offset)
{
    return (struct difference_record){.offset = offset,
        .base_offset = offset,
        .timestamp = 1000 + offset,
        .producer_id = -1,
        .producer_epoch = -1,
        .base_sequence = -1,
        .key = difference_blob_of(some, 4),
        .value = difference_blob_of(some, 10)};
}

/* Five records at the offsets 10, 11, 14, 20, 21. */
static size_t
five(struct difference_record *out)
{
    static const int64_t offsets[] = {10, 11, 14, 20, 21};

    for (size_t i = 0; i < 5; i++)
        out[i] = record_at(offsets[i]);
    return 5;
}

static void
print_expect(const struct difference *difference, const char *want)
{
    struct buf out;

    buf_init(&out, 4096);
    difference_print(difference, &out);
    assert_string_equal(buf_text(&out), want);
    buf_fini(&out);
}

static void
equal_rows_have_no_difference(void **state)
{
    struct difference_record a[5], b[5];

    (void)state;
    five(a);
    five(b);
    assert_false(difference_find(a, 5, b, 5).found);
    assert_false(difference_find(a, 0, b, 0).found);
}

static void
the_first_record_that_is_missing_is_named_on_either_side(void **state)
{
    struct difference_record a[5], b[5];
    struct difference found;

    (void)state;
    five(a);
    five(b);
    for (size_t missing = 0; missing < 5; missing++) {
        struct difference_record less[4];

        memcpy(less, b, missing * sizeof *b);
        memcpy(less + missing, b + missing + 1, (4 - missing) * sizeof *b);
        found = difference_find(a, 5, less, 4);
        assert_true(found.found);
        assert_int_equal(found.source.offset, a[missing].offset);
        assert_int_equal(found.target.offset, -1);
        found = difference_find(less, 4, a, 5);
        assert_int_equal(found.source.offset, -1);
        assert_int_equal(found.target.offset, a[missing].offset);
    }
    print_expect(&found,
        "offset 21: missing at the source (target: timestamp 1021, key 4 bytes dc956ac2e1c4631d, "
        "value 10 bytes 45c97cf9b0447624)");
}

static void
each_field_is_compared_and_named(void **state)
{
    struct difference_record changed[DIFFERENCE_FIELDS];
    struct difference_record a = record_at(7);

    (void)state;
    for (unsigned i = 0; i < DIFFERENCE_FIELDS; i++)
        changed[i] = a;
    changed[DIFFERENCE_BATCH].base_offset = 5;
    changed[DIFFERENCE_ATTRIBUTES].attributes = BATCH_VIEW_TRANSACTIONAL;
    changed[DIFFERENCE_TIMESTAMP].timestamp++;
    changed[DIFFERENCE_PRODUCER_ID].producer_id = 4;
    changed[DIFFERENCE_PRODUCER_EPOCH].producer_epoch = 4;
    changed[DIFFERENCE_SEQUENCE].base_sequence = 4;
    changed[DIFFERENCE_KEY].key = difference_blob_of(NULL, -1);
    changed[DIFFERENCE_VALUE].value = difference_blob_of(other, 10);
    changed[DIFFERENCE_HEADERS].headers.size = 1;
    for (unsigned i = 0; i < DIFFERENCE_FIELDS; i++) {
        struct difference found = difference_find(&a, 1, &changed[i], 1);
        struct buf out;

        assert_true(found.found);
        assert_int_equal(difference_fields(&found.source, &found.target, false), 1U << i);
        buf_init(&out, 4096);
        difference_print(&found, &out);
        assert_non_null(strstr(buf_text(&out), difference_field_text((enum difference_field)i)));
        buf_fini(&out);
    }
}

static void
all_that_differs_of_the_record_is_told(void **state)
{
    struct difference_record a = record_at(7), b = a;
    struct difference found;

    (void)state;
    b.timestamp = 5;
    b.key = difference_blob_of(NULL, -1);
    b.value = difference_blob_of(some, 0);
    found = difference_find(&a, 1, &b, 1);
    print_expect(&found,
        "offset 7: timestamp differs (source 1007, target 5), key differs (source 4 bytes "
        "dc956ac2e1c4631d, target null), value differs (source 10 bytes 45c97cf9b0447624, target 0 "
        "bytes)");
}

static void
null_is_not_empty(void **state)
{
    struct difference_blob null = difference_blob_of(NULL, -1), empty = difference_blob_of(some, 0);

    (void)state;
    assert_int_equal(null.size, -1);
    assert_int_equal(empty.size, 0);
}

static void
of_a_key_only_the_value_counts(void **state)
{
    struct difference_record a = record_at(7), b = record_at(9);
    struct difference difference = {.found = true, .of_key = true};

    (void)state;
    assert_int_equal(difference_fields(&a, &b, true), 0);
    b.value = difference_blob_of(other, 10);
    assert_int_equal(difference_fields(&a, &b, true), 1U << DIFFERENCE_VALUE);
    difference.source = a;
    difference.target = (struct difference_record){.offset = -1};
    print_expect(&difference,
        "last record of the key of 4 bytes dc956ac2e1c4631d, at the source at offset 7, nowhere at "
        "the target: missing at the target (source: value 10 bytes 45c97cf9b0447624)");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_rows_have_no_difference),
        cmocka_unit_test(the_first_record_that_is_missing_is_named_on_either_side),
        cmocka_unit_test(each_field_is_compared_and_named),
        cmocka_unit_test(all_that_differs_of_the_record_is_told),
        cmocka_unit_test(null_is_not_empty),
        cmocka_unit_test(of_a_key_only_the_value_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
