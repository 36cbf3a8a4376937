/* Configs of things that are no topics. */
#include "refbroker/meta/resource_configs.h"

#include "tests/unit/unit.h"

static void
a_thing_has_what_was_set_and_goes_with_it(void **state)
{
    struct resource_configs configs;
    size_t position = 0;

    (void)state;
    resource_configs_init(&configs);
    assert_null(resource_configs_get(&configs, RESOURCE_GROUP, "g", "a"));
    resource_configs_set(&configs, RESOURCE_GROUP, "g", "a", NULL);
    assert_null(resource_configs_next(&configs, RESOURCE_GROUP, &position));
    resource_configs_set(&configs, RESOURCE_GROUP, "g", "a", "1");
    resource_configs_set(&configs, RESOURCE_GROUP, "g", "b", "2");
    resource_configs_set(&configs, RESOURCE_GROUP, "g", "a", "3");
    assert_string_equal(resource_configs_get(&configs, RESOURCE_GROUP, "g", "a"), "3");
    assert_string_equal(resource_configs_get(&configs, RESOURCE_GROUP, "g", "b"), "2");
    resource_configs_set(&configs, RESOURCE_GROUP, "g", "a", NULL);
    position = 0;
    assert_string_equal(resource_configs_next(&configs, RESOURCE_GROUP, &position), "g");
    assert_null(resource_configs_next(&configs, RESOURCE_GROUP, &position));
    resource_configs_set(&configs, RESOURCE_GROUP, "g", "b", NULL);
    position = 0;
    assert_null(resource_configs_next(&configs, RESOURCE_GROUP, &position));
    resource_configs_fini(&configs);
}

static void
kinds_do_not_mix(void **state)
{
    struct resource_configs configs;
    size_t position = 0;

    (void)state;
    resource_configs_init(&configs);
    resource_configs_set(&configs, RESOURCE_GROUP, "x", "a", "1");
    resource_configs_set(&configs, RESOURCE_CLIENT_METRICS, "x", "a", "2");
    resource_configs_set(&configs, RESOURCE_BROKER, "", "a", "3");
    assert_string_equal(resource_configs_get(&configs, RESOURCE_GROUP, "x", "a"), "1");
    assert_string_equal(resource_configs_get(&configs, RESOURCE_CLIENT_METRICS, "x", "a"), "2");
    assert_string_equal(resource_configs_get(&configs, RESOURCE_BROKER, "", "a"), "3");
    assert_string_equal(resource_configs_next(&configs, RESOURCE_CLIENT_METRICS, &position), "x");
    assert_null(resource_configs_next(&configs, RESOURCE_CLIENT_METRICS, &position));
    resource_configs_fini(&configs);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thing_has_what_was_set_and_goes_with_it),
        cmocka_unit_test(kinds_do_not_mix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
