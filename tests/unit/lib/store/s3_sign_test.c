/* The examples of "Signature Calculations for the Authorization Header: Transferring Payload in a
 * Single Chunk" of the S3 API reference. */
#include "lib/store/s3_sign.h"

#include "lib/base/xalloc.h"
#include "tests/unit/unit.h"

#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define WELCOME "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define HOST "examplebucket.s3.amazonaws.com"
#define TIME "20130524T000000Z"

static const struct s3_credentials credentials = {
    .id = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};

static void
assert_signed(const struct s3_sign_request *request, const char *headers, const char *signature)
{
    char wanted[512];
    struct buf got;

    buf_init(&got, 4096);
    s3_sign_authorization(request, &credentials, "us-east-1", TIME, &got);
    snprintf(wanted, sizeof wanted,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=%s, Signature=%s",
        headers, signature);
    assert_string_equal(buf_text(&got), wanted);
    buf_fini(&got);
}

static void
a_range_is_signed_as_in_the_reference(void **state)
{
    const struct s3_sign_header headers[] = {{"host", HOST}, {"range", "bytes=0-9"},
        {"x-amz-content-sha256", NOTHING}, {"x-amz-date", TIME}};
    const struct s3_sign_request request = {
        "GET", "/test.txt", "", headers, ARRAY_LEN(headers), NOTHING};

    (void)state;
    assert_signed(&request, "host;range;x-amz-content-sha256;x-amz-date",
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void
a_body_is_signed_as_in_the_reference(void **state)
{
    const struct s3_sign_header headers[] = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
        {"host", HOST}, {"x-amz-content-sha256", WELCOME}, {"x-amz-date", TIME},
        {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    const struct s3_sign_request request = {
        "PUT", "/test%24file.text", "", headers, ARRAY_LEN(headers), WELCOME};

    (void)state;
    assert_signed(&request, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void
queries_are_signed_as_in_the_reference(void **state)
{
    const struct s3_sign_header headers[] = {
        {"host", HOST}, {"x-amz-content-sha256", NOTHING}, {"x-amz-date", TIME}};
    const struct s3_sign_request lifecycle = {
        "GET", "/", "lifecycle=", headers, ARRAY_LEN(headers), NOTHING};
    const struct s3_sign_request list = {
        "GET", "/", "max-keys=2&prefix=J", headers, ARRAY_LEN(headers), NOTHING};

    (void)state;
    assert_signed(&lifecycle, "host;x-amz-content-sha256;x-amz-date",
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    assert_signed(&list, "host;x-amz-content-sha256;x-amz-date",
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void
times_are_utc_to_the_second(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } times[] = {{0, "19700101T000000Z"}, {1369353600000, TIME}, {1369353600999, TIME},
        {1709210096000, "20240229T123456Z"}};
    char text[S3_SIGN_TIME_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        s3_sign_time(times[i].ms, text);
        assert_string_equal(text, times[i].text);
    }
}

static void
queries_escape_all_but_what_needs_none(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 256);
    s3_sign_escape("aZ09-._~ /+=&?%\xc3\xa4", &out);
    assert_string_equal(buf_text(&out), "aZ09-._~%20%2F%2B%3D%26%3F%25%C3%A4");
    buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_signed_as_in_the_reference),
        cmocka_unit_test(a_body_is_signed_as_in_the_reference),
        cmocka_unit_test(queries_are_signed_as_in_the_reference),
        cmocka_unit_test(times_are_utc_to_the_second),
        cmocka_unit_test(queries_escape_all_but_what_needs_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
