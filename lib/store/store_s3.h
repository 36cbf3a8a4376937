/*
 * store_s3: objects in a bucket on S3, or on a server that speaks like it.
 *
 * The object KEY lies at PREFIX/FOLDER/KEY of the bucket. A put is one PUT with checksums that the
 * server holds the body against, a get one GET of a range, a removal of many one DeleteObjects, a
 * list as many ListObjectsV2 as it has pages; each is repeated as s3_client.h says. A put whose
 * outcome nobody knows may still arrive at the server after the call, and after the process: who
 * gives another object the same key later must not do so.
 *
 * What the server says is not believed further than store.h needs: keys that are none are left out
 * of a list, and a list ends after STORE_S3_PAGES_MAX pages with RC_LIMIT. Ranges carry no
 * checksum, so whoever reads them has his own.
 */
#ifndef LIB_STORE_STORE_S3_H
#define LIB_STORE_STORE_S3_H

#include "lib/base/env.h"
#include "lib/store/s3_url.h"
#include "lib/store/store.h"

#define STORE_S3_PAGES_MAX 100000
#define STORE_S3_FOLDER_BYTES_MAX 64

/* For a broker: long enough for a server's pause, short enough for whoever waits behind a call. */
#define STORE_S3_DEADLINE_MS 15000

struct store_s3_options {
    const struct s3_url *url;
    const char *folder; /* [A-Za-z0-9._-], 1 to STORE_S3_FOLDER_BYTES_MAX */
    struct env *env;    /* must live as long, and be safe to ask from any thread: a real one */
    int64_t deadline_ms;
};

/* store_s3_open makes a store and asks the server nothing, which may be away. RC_CONFIG without
 * credentials. */
MUST_CHECK enum rc store_s3_open(
    const struct store_s3_options *options, struct store **out, struct err *e);

#endif
