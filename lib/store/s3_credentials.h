/*
 * s3_credentials: who signs requests to S3.
 *
 * They come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if set, AWS_SESSION_TOKEN; without
 * these from the profile AWS_PROFILE ("default" without it) of the file
 * AWS_SHARED_CREDENTIALS_FILE, or else of .aws/credentials in the home folder, as Amazon's own
 * tools do. They are asked for anew when a server has refused them, so that a file may be changed
 * while a program runs.
 */
#ifndef LIB_STORE_S3_CREDENTIALS_H
#define LIB_STORE_S3_CREDENTIALS_H

#include "lib/base/err.h"

#define S3_CREDENTIALS_ID_BYTES 129
#define S3_CREDENTIALS_SECRET_BYTES 257
#define S3_CREDENTIALS_TOKEN_BYTES 8193

struct s3_credentials {
    char id[S3_CREDENTIALS_ID_BYTES];
    char secret[S3_CREDENTIALS_SECRET_BYTES];
    char token[S3_CREDENTIALS_TOKEN_BYTES]; /* "": none */
};

/* s3_credentials_load looks for them; s3_credentials_wipe overwrites them. RC_CONFIG, with where
 * they were looked for, where there are none, and for a value that no header can carry. */
MUST_CHECK enum rc s3_credentials_load(struct s3_credentials *out, struct err *e);
void s3_credentials_wipe(struct s3_credentials *credentials);

#endif
