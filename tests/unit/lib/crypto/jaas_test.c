/* Lines that name login modules, as JaasConfig.java reads them, and lines that do not. */
#include "lib/crypto/jaas.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static struct err e;

static void
a_line_has_a_module_and_options_in_their_order(void **state)
{
    struct jaas jaas;

    (void)state;
    assert_int_equal(
        jaas_read(" a.b.Module\n required user_anna=\"s3;c=r'et\" x = plain y='p \\' \"w\\\"';  ",
            &jaas, &e),
        RC_OK);
    assert_string_equal(jaas.module, "a.b.Module");
    assert_int_equal(jaas.count, 3);
    assert_string_equal(jaas.options[0].name, "user_anna");
    assert_string_equal(jaas.options[0].value, "s3;c=r'et");
    assert_string_equal(jaas_get(&jaas, "x"), "plain");
    assert_string_equal(jaas_get(&jaas, "y"), "p ' \"w\"");
    assert_null(jaas_get(&jaas, "z"));
    jaas_fini(&jaas);
}

static void
there_may_be_no_options(void **state)
{
    struct jaas jaas;

    (void)state;
    assert_int_equal(jaas_read("M required;", &jaas, &e), RC_OK);
    assert_int_equal(jaas.count, 0);
    jaas_fini(&jaas);
}

static void
of_an_option_that_comes_twice_the_last_one_counts(void **state)
{
    struct jaas jaas;

    (void)state;
    assert_int_equal(jaas_read("M required a=1 b=2 a=\"\";", &jaas, &e), RC_OK);
    assert_string_equal(jaas_get(&jaas, "a"), "");
    assert_string_equal(jaas_get(&jaas, "b"), "2");
    jaas_fini(&jaas);
}

static void
what_is_no_such_line_is_refused_without_telling_a_value(void **state)
{
    static const char *const rows[][2] = {{"", "names no login module"},
        {"  ;", "names no login module"}, {"M", "lacks the word required"},
        {"M;", "lacks the word required"}, {"M required", "does not end with ;"},
        {"M required a=SECRET", "does not end with ;"},
        {"M required a=\"SECRET;", "has an option that is not name=\"value\""},
        {"M required a=\"SECRET\\", "has an option that is not name=\"value\""},
        {"M required SECRET;", "has an option that is not name=\"value\""},
        {"M required =SECRET;", "has an option that is not name=\"value\""},
        {"M required a=;", "has an option that is not name=\"value\""},
        {"M required a=SECRET; more", "goes on behind its ;"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct jaas jaas;

        assert_int_equal(jaas_read(rows[i][0], &jaas, &e), RC_CONFIG);
        assert_string_equal(e.text, rows[i][1]);
        assert_null(jaas.module);
        assert_int_equal(jaas.count, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_a_module_and_options_in_their_order),
        cmocka_unit_test(there_may_be_no_options),
        cmocka_unit_test(of_an_option_that_comes_twice_the_last_one_counts),
        cmocka_unit_test(what_is_no_such_line_is_refused_without_telling_a_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
