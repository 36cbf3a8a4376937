/* Hashes of texts beside Java's. */
#include "refbroker/coord/java_hash.h"

#include "tests/unit/unit.h"

static void
hashes_are_javas(void **state)
{
    (void)state;
    assert_int_equal(java_hash_text(""), 0);
    assert_int_equal(java_hash_text("range"), 108280125);
    assert_int_equal(java_hash_text("uniform"), -286926412);
    assert_int_equal(java_hash_text("m\xc3\xa9mbre-\xf0\x9f\x98\x80"), -521709268);
    /* What is no UTF-8 ends where the text does. */
    assert_int_equal(java_hash_text("\xf0"), 0xfffd);
    assert_int_equal(java_hash_text("\xf0\x9f"), 0xfffd);
    assert_int_equal(java_hash_text("\xe9"), 0xfffd);
    assert_int_equal(java_hash_text("\x80"), 0xfffd);
    assert_int_equal(java_hash_text("\xf8"), 0xfffd);
}

/* Uuid.hashCode: the four words of the id, each over the others. */
static void
an_id_s_hash_is_made_of_its_words(void **state)
{
    static const struct wire_uuid id = {
        {0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0x10, 0, 0xff, 0xff, 0xff, 0xff}};

    (void)state;
    assert_int_equal(java_hash_uuid(&id), (int32_t)(0x80000001u ^ 2u ^ 0x1000u ^ 0xffffffffu));
}

static void
a_table_grows_beyond_three_quarters(void **state)
{
    (void)state;
    assert_int_equal(java_hash_capacity(16, 12), 16);
    assert_int_equal(java_hash_capacity(16, 13), 32);
    assert_int_equal(java_hash_capacity(1, 1), 2);
    assert_int_equal(java_hash_reserved(0), 1);
    assert_int_equal(java_hash_reserved(9), 16);
    assert_int_equal(java_hash_copied(0), 16);
    assert_int_equal(java_hash_copied(12), 32);
    assert_int_equal(java_hash_bucket(0x10001, 16), 0);
    assert_int_equal(java_hash_bucket(-1, 16), 0);
}

static void
a_table_has_its_entries_by_bucket(void **state)
{
    struct java_hash_entry entries[] = {{.hash = 17, .at = 0}, {.hash = 2, .at = 1},
        {.hash = 1, .at = 2}, {.hash = 16, .at = 3}, {.hash = 33, .at = 4}};
    static const size_t in_16[] = {3, 0, 2, 4, 1}, in_32[] = {2, 4, 1, 3, 0};

    (void)state;
    java_hash_sort(entries, 5, 16);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(entries[i].at, in_16[i]);
    java_hash_sort(entries, 5, 32);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(entries[i].at, in_32[i]);
    java_hash_sort(entries, 0, 16);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_javas),
        cmocka_unit_test(an_id_s_hash_is_made_of_its_words),
        cmocka_unit_test(a_table_grows_beyond_three_quarters),
        cmocka_unit_test(a_table_has_its_entries_by_bucket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
