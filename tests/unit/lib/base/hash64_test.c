#include "lib/base/hash64.h"

#include "tests/unit/unit.h"

/* Values of hash4j's Hashing.xxh3_64, which Kafka uses. */
static void
the_hash_is_that_of_hash4j(void **state)
{
    static const uint8_t one[8] = {1}, text[8] = {'a', 0, 'b', 0, 2};

    (void)state;
    assert_true(hash64_of(one, sizeof one) == UINT64_C(0x2fbc593564db792e));
    assert_true(hash64_of(text, sizeof text) == UINT64_C(0x7adc70f71a0e43bf));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_that_of_hash4j),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
