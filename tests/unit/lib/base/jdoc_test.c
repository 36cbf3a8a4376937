#include "lib/base/jdoc.h"

#include <math.h>

#include "tests/unit/unit.h"

static void
assert_dump(struct jdoc *doc, const char *expected)
{
    char *text = jdoc_dump(doc, 0);

    assert_string_equal(text, expected);
    free(text);
    jdoc_free(doc);
}

static struct jdoc *
parse(const char *text)
{
    struct jdoc *doc = NULL;
    struct err e = {0};

    if (jdoc_parse(text, strlen(text), &doc, &e) != RC_OK)
        fail_msg("%s", e.text);
    return doc;
}

static void
values_of_all_kinds_are_written(void **state)
{
    struct jdoc *object = jdoc_object(), *array = jdoc_array();

    (void)state;
    jdoc_set_text(object, "text", "a\"b\n");
    jdoc_set_text(object, "none", NULL);
    jdoc_set_int(object, "number", INT64_MIN);
    jdoc_set_bool(object, "yes", true);
    jdoc_add_take(array, jdoc_int(1));
    jdoc_add_take(array, jdoc_real(0.5));
    jdoc_add_take(array, jdoc_bool(false));
    jdoc_add_take(array, jdoc_null());
    jdoc_add_take(array, jdoc_text(""));
    jdoc_set_take(object, "array", array);
    assert_dump(object, "{\"text\": \"a\\\"b\\n\", \"none\": null, \"number\": "
                        "-9223372036854775808, \"yes\": true, \"array\": [1, 0.5, false, null, "
                        "\"\"]}");
    assert_dump(jdoc_int(7), "7");
    jdoc_free(NULL);
}

static void
members_keep_the_order_in_which_they_were_set(void **state)
{
    struct jdoc *object = jdoc_object();

    (void)state;
    for (const char *name = "zebra"; *name != '\0'; name++)
        jdoc_set_int(object, name, (int64_t)strlen(name));
    jdoc_set_int(object, "bra", 33);
    assert_dump(object, "{\"zebra\": 5, \"ebra\": 4, \"bra\": 33, \"ra\": 2, \"a\": 1}");
}

static void
numbers_that_json_does_not_have_are_null(void **state)
{
    (void)state;
    assert_dump(jdoc_real(NAN), "null");
    assert_dump(jdoc_real(INFINITY), "null");
    assert_dump(jdoc_real(-INFINITY), "null");
}

#define BAD "\xef\xbf\xbd"

static void
each_bad_byte_of_a_text_is_replaced_and_no_other(void **state)
{
    static const struct {
        const char *text, *fixed;
    } cases[] = {
        {"plain", "plain"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"a\xff"
         "b",
            "a" BAD "b"},
        {"\xc3\xa4\xff", "\xc3\xa4" BAD},
        {"\xc3", BAD},
        {"\xe2\x82", BAD BAD},
        {"\xe2\x82x", BAD BAD "x"},
        {"\xc0\x80", BAD BAD},         /* longer than needed */
        {"\xe0\x9f\xbf", BAD BAD BAD}, /* the same */
        {"\xf0\x8f\xbf\xbf", BAD BAD BAD BAD},
        {"\xed\xa0\x80", BAD BAD BAD},         /* half of a pair */
        {"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", BAD BAD BAD BAD},
        {"\x80", BAD},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct jdoc *doc = jdoc_text(cases[i].text);

        assert_string_equal(jdoc_text_of(doc, ""), cases[i].fixed);
        jdoc_free(doc);
    }
}

static void
names_are_fixed_like_texts(void **state)
{
    struct jdoc *object = jdoc_object();

    (void)state;
    jdoc_set_int(object, "gr\xffoup", 1);
    jdoc_set_int(object, "\xc3\xa4", 2);
    assert_int_equal(jdoc_get_int(object, "gr" BAD "oup", 0), 1);
    assert_int_equal(jdoc_get_int(object, "\xc3\xa4", 0), 2);
    jdoc_free(object);
}

static void
zeros_inside_a_text_survive(void **state)
{
    (void)state;
    assert_dump(jdoc_text_sized("a\0b", 3), "\"a\\u0000b\"");
    assert_dump(jdoc_text_sized("a\0\xff", 3), "\"a\\u0000" BAD "\"");
    assert_dump(jdoc_text_sized(NULL, 0), "\"\"");
}

