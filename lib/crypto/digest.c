#include "lib/crypto/digest.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "lib/base/xalloc.h"

struct digest {
    EVP_MD_CTX *context;
};

static const EVP_MD *
algorithm(enum digest_kind kind)
{
    switch (kind) {
    case DIGEST_MD5:
        return EVP_md5();
    case DIGEST_SHA256:
        return EVP_sha256();
    case DIGEST_SHA512:
        return EVP_sha512();
    }
    xalloc_fail("unknown kind of digest", __FILE__, __LINE__);
}

size_t
digest_size(enum digest_kind kind)
{
    return (size_t)EVP_MD_get_size(algorithm(kind));
}

void
digest_compute(enum digest_kind kind, const void *data, size_t size, uint8_t *out)
{
    REQUIRE(EVP_Digest(data, size, out, NULL, algorithm(kind), NULL) == 1);
}

void
digest_hmac(enum digest_kind kind, const void *key, size_t key_size, const void *data, size_t size,
    uint8_t *out)
{
    unsigned written = 0;

    REQUIRE(key_size <= INT32_MAX);
    /* With a NULL key OpenSSL would go on with the last one. */
    REQUIRE(HMAC(algorithm(kind), key_size == 0 ? "" : key, (int)key_size, data, size, out,
                &written) != NULL);
}

struct digest *
digest_new(enum digest_kind kind)
{
    struct digest *digest = xcalloc(1, sizeof *digest);

    digest->context = EVP_MD_CTX_new();
    REQUIRE(digest->context != NULL);
    REQUIRE(EVP_DigestInit_ex(digest->context, algorithm(kind), NULL) == 1);
    return digest;
}

void
digest_add(struct digest *digest, const void *data, size_t size)
{
    REQUIRE(EVP_DigestUpdate(digest->context, data, size) == 1);
}

void
digest_finish(struct digest *digest, uint8_t *out)
{
    REQUIRE(EVP_DigestFinal_ex(digest->context, out, NULL) == 1);
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void
digest_pbkdf2(enum digest_kind kind, const char *password, size_t password_size,
    const uint8_t *salt, size_t salt_size, uint32_t iterations, uint8_t *out)
{
    REQUIRE(password_size <= INT32_MAX && salt_size <= INT32_MAX);
    REQUIRE(iterations > 0 && iterations <= INT32_MAX);
    REQUIRE(PKCS5_PBKDF2_HMAC(password, (int)password_size, salt, (int)salt_size, (int)iterations,
                algorithm(kind), (int)digest_size(kind), out) == 1);
}

void
digest_random(void *data, size_t size)
{
    REQUIRE(size <= INT32_MAX && RAND_bytes(data, (int)size) == 1);
}

bool
digest_equal(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void
digest_wipe(void *data, size_t size)
{
    OPENSSL_cleanse(data, size);
}

void
digest_hex(const void *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * size] = '\0';
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
digest_base64_encode(const void *data, size_t size, struct buf *out)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        char text[4];

        if (left > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2)
            group |= bytes[i + 2];
        text[0] = alphabet[group >> 18];
        text[1] = alphabet[group >> 12 & 63];
        text[2] = left > 1 ? alphabet[group >> 6 & 63] : '=';
        text[3] = left > 2 ? alphabet[group & 63] : '=';
        buf_append(out, text, sizeof text);
    }
}

/* The six bits of a character, or -1. */
static int
sextet(char character)
{
    const char *place = character == '\0' ? NULL : strchr(alphabet, character);

    return place == NULL ? -1 : (int)(place - alphabet);
}

enum rc
digest_base64_decode(const char *text, size_t size, struct buf *out, struct err *e)
{
    size_t padding = 0;

    if (size % 4 != 0)
        return err_set(e, RC_PROTOCOL, "base64 text of %zu characters is cut", size);
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < size; i += 4) {
        size_t skip = i + 4 == size ? padding : 0;
        uint32_t group = 0;
        uint8_t bytes[3];

        for (size_t k = 0; k < 4; k++) {
            int bits = k >= 4 - skip ? 0 : sextet(text[i + k]);

            if (bits < 0)
                return err_set(e, RC_PROTOCOL, "base64 text has a wrong character");
            group = group << 6 | (uint32_t)bits;
        }
        if ((group & ((1U << 8 * skip) - 1)) != 0)
            return err_set(e, RC_PROTOCOL, "base64 text has bits behind its end");
        bytes[0] = (uint8_t)(group >> 16);
        bytes[1] = (uint8_t)(group >> 8);
        bytes[2] = (uint8_t)group;
        buf_append(out, bytes, 3 - skip);
    }
    if (buf_is_overflowed(out))
        return err_set(e, RC_LIMIT, "base64 text holds more than %zu bytes", out->size_max);
    return RC_OK;
}
