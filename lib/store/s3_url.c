#include "lib/store/s3_url.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEME "s3://"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define ALNUM LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS
#define PORT_MAX 65535
#define PAYLOAD_BYTES 16

static enum rc
bucket_check(const char *bucket, struct err *e)
{
    size_t size = strlen(bucket);

    if (size < 3 || strspn(bucket, LOWER DIGITS ".-") != size || strspn(bucket, ".-") > 0 ||
        strchr(".-", bucket[size - 1]) != NULL || strstr(bucket, "..") != NULL)
        return err_set(e, RC_CONFIG,
            "'%s' is no name for a bucket: 3 to 63 small letters, digits, dots and hyphens",
            bucket);
    return RC_OK;
}

/* No part may be empty, "." or "..": on the way somebody might make another path of it. */
static enum rc
prefix_check(const char *prefix, struct err *e)
{
    const char *part = prefix;

    if (strspn(prefix, ALNUM "._/-") != strlen(prefix))
        return err_set(e, RC_CONFIG,
            "'%s' is no prefix: letters, digits, dots, hyphens and bars, parted by '/'", prefix);
    while (*prefix != '\0') {
        size_t size = strcspn(part, "/");

        if (size == 0 || (size <= 2 && strspn(part, ".") == size))
            return err_set(
                e, RC_CONFIG, "'%s' is no prefix: a part of it is empty or dots", prefix);
        if (part[size] == '\0')
            break;
        part += size + 1;
    }
    return RC_OK;
}

/* "[v6]:PORT", "HOST:PORT" or without a port. */
static bool
is_host(const char *host)
{
    size_t size = *host == '[' ? strspn(host + 1, ALNUM ":.") + 1 : strspn(host, ALNUM ".-_");
    const char *port = host + size;
    char *end;
    long number;

    if (*host == '[' && *port++ != ']')
        return false;
    if (size < (*host == '[' ? 2U : 1U))
        return false;
    if (*port == '\0')
        return true;
    if (*port != ':' || strspn(port + 1, DIGITS) == 0)
        return false;
    number = strtol(port + 1, &end, 10);
    return *end == '\0' && number > 0 && number <= PORT_MAX;
}

const char *
s3_url_host(const struct s3_url *url)
{
    return strstr(url->endpoint, "://") + 3;
}

static enum rc
endpoint_check(struct s3_url *url, struct err *e)
{
    char *endpoint = url->endpoint;
    size_t size;

    if (*endpoint == '\0')
        snprintf(endpoint, S3_URL_ENDPOINT_BYTES, "https://s3.%s.amazonaws.com", url->region);
    size = strlen(endpoint);
    if (endpoint[size - 1] == '/')
        endpoint[size - 1] = '\0';
    if ((strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0) ||
        !is_host(s3_url_host(url)))
        return err_set(e, RC_CONFIG,
            "'%s' is no endpoint: http:// or https://, a host and perhaps :PORT", endpoint);
    return RC_OK;
}

static int
hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = digit == '\0' ? NULL : strchr(digits, digit);

    return at == NULL ? -1 : (int)(at - digits) - (at - digits > 15 ? 6 : 0);
}

/* Decodes %XX on the way; false where the value is too long or an escape is none. */
static bool
value_copy(const char *from, size_t size, char *to, size_t to_size)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        char byte = from[i];

        if (byte == '%') {
            int high = i + 2 < size ? hex_digit(from[i + 1]) : -1;
            int low = i + 2 < size ? hex_digit(from[i + 2]) : -1;

            if (high < 0 || low < 0 || high + low == 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        if (used + 1 == to_size)
            return false;
        to[used++] = byte;
    }
    to[used] = '\0';
    return true;
}

static enum rc
parameter_read(
    struct s3_url *url, char payload[PAYLOAD_BYTES], const char *text, size_t size, struct err *e)
{
    const struct {
        const char *name;
        char *to;
        size_t to_size;
    } parameters[] = {{"endpoint=", url->endpoint, sizeof url->endpoint},
        {"region=", url->region, sizeof url->region}, {"payload=", payload, PAYLOAD_BYTES}};

    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++) {
        size_t name = strlen(parameters[i].name);
        char *to = parameters[i].to;

        if (strncmp(text, parameters[i].name, name) != 0)
            continue;
        if (!value_copy(text + name, size - name, to, parameters[i].to_size) || *to == '\0')
            return err_set(e, RC_CONFIG, "the value of %s is empty, too long or has a wrong %%XX",
                parameters[i].name);
        return RC_OK;
    }
    return err_set(e, RC_CONFIG,
        "'%.*s' is no option of a store: there are endpoint=URL, region=NAME and "
        "payload=signed|unsigned",
        (int)(size < 100 ? size : 100), text);
}

static enum rc
payload_take(struct s3_url *url, const char *payload, struct err *e)
{
    bool is_signed = strcmp(payload, "signed") == 0;

    if (*payload != '\0' && !is_signed && strcmp(payload, "unsigned") != 0)
        return err_set(e, RC_CONFIG, "payload=%s: it is signed or unsigned", payload);
    url->signs_payload = *payload == '\0' ? strncmp(url->endpoint, "https://", 8) != 0 : is_signed;
    return RC_OK;
}

static bool
part_copy(const char *from, size_t size, char *to, size_t to_size)
{
    if (size >= to_size)
        return false;
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

enum rc
s3_url_parse(const char *text, struct s3_url *out, struct err *e)
{
    const char *at = text + strlen(SCHEME);
    char payload[PAYLOAD_BYTES] = "";
    size_t bucket, prefix = 0;
    enum rc rc = RC_OK;

    memset(out, 0, sizeof *out);
    memcpy(out->region, "us-east-1", sizeof "us-east-1");
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return err_set(e, RC_CONFIG,
            "'%s' is no store: s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME]", text);
    bucket = strcspn(at, "/?");
    if (!part_copy(at, bucket, out->bucket, sizeof out->bucket))
        return err_set(e, RC_CONFIG, "the bucket's name is longer than 63 characters");
    at += bucket;
    if (*at == '/') {
        at++;
        prefix = strcspn(at, "?");
        /* People end a folder's name with a '/'. */
        if (!part_copy(at, prefix > 0 && at[prefix - 1] == '/' ? prefix - 1 : prefix, out->prefix,
                sizeof out->prefix))
            return err_set(e, RC_CONFIG, "the prefix is longer than 511 characters");
        at += prefix;
    }
    rc = bucket_check(out->bucket, e);
    if (rc == RC_OK)
        rc = prefix_check(out->prefix, e);
    while (rc == RC_OK && *at != '\0') {
        size_t size = strcspn(++at, "&");

        rc = parameter_read(out, payload, at, size, e);
        at += size;
    }
    if (rc == RC_OK && strspn(out->region, ALNUM "-") != strlen(out->region))
        rc = err_set(e, RC_CONFIG, "'%s' is no region", out->region);
    if (rc == RC_OK)
        rc = endpoint_check(out, e);
    return rc == RC_OK ? payload_take(out, payload, e) : rc;
}
