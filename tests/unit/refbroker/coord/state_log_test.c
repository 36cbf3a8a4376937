#include "refbroker/coord/state_log.h"

#include "tests/unit/unit.h"

/* What Java's Math.abs(id.hashCode()) % 50 gives, from Kafka's GroupMetadataManager.partitionFor.
 */
static void
the_partition_of_an_id_is_kafkas(void **state)
{
    static const struct {
        const char *id;
        int32_t partition;
    } cases[] = {{"", 0}, {"a", 47}, {"grp1", 48}, {"test-group", 12}, {"gr\xc3\xbc\xc3\x9f", 12},
        {"\xf0\x9f\x98\x80", 49}, {"g-2.27", 37}}; /* the last has a negative hash */

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(state_log_partition_among(cases[i].id, 50), cases[i].partition);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_partition_of_an_id_is_kafkas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
