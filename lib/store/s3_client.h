/*
 * s3_client: requests to one bucket, signed, and repeated until they are answered.
 *
 * Paths are ENDPOINT/BUCKET/KEY. What went wrong is one of
 *   - the object's own: there is none, or the range lies behind its end. That is an answer;
 *   - the server's or the network's: no connection, 5xx, SlowDown, 429, an answer that cannot be
 *     read. The request is repeated soon, later if the server says that it has too much to do;
 *   - something that people must mend: keys, rights, bucket, region, clock. It is repeated too,
 * since they may do so while the program runs, but not so often, and the credentials are looked up
 *     again.
 * Pauses double up to S3_CLIENT_PAUSE_MS_MAX, and the second half of each is a matter of dice, so
 * that many clients do not come back at once. A call gives up at its deadline with RC_TIMEOUT: the
 * options' time, and more for a body in proportion to it.
 *
 * One line is logged when the server is away (STORE-AWAY: at once where people must mend it,
 * otherwise when a call has been at it for a second), again when the reason changes and every
 * minute, and one when every kind of request is answered again (STORE-BACK). Secrets are in none of
 * them.
 *
 * Every request that has left is counted in the options' store, by kind and bytes of objects.
 * Different threads may use one client at once.
 */
#ifndef LIB_STORE_S3_CLIENT_H
#define LIB_STORE_S3_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/env.h"
#include "lib/base/err.h"
#include "lib/store/s3_url.h"
#include "lib/store/store.h"

#define S3_CLIENT_PAUSE_MS_MAX 5000

struct s3_client;

struct s3_client_options {
    const struct s3_url *url; /* copied */
    struct env *env;
    struct store *store; /* counts requests */
    int64_t deadline_ms;
};

/* What an answer 2xx holds. Of other answers people are told. */
struct s3_client_answer {
    int status;
    size_t into_got;
    const void *body;
    size_t body_size;
};

struct s3_client_request {
    enum store_kind kind;
    const char *method;
    const char *key;   /* "" for the bucket itself */
    const char *query; /* as s3_sign.h wants it */
    const char *range; /* of a GET, or NULL */
    /* NULL: none. Goes with its CRC-32C and, but for an object where the URL says otherwise, its
     * SHA-256, which the server checks. */
    const struct pieces *body;
    void *into; /* of a GET with a range: where it goes */
    size_t into_size;
    /* Looks at an answer 2xx, or is NULL. RC_OK and RC_TRUNCATED end the call, anything else is the
     * server's fault, and the request is repeated; so it begins anew each time. */
    enum rc (*take)(void *arg, const struct s3_client_answer *answer, struct err *e);
    void *arg;
};

/* s3_client_new looks for credentials (RC_CONFIG where there are none) and asks the server nothing.
 * s3_client_free: no call may be under way. */
MUST_CHECK enum rc s3_client_new(
    const struct s3_client_options *options, struct s3_client **out, struct err *e);
void s3_client_free(struct s3_client *client);

/* s3_client_run: RC_OK, RC_NOTFOUND (NoSuchKey), RC_TRUNCATED (a range that is not there),
 * RC_TIMEOUT, RC_CANCELED. */
MUST_CHECK enum rc s3_client_run(
    struct s3_client *client, const struct s3_client_request *request, struct err *e);

/* s3_client_cancel ends calls that are under way or will come. */
void s3_client_cancel(struct s3_client *client);

#endif
