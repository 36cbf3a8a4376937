#include "lib/store/s3_sign.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/crypto/digest.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define HASH_BYTES 32
#define HASH_HEX_BYTES (2 * HASH_BYTES + 1)
#define DATE_CHARACTERS 8
#define CANONICAL_BYTES_MAX ((size_t)64 * 1024)

void
s3_sign_time(int64_t wall_ms, char out[S3_SIGN_TIME_BYTES])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;

    memset(&parts, 0, sizeof parts);
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(out, S3_SIGN_TIME_BYTES, "%Y%m%dT%H%M%SZ", &parts);
}

void
s3_sign_escape(const char *text, struct buf *out)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";

    for (; *text != '\0'; text++) {
        if (strchr(plain, *text) != NULL)
            buf_append_byte(out, (uint8_t)*text);
        else
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)*text);
    }
}

static void
names_write(const struct s3_sign_request *request, struct buf *out)
{
    for (size_t i = 0; i < request->header_count; i++)
        buf_printf(out, "%s%s", i == 0 ? "" : ";", request->headers[i].name);
}

static void
canonical_hash(const struct s3_sign_request *request, char out[HASH_HEX_BYTES])
{
    uint8_t hash[HASH_BYTES];
    struct buf text;

    buf_init(&text, CANONICAL_BYTES_MAX);
    buf_printf(&text, "%s\n%s\n%s\n", request->method, request->path, request->query);
    for (size_t i = 0; i < request->header_count; i++)
        buf_printf(&text, "%s:%s\n", request->headers[i].name, request->headers[i].value);
    buf_append_byte(&text, '\n');
    names_write(request, &text);
    buf_printf(&text, "\n%s", request->payload_sha256);
    digest_compute(DIGEST_SHA256, text.data, text.size, hash);
    digest_hex(hash, sizeof hash, out);
    buf_fini(&text);
}

static void
hmac_text(const void *key, size_t key_size, const char *text, size_t size, uint8_t out[HASH_BYTES])
{
    digest_hmac(DIGEST_SHA256, key, key_size, text, size, out);
}

/* The key that signs is derived from the secret, step by step from the day to the service. */
static void
key_derive(const char *secret, const char *day, const char *region, uint8_t out[HASH_BYTES])
{
    char first[S3_CREDENTIALS_SECRET_BYTES + 4];
    uint8_t a[HASH_BYTES], b[HASH_BYTES];

    snprintf(first, sizeof first, "AWS4%s", secret);
    hmac_text(first, strlen(first), day, DATE_CHARACTERS, a);
    hmac_text(a, sizeof a, region, strlen(region), b);
    hmac_text(b, sizeof b, "s3", 2, a);
    hmac_text(a, sizeof a, "aws4_request", strlen("aws4_request"), out);
    digest_wipe(first, sizeof first);
    digest_wipe(a, sizeof a);
    digest_wipe(b, sizeof b);
}

void
s3_sign_authorization(const struct s3_sign_request *request,
    const struct s3_credentials *credentials, const char *region,
    const char time[S3_SIGN_TIME_BYTES], struct buf *out)
{
    char hash[HASH_HEX_BYTES], scope[128], to_sign[512], signature[HASH_HEX_BYTES];
    uint8_t key[HASH_BYTES], mac[HASH_BYTES];

    canonical_hash(request, hash);
    snprintf(scope, sizeof scope, "%.*s/%s/s3/aws4_request", DATE_CHARACTERS, time, region);
    snprintf(to_sign, sizeof to_sign, ALGORITHM "\n%s\n%s\n%s", time, scope, hash);
    key_derive(credentials->secret, time, region, key);
    hmac_text(key, sizeof key, to_sign, strlen(to_sign), mac);
    digest_wipe(key, sizeof key);
    digest_hex(mac, sizeof mac, signature);
    buf_printf(out, ALGORITHM " Credential=%s/%s, SignedHeaders=", credentials->id, scope);
    names_write(request, out);
    buf_printf(out, ", Signature=%s", signature);
}
