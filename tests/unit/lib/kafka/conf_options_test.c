/* The table itself: names are unique, and every option can be set and found by its first name. */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "lib/kafka/conf_options.h"

static const char *const names[] = {
#define CONF_NAME(name, option) name,
#include "lib/kafka/conf.def"
#define CONF_IGNORED(name) name,
#include "lib/kafka/conf.def"
};

static void
no_name_stands_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        for (size_t k = i + 1; k < ARRAY_LEN(names); k++)
            assert_string_not_equal(names[i], names[k]);
}

static void
every_option_has_a_name_that_finds_it(void **state)
{
    bool seen[CONF_OPTION_COUNT] = {false};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum conf_option option;

        assert_int_equal(conf_options_find(names[i], "here", &option, NULL), RC_OK);
        if (option != CONF_OPTION_COUNT)
            seen[option] = true;
    }
    for (size_t i = 0; i < CONF_OPTION_COUNT; i++)
        assert_true(seen[i]);
}

static void
the_option_that_was_set_last_is_known(void **state)
{
    static const enum conf_option both[] = {CONF_CA_FILE, CONF_CA_TEXT};
    struct conf_options options;

    (void)state;
    conf_options_init(&options);
    assert_int_equal(conf_options_latest(&options, both, 2), CONF_OPTION_COUNT);
    assert_int_equal(
        conf_options_set(&options, CONF_CA_FILE, "ssl.ca.location", "/a", "x", NULL), RC_OK);
    assert_int_equal(conf_options_latest(&options, both, 2), CONF_CA_FILE);
    assert_int_equal(
        conf_options_set(&options, CONF_CA_TEXT, "ssl.ca.pem", "-----BEGIN X", "x", NULL), RC_OK);
    assert_int_equal(conf_options_latest(&options, both, 2), CONF_CA_TEXT);
    assert_int_equal(conf_options_set(&options, CONF_CA_TEXT, "ssl.ca.pem", "", "x", NULL), RC_OK);
    assert_int_equal(conf_options_latest(&options, both, 2), CONF_CA_FILE);
    conf_options_fini(&options);
}

static void
what_is_not_set_has_its_fallback(void **state)
{
    struct conf_options options;

    (void)state;
    conf_options_init(&options);
    assert_string_equal(conf_options_text(&options, CONF_PROTOCOL), "PLAINTEXT");
    assert_null(conf_options_text(&options, CONF_USER));
    assert_int_equal(conf_options_number(&options, CONF_REQUEST_TIMEOUT), 30000);
    assert_int_equal(
        conf_options_set(&options, CONF_REQUEST_TIMEOUT, "request.timeout.ms", "7", "x", NULL),
        RC_OK);
    assert_int_equal(conf_options_number(&options, CONF_REQUEST_TIMEOUT), 7);
    conf_options_fini(&options);
    assert_int_equal(conf_options_number(&options, CONF_REQUEST_TIMEOUT), 30000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_name_stands_twice),
        cmocka_unit_test(every_option_has_a_name_that_finds_it),
        cmocka_unit_test(the_option_that_was_set_last_is_known),
        cmocka_unit_test(what_is_not_set_has_its_fallback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
