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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_javas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