static void
what_is_missing_or_of_another_type_gives_the_fallback(void **state)
{
    struct jdoc *doc = parse("{\"t\": \"x\", \"n\": 5, \"b\": true, \"a\": [1], \"r\": 1.5}");

    (void)state;
    assert_string_equal(jdoc_get_text(doc, "t", "f"), "x");
    assert_string_equal(jdoc_get_text(doc, "n", "f"), "f");
    assert_string_equal(jdoc_get_text(doc, "missing", "f"), "f");
    assert_int_equal(jdoc_get_int(doc, "n", -1), 5);
    assert_int_equal(jdoc_get_int(doc, "r", -1), -1);
    assert_int_equal(jdoc_get_int(doc, "t", -1), -1);
    assert_true(jdoc_get_bool(doc, "b", false));
    assert_true(jdoc_get_bool(doc, "n", true));
    assert_null(jdoc_get(doc, "missing"));
    assert_null(jdoc_get(NULL, "x"));
    assert_null(jdoc_get(jdoc_get(doc, "a"), "x"));
    assert_null(jdoc_at(doc, 0));
    assert_null(jdoc_at(NULL, 0));
    assert_int_equal(jdoc_int_of(jdoc_at(jdoc_get(doc, "a"), 0), 0), 1);
    assert_null(jdoc_at(jdoc_get(doc, "a"), 1));
    assert_int_equal(jdoc_count(doc), 5);
    assert_int_equal(jdoc_count(jdoc_get(doc, "a")), 1);
    assert_int_equal(jdoc_count(jdoc_get(doc, "n")), 0);
    assert_int_equal(jdoc_count(NULL), 0);
    jdoc_free(doc);
}

static void
a_walk_gives_every_member_in_order(void **state)
{
    struct jdoc *doc = parse("{\"z\": 1, \"a\": 2, \"m\": 3}");
    const struct jdoc *value = NULL;
    void *iterator = NULL;

    (void)state;
    assert_string_equal(jdoc_next(doc, &iterator, &value), "z");
    assert_int_equal(jdoc_int_of(value, 0), 1);
    assert_string_equal(jdoc_next(doc, &iterator, &value), "a");
    assert_string_equal(jdoc_next(doc, &iterator, &value), "m");
    assert_int_equal(jdoc_int_of(value, 0), 3);
    assert_null(jdoc_next(doc, &iterator, &value));
    jdoc_free(doc);
}

static void
what_is_dumped_is_parsed_again(void **state)
{
    static const char text[] = "{\"a\": [1, -2.5, \"x\\u0001\", null, {\"b\": {}}], \"c\": true}";
    struct jdoc *doc = parse(text);
    char *indented = jdoc_dump(doc, 2);

    (void)state;
    assert_non_null(strstr(indented, "\n  \"a\": [\n    1,"));
    jdoc_free(doc);
    assert_dump(parse(indented), text);
    free(indented);
}

static void
broken_text_is_corrupt_with_its_place(void **state)
{
    static const char *const texts[] = {"", "{", "[1,]", "{\"a\" 1}", "tru", "\"\xff\"", "[1] x",
        "{\"a\": 1, \"a\": 2}", "01", "1e999", "99999999999999999999", "\"\n\"", "nul\0l"};
    struct jdoc *doc = NULL;
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(jdoc_parse(texts[i], strlen(texts[i]), &doc, &e), RC_CORRUPT);
        assert_null(doc);
    }
    assert_int_equal(jdoc_parse("[1,\n2 3]", 8, &doc, &e), RC_CORRUPT);
    assert_non_null(strstr(e.text, "JSON, line 2 column "));
    assert_int_equal(jdoc_parse("[1,\n2 3]", 8, &doc, NULL), RC_CORRUPT);
}

static void
nesting_without_end_is_refused(void **state)
{
    enum { DEPTH = 200000 };
    char *text = malloc(DEPTH);
    struct jdoc *doc = NULL;

    (void)state;
    memset(text, '[', DEPTH);
    assert_int_equal(jdoc_parse(text, DEPTH, &doc, NULL), RC_CORRUPT);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_all_kinds_are_written),
        cmocka_unit_test(members_keep_the_order_in_which_they_were_set),
        cmocka_unit_test(numbers_that_json_does_not_have_are_null),
        cmocka_unit_test(each_bad_byte_of_a_text_is_replaced_and_no_other),
        cmocka_unit_test(names_are_fixed_like_texts),
        cmocka_unit_test(zeros_inside_a_text_survive),
        cmocka_unit_test(what_is_missing_or_of_another_type_gives_the_fallback),
        cmocka_unit_test(a_walk_gives_every_member_in_order),
        cmocka_unit_test(what_is_dumped_is_parsed_again),
        cmocka_unit_test(broken_text_is_corrupt_with_its_place),
        cmocka_unit_test(nesting_without_end_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
