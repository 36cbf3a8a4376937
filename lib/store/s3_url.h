/*
 * s3_url: where objects on S3 lie, from one text.
 *
 *     s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME][&payload=signed|unsigned]
 *
 * BUCKET follows S3's rule for names (3 to 63 of [a-z0-9.-], a letter or digit at both ends),
 * PREFIX has characters of [A-Za-z0-9._/-], so that neither needs an escape anywhere. The endpoint
 * is http:// or https:// with a host and perhaps a port, and nothing behind it; without one it is
 * Amazon's for the region. Without a region it is us-east-1, which servers that know no regions
 * expect. Whether an object's bytes are part of a PUT's signature (SHA-256, a second of a processor
 * for each GB) says the payload: over http:// they are, over https://, which protects them itself,
 * they are not; a server that only this machine reaches needs no more than the CRC-32C that goes
 * with each. Values may have %XX.
 */
#ifndef LIB_STORE_S3_URL_H
#define LIB_STORE_S3_URL_H

#include <stdbool.h>

#include "lib/base/err.h"

#define S3_URL_BUCKET_BYTES 64
#define S3_URL_PREFIX_BYTES 512
#define S3_URL_ENDPOINT_BYTES 280
#define S3_URL_REGION_BYTES 64

struct s3_url {
    char bucket[S3_URL_BUCKET_BYTES];
    char prefix[S3_URL_PREFIX_BYTES]; /* "" or a path without '/' at either end */
    char endpoint[S3_URL_ENDPOINT_BYTES];
    char region[S3_URL_REGION_BYTES];
    bool signs_payload;
};

/* s3_url_parse reads `text`. RC_CONFIG, with what to write instead. */
MUST_CHECK enum rc s3_url_parse(const char *text, struct s3_url *out, struct err *e);

/* s3_url_host returns the endpoint's host and port: what an HTTP request has as its Host. */
const char *s3_url_host(const struct s3_url *url);

#endif
