#include "lib/store/s3_url.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

static void
assert_url(const char *text, const char *bucket, const char *prefix, const char *endpoint,
    const char *region, const char *host)
{
    struct err e = {0};
    struct s3_url url;

    if (s3_url_parse(text, &url, &e) != RC_OK)
        fail_msg("%s: %s", text, e.text);
    assert_string_equal(url.bucket, bucket);
    assert_string_equal(url.prefix, prefix);
    assert_string_equal(url.endpoint, endpoint);
    assert_string_equal(url.region, region);
    assert_string_equal(s3_url_host(&url), host);
}

static void
a_url_says_bucket_prefix_endpoint_and_region(void **state)
{
    (void)state;
    assert_url("s3://abc", "abc", "", "https://s3.us-east-1.amazonaws.com", "us-east-1",
        "s3.us-east-1.amazonaws.com");
    assert_url("s3://abc/?region=eu-central-1", "abc", "", "https://s3.eu-central-1.amazonaws.com",
        "eu-central-1", "s3.eu-central-1.amazonaws.com");
    assert_url("s3://a.b-c/one/Two_3/?endpoint=http://127.0.0.1:9000/&region=x", "a.b-c",
        "one/Two_3", "http://127.0.0.1:9000", "x", "127.0.0.1:9000");
    assert_url("s3://abc/p?region=r&endpoint=https%3A%2F%2F[::1]:443", "abc", "p",
        "https://[::1]:443", "r", "[::1]:443");
    assert_url("s3://abc?endpoint=http://host", "abc", "", "http://host", "us-east-1", "host");
}

/* What a bystander could change on its way is signed, unless somebody says otherwise. */
static void
payloads_are_signed_where_nothing_else_protects_them(void **state)
{
    static const struct {
        const char *text;
        bool signs_payload;
    } cases[] = {{"s3://abc", false}, {"s3://abc?endpoint=https://host", false},
        {"s3://abc?endpoint=http://host", true},
        {"s3://abc?payload=unsigned&endpoint=http://host", false},
        {"s3://abc?payload=signed", true}};
    struct s3_url url;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(s3_url_parse(cases[i].text, &url, NULL), RC_OK);
        assert_int_equal(url.signs_payload, cases[i].signs_payload);
    }
}

static void
what_is_no_url_is_refused_with_what_to_write(void **state)
{
    static const char *const bad[][2] = {{"", "is no store: s3://BUCKET"},
        {"s3:/abc", "is no store"}, {"folder", "is no store"}, {"s3://", "no name for a bucket"},
        {"s3://ab", "3 to 63"}, {"s3://Abc", "small letters"}, {"s3://-abc", "no name"},
        {"s3://abc.", "no name"}, {"s3://a..b", "no name"}, {"s3://abc/a b", "is no prefix"},
        {"s3://abc//a", "is empty or dots"}, {"s3://abc/../a", "is empty or dots"},
        {"s3://abc/a//", "is empty or dots"}, {"s3://abc?", "is no option"},
        {"s3://abc?x=1", "endpoint=URL, region=NAME and payload="},
        {"s3://abc?region=", "is empty"}, {"s3://abc?region=a/b", "is no region"},
        {"s3://abc?payload=some", "signed or unsigned"}, {"s3://abc?payload=", "is empty"},
        {"s3://abc?payload=unsigned-and-too-long", "too long"}, {"s3://abc?region=%4", "wrong %XX"},
        {"s3://abc?region=%g0", "wrong %XX"}, {"s3://abc?region=%00", "wrong %XX"},
        {"s3://abc?endpoint=host:80", "is no endpoint"},
        {"s3://abc?endpoint=ftp://host", "is no endpoint"}, {"s3://abc?endpoint=http://", "is no"},
        {"s3://abc?endpoint=http://u@host", "is no endpoint"},
        {"s3://abc?endpoint=http://host/path", "is no endpoint"},
        {"s3://abc?endpoint=http://host:", "is no endpoint"},
        {"s3://abc?endpoint=http://host:65536", "is no endpoint"},
        {"s3://abc?endpoint=http://host:1x", "is no endpoint"},
        {"s3://abc?endpoint=http://[::1", "is no endpoint"},
        {"s3://abc?endpoint=http://h%0d%0ax", "is no endpoint"}};
    struct s3_url url;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(s3_url_parse(bad[i][0], &url, &e), RC_CONFIG);
        if (strstr(e.text, bad[i][1]) == NULL)
            fail_msg("%s: %s", bad[i][0], e.text);
    }
}

static void
parts_that_are_too_long_are_refused(void **state)
{
    static const char *const before[] = {
        "s3://", "s3://abc/", "s3://abc?region=", "s3://abc?endpoint=http://"};
    char part[600], text[700];
    struct s3_url url;

    (void)state;
    memset(part, 'a', sizeof part);
    part[sizeof part - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(before); i++) {
        snprintf(text, sizeof text, "%s%s", before[i], part);
        assert_int_equal(s3_url_parse(text, &url, NULL), RC_CONFIG);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_says_bucket_prefix_endpoint_and_region),
        cmocka_unit_test(payloads_are_signed_where_nothing_else_protects_them),
        cmocka_unit_test(what_is_no_url_is_refused_with_what_to_write),
        cmocka_unit_test(parts_that_are_too_long_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
