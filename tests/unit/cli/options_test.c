#include "cli/options.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static const struct option_row rows[] = {
    {"bootstrap", 'b', OPTION_TEXT, "HOST:PORT", NULL, 0, 0, "where"},
    {"partitions", 'p', OPTION_INT, "N", NULL, 1, 100, "how many"},
    {"output", 'o', OPTION_WORD, "FORMAT", "text|json", 0, 0, "how"},
    {"config", 'c', OPTION_LIST, "NAME=VALUE", NULL, 0, 0, "what"},
    {"quiet", 'q', OPTION_SWITCH, "", NULL, 0, 0, "silence"},
};

static enum rc
parse(struct options *options, int argc, const char **argv, struct err *e)
{
    return options_parse(options, rows, ARRAY_LEN(rows), argc, argv, e);
}

static void
flags_may_be_long_short_and_glued(void **state)
{
    const char *argv[] = {"--bootstrap=a:1", "-p", "7", "-ojson", "word", "-q", "-c", "x=1",
        "--config", "y=2", "--", "--not-a-flag"};
    struct options options;
    size_t position = 0;
    struct err e;

    (void)state;
    assert_int_equal(parse(&options, (int)ARRAY_LEN(argv), argv, &e), RC_OK);
    assert_string_equal(options_text(&options, "bootstrap", ""), "a:1");
    assert_int_equal(options_int(&options, "partitions", 0), 7);
    assert_string_equal(options_text(&options, "output", ""), "json");
    assert_true(options_is(&options, "quiet"));
    assert_string_equal(options_list(&options, "config", &position), "x=1");
    assert_string_equal(options_list(&options, "config", &position), "y=2");
    assert_null(options_list(&options, "config", &position));
    assert_int_equal(options.word_count, 2);
    assert_string_equal(options.words[0], "word");
    assert_string_equal(options.words[1], "--not-a-flag");
}

static void
what_was_not_given_has_the_fallback(void **state)
{
    struct options options;
    struct err e;

    (void)state;
    assert_int_equal(parse(&options, 0, NULL, &e), RC_OK);
    assert_string_equal(options_text(&options, "bootstrap", "none"), "none");
    assert_int_equal(options_int(&options, "partitions", -1), -1);
    assert_false(options_is(&options, "quiet"));
}

static void
wrong_use_says_what_to_do(void **state)
{
    static const struct {
        const char *argv[2];
        int argc;
        const char *text;
    } cases[] = {
        {{"--bootstrp", NULL}, 1, "unknown option --bootstrp. Did you mean --bootstrap?"},
        {{"--zzzzzzzzz", NULL}, 1, "unknown option --zzzzzzzzz."},
        {{"-z", NULL}, 1, "unknown option -z."},
        {{"-p", "x"}, 2, "--partitions wants a number from 1 to 100, not x."},
        {{"-p", "101"}, 2, "--partitions wants a number from 1 to 100, not 101."},
        {{"-p", "99999999999999999999"}, 2,
            "--partitions wants a number from 1 to 100, not 99999999999999999999."},
        {{"-p", NULL}, 1, "--partitions wants N."},
        {{"-o", "xml"}, 2, "--output wants text|json, not xml."},
        {{"-o", "tex"}, 2, "--output wants text|json, not tex."},
        {{"--quiet=1", NULL}, 1, "--quiet takes no value."},
    };
    struct options options;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *argv[2] = {cases[i].argv[0], cases[i].argv[1]};

        assert_int_equal(parse(&options, cases[i].argc, argv, &e), RC_CONFIG);
        assert_string_equal(e.text, cases[i].text);
    }
}

static void
a_list_has_a_limit(void **state)
{
    const char *argv[2 * (OPTIONS_REPEAT_MAX + 1)];
    struct options options;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(argv); i += 2) {
        argv[i] = "-c";
        argv[i + 1] = "a=b";
    }
    assert_int_equal(parse(&options, (int)ARRAY_LEN(argv), argv, &e), RC_CONFIG);
}

static void
the_help_has_a_line_for_each_flag(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 65536);
    options_help(rows, ARRAY_LEN(rows), &out);
    assert_non_null(strstr(buf_text(&out), "  -b, --bootstrap HOST:PORT"));
    assert_non_null(strstr(buf_text(&out), "how (text|json)\n"));
    assert_non_null(strstr(buf_text(&out), "  -q, --quiet "));
    buf_fini(&out);
}

static void
the_nearest_word_is_near(void **state)
{
    static const char *const words[] = {"topic list", "mirror run", "verify"};

    (void)state;
    assert_int_equal(options_nearest("topc list", words, 3), 0);
    assert_int_equal(options_nearest("verifi", words, 3), 2);
    assert_int_equal(options_nearest("something else", words, 3), -1);
    assert_int_equal(options_nearest("", words, 3), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_may_be_long_short_and_glued),
        cmocka_unit_test(what_was_not_given_has_the_fallback),
        cmocka_unit_test(wrong_use_says_what_to_do),
        cmocka_unit_test(a_list_has_a_limit),
        cmocka_unit_test(the_help_has_a_line_for_each_flag),
        cmocka_unit_test(the_nearest_word_is_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
