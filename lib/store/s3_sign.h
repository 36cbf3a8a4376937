/*
 * s3_sign: Amazon's signature version 4 of a request to S3.
 *
 * Pure: the time is given. What is signed is what the header comment of each field says; the rule
 * is "Signature Calculations for the Authorization Header" of the S3 API reference, whose examples
 * are the test. libcurl can sign by itself, but the one in Debian 12 sorts and escapes queries
 * otherwise than servers do.
 */
#ifndef LIB_STORE_S3_SIGN_H
#define LIB_STORE_S3_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/store/s3_credentials.h"

#define S3_SIGN_TIME_BYTES 17 /* "20130524T000000Z" */

struct s3_sign_header {
    const char *name; /* in lower case */
    const char *value;
};

struct s3_sign_request {
    const char *method;
    const char *path;  /* from the '/' on, escaped as it is sent */
    const char *query; /* as it is sent: names sorted, each with '=', escaped; "" without one */
    const struct s3_sign_header *headers; /* that are signed, sorted by name, `host` among them */
    size_t header_count;
    const char *payload_sha256; /* in hex; also the value of x-amz-content-sha256 */
};

/* s3_sign_time writes a wall clock as it stands in x-amz-date. */
void s3_sign_time(int64_t wall_ms, char out[S3_SIGN_TIME_BYTES]);

/* s3_sign_authorization appends the value of the header Authorization. */
void s3_sign_authorization(const struct s3_sign_request *request,
    const struct s3_credentials *credentials, const char *region,
    const char time[S3_SIGN_TIME_BYTES], struct buf *out);

/* s3_sign_escape appends a text as it stands in a query: all but [A-Za-z0-9._~-] as %XX. */
void s3_sign_escape(const char *text, struct buf *out);

#endif
