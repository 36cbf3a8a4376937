#include "refbroker/coord/topic_pattern.h"

#include "tests/unit/unit.h"

static bool
matches(const char *text, const char *name)
{
    const char *why = NULL;
    struct topic_pattern *pattern = topic_pattern_new(text, strlen(text), &why);
    bool matched;

    assert_non_null(pattern);
    matched = topic_pattern_matches(pattern, name);
    topic_pattern_free(pattern);
    return matched;
}

static void
a_pattern_matches_whole_names(void **state)
{
    (void)state;
    assert_true(matches("foo.*", "foobar"));
    assert_false(matches("foo", "foobar"));
    assert_false(matches("oo", "foo"));
    assert_true(matches("a|ab", "ab"));
}

static void
named_groups_are_written_both_ways(void **state)
{
    (void)state;
    assert_true(matches("(?<n>f)oo", "foo"));
    assert_true(matches("(?P<n>f)oo", "foo"));
    /* Where the text means itself it stays. */
    assert_true(matches("[(?<n>]", "<"));
    assert_false(matches("[(?<n>]", "P"));
    assert_true(matches("\\Q(?<n>\\E", "(?<n>"));
    assert_true(matches("\\((?<n>f)", "(f"));
    assert_true(matches("[]](?<n>f)", "]f"));
}

static void
what_is_no_pattern_is_refused_in_re2js_words(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {{"[", "missing closing ]"}, {"(", "missing closing )"},
        {"*", "missing argument to repetition operator"},
        {"a**", "invalid nested repetition operator"}, {"a{1001}", "invalid repeat count"},
        {"\\8", "invalid escape sequence"}, {"(?<a-b>a)", "invalid named capture"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *why = NULL;

        assert_null(topic_pattern_new(cases[i].text, strlen(cases[i].text), &why));
        assert_string_equal(why, cases[i].why);
    }
}

/* A backtracking engine would not come back. */
static void
no_pattern_takes_long(void **state)
{
    char name[250];

    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(matches("(a*)*(a*)*(a*)*b", name));
    assert_null(topic_pattern_new("((a{1000}){1000}){1000}", 23, &(const char *){NULL}));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_matches_whole_names),
        cmocka_unit_test(named_groups_are_written_both_ways),
        cmocka_unit_test(what_is_no_pattern_is_refused_in_re2js_words),
        cmocka_unit_test(no_pattern_takes_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
