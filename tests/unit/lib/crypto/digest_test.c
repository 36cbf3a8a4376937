/* Answers published with the algorithms (FIPS 180-4, RFC 1321, 4231, 4648, 7914), then the borders.
 */
#include "tests/unit/unit.h"

#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"

static const char *
hex_of(const uint8_t *data, size_t size)
{
    static char text[DIGEST_HEX_MAX];

    digest_hex(data, size, text);
    return text;
}

static void
hashes_are_the_published_ones(void **state)
{
    uint8_t out[DIGEST_BYTES_MAX];

    (void)state;
    digest_compute(DIGEST_SHA256, "abc", 3, out);
    assert_string_equal(hex_of(out, digest_size(DIGEST_SHA256)),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_compute(DIGEST_SHA512, "abc", 3, out);
    assert_string_equal(hex_of(out, digest_size(DIGEST_SHA512)),
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    digest_compute(DIGEST_MD5, "", 0, out);
    assert_string_equal(hex_of(out, digest_size(DIGEST_MD5)), "d41d8cd98f00b204e9800998ecf8427e");
}

static void
a_hash_in_pieces_equals_the_hash_at_once(void **state)
{
    uint8_t data[1000], whole[DIGEST_BYTES_MAX], pieces[DIGEST_BYTES_MAX];
    struct digest *digest;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    digest_compute(DIGEST_SHA256, data, sizeof data, whole);
    for (size_t cut = 0; cut <= sizeof data; cut += 125) {
        digest = digest_new(DIGEST_SHA256);
        digest_add(digest, data, cut);
        digest_add(digest, data + cut, sizeof data - cut);
        digest_finish(digest, pieces);
        assert_memory_equal(whole, pieces, digest_size(DIGEST_SHA256));
    }
}

static void
keyed_hashes_are_those_of_rfc_4231(void **state)
{
    uint8_t key[131], out[DIGEST_BYTES_MAX];

    (void)state;
    memset(key, 0x0b, 20);
    digest_hmac(DIGEST_SHA256, key, 20, "Hi There", 8, out);
    assert_string_equal(
        hex_of(out, 32), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    memset(key, 0xaa, sizeof key);
    digest_hmac(DIGEST_SHA512, key, sizeof key,
        "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
    assert_string_equal(hex_of(out, 64),
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
        "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
    digest_hmac(DIGEST_SHA256, NULL, 0, "", 0, out);
    assert_string_equal(
        hex_of(out, 32), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void
a_stretched_password_is_that_of_rfc_7914(void **state)
{
    uint8_t out[DIGEST_BYTES_MAX];

    (void)state;
    digest_pbkdf2(DIGEST_SHA256, "passwd", 6, (const uint8_t *)"salt", 4, 1, out);
    assert_string_equal(
        hex_of(out, 32), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
}

static void
random_bytes_differ_from_call_to_call(void **state)
{
    uint8_t a[32], b[32];

    (void)state;
    digest_random(a, sizeof a);
    digest_random(b, sizeof b);
    assert_false(digest_equal(a, b, sizeof a));
    assert_true(digest_equal(a, a, sizeof a));
    digest_wipe(a, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        assert_int_equal(a[i], 0);
}

static void
base64_is_that_of_rfc_4648_both_ways(void **state)
{
    static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xef", "/+8="}};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        buf_clear(&out);
        digest_base64_encode(pairs[i][0], strlen(pairs[i][0]), &out);
        assert_string_equal(buf_text(&out), pairs[i][1]);
        buf_clear(&out);
        assert_int_equal(digest_base64_decode(pairs[i][1], strlen(pairs[i][1]), &out, NULL), RC_OK);
        assert_string_equal(buf_text(&out), pairs[i][0]);
    }
    buf_fini(&out);
}

static void
broken_base64_is_refused(void **state)
{
    static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg=a",
        "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm9v\n", "Zm9v Zm9v", "Zm9-", "Zm_v", "=Zm9"};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        buf_clear(&out);
        assert_int_equal(digest_base64_decode(bad[i], strlen(bad[i]), &out, NULL), RC_PROTOCOL);
    }
    buf_clear(&out);
    assert_int_equal(digest_base64_decode("Zm\0v", 4, &out, NULL), RC_PROTOCOL);
    buf_fini(&out);
    buf_init(&out, 2);
    assert_int_equal(digest_base64_decode("Zm9v", 4, &out, NULL), RC_LIMIT);
    buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_the_published_ones),
        cmocka_unit_test(a_hash_in_pieces_equals_the_hash_at_once),
        cmocka_unit_test(keyed_hashes_are_those_of_rfc_4231),
        cmocka_unit_test(a_stretched_password_is_that_of_rfc_7914),
        cmocka_unit_test(random_bytes_differ_from_call_to_call),
        cmocka_unit_test(base64_is_that_of_rfc_4648_both_ways),
        cmocka_unit_test(broken_base64_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
