/* Which clients a subscription to metrics is for. */
#include "refbroker/coord/client_match.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static const struct client_traits java = {.values = {[CLIENT_TRAIT_INSTANCE_ID] = "AAAA",
                                              [CLIENT_TRAIT_CLIENT_ID] = "orders-1",
                                              [CLIENT_TRAIT_SOFTWARE_NAME] = "apache-kafka-java",
                                              [CLIENT_TRAIT_SOFTWARE_VERSION] = "4.3.1",
                                              [CLIENT_TRAIT_SOURCE_ADDRESS] = "127.0.0.1",
                                              [CLIENT_TRAIT_SOURCE_PORT] = "9999"}};

static bool
fits(const char *text)
{
    const char *bad;
    size_t bad_size;
    struct client_match *match = client_match_new(text, &bad, &bad_size);
    bool fit;

    assert_non_null(match);
    fit = client_match_fits(match, &java);
    client_match_free(match);
    return fit;
}

static void
nothing_fits_everybody(void **state)
{
    (void)state;
    assert_true(fits(""));
}

static void
every_property_can_be_asked_for(void **state)
{
    (void)state;
    assert_true(fits("client_instance_id=A+"));
    assert_true(fits("client_id=orders-.*"));
    assert_true(fits("client_software_name=apache-.*"));
    assert_true(fits("client_software_version=4\\.3\\..*"));
    assert_true(fits("client_source_address=127\\..*"));
    assert_true(fits("client_source_port=9{4}"));
}

static void
a_pattern_fits_the_whole_value(void **state)
{
    (void)state;
    assert_false(fits("client_id=orders"));
    assert_false(fits("client_id=rders-1"));
}

static void
all_words_have_to_fit(void **state)
{
    (void)state;
    assert_true(fits("client_id=orders.*, client_source_port=9999"));
    assert_false(fits("client_id=orders.*,client_source_port=1"));
}

static void
the_last_of_one_property_counts(void **state)
{
    (void)state;
    assert_true(fits("client_id=nobody,client_id=orders-1"));
    assert_false(fits("client_id=orders-1,client_id=nobody"));
}

static void
blanks_around_names_and_patterns_do_not_count(void **state)
{
    (void)state;
    assert_true(fits("  client_id = orders-1 , client_source_port=9999 "));
}

static void
what_is_not_known_fits_no_pattern(void **state)
{
    struct client_traits unknown = java;
    const char *bad;
    size_t bad_size;
    struct client_match *match = client_match_new("client_id=.*", &bad, &bad_size);

    (void)state;
    assert_non_null(match);
    assert_true(client_match_fits(match, &unknown));
    unknown.values[CLIENT_TRAIT_CLIENT_ID] = NULL;
    assert_false(client_match_fits(match, &unknown));
    client_match_free(match);
}

static void
a_word_that_is_none_is_told(void **state)
{
    static const struct {
        const char *text;
        const char *bad;
    } cases[] = {
        {"client_id", "client_id"},
        {"client_id=", "client_id="},
        {"client_id=a,planet=x", "planet=x"},
        {"client_id=a=b", "client_id=a=b"},
        {"client_id=(", "client_id=("},
        {"client_id=a,,", ""},
        {"=x", "=x"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *bad = NULL;
        size_t bad_size = 0;

        assert_null(client_match_new(cases[i].text, &bad, &bad_size));
        assert_int_equal(bad_size, strlen(cases[i].bad));
        assert_memory_equal(bad, cases[i].bad, bad_size);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_fits_everybody),
        cmocka_unit_test(every_property_can_be_asked_for),
        cmocka_unit_test(a_pattern_fits_the_whole_value),
        cmocka_unit_test(all_words_have_to_fit),
        cmocka_unit_test(the_last_of_one_property_counts),
        cmocka_unit_test(blanks_around_names_and_patterns_do_not_count),
        cmocka_unit_test(what_is_not_known_fits_no_pattern),
        cmocka_unit_test(a_word_that_is_none_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
