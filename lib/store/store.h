/*
 * store: objects by key: written whole, read in ranges, never changed.
 *
 * Drivers: a folder of a struct disk (store_open_folder), a bucket on S3 (store_s3.h). Keys are 1
 * to STORE_KEY_BYTES_MAX characters of [A-Za-z0-9._-] and do not begin with '.'. A put that
 * returned RC_OK survives a power cut; a put that did not has left the whole object or none. A
 * removal may be undone by a power cut. Calls block, so they run on a lane; different threads may
 * use one store at once.
 *
 * Errors: RC_NOTFOUND, RC_NO_SPACE, RC_TRUNCATED for a range behind the object's end, RC_CONFIG for
 * a key that breaks the rule, RC_IO. A store that is reached over a network tries for a while and
 * then says RC_TIMEOUT: asking again is right, at once if need be, since the call itself has
 * waited. It logs what is wrong, so callers need not. RC_CANCELED after store_cancel.
 */
#ifndef LIB_STORE_STORE_H
#define LIB_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/disk.h"
#include "lib/base/err.h"
#include "lib/base/pieces.h"

#define STORE_KEY_BYTES_MAX 128

struct store;

typedef void store_list_fn(void *arg, const char *key);

struct store_ops {
    enum rc (*put)(struct store *, const char *key, const struct pieces *, struct err *);
    enum rc (*get)(
        struct store *, const char *key, int64_t at, void *data, size_t size, struct err *);
    enum rc (*remove)(struct store *, const char *key, struct err *);
    enum rc (*remove_many)(
        struct store *, const char *const *keys, size_t count, bool *removed, struct err *);
    enum rc (*list)(struct store *, store_list_fn *, void *arg, struct err *);
    void (*cancel)(struct store *);
    void (*free)(struct store *);
};

/* What a store was asked for: operations on a folder, requests to a server (each attempt, as the
 * server's own log counts them). Bytes are those of objects. */
enum store_kind { STORE_PUT, STORE_GET, STORE_DELETE, STORE_LIST, STORE_KINDS };

struct store {
    const struct store_ops *ops;
    _Atomic int64_t requests[STORE_KINDS];
    _Atomic int64_t bytes[STORE_KINDS];
    _Atomic int64_t failures; /* requests that ended in an error */
};

/* store_open_folder keeps objects as files of `folder`, which is made if it is not there.
 * Left-overs of interrupted puts are removed. */
MUST_CHECK enum rc store_open_folder(
    struct disk *disk, const char *folder, struct store **out, struct err *e);
void store_free(struct store *store);

/* store_put writes an object. A key is written once, or again after a put whose outcome nobody
 * knows; the object is then replaced as a whole. */
MUST_CHECK enum rc store_put(
    struct store *store, const char *key, const void *data, size_t size, struct err *e);

/* store_put_pieces does the same with an object whose bytes lie in several places. */
MUST_CHECK enum rc store_put_pieces(
    struct store *store, const char *key, const struct pieces *pieces, struct err *e);

/* store_get reads exactly `size` bytes from `at` on. */
MUST_CHECK enum rc store_get(
    struct store *store, const char *key, int64_t at, void *data, size_t size, struct err *e);

/* store_remove deletes an object; RC_OK where it is gone already. */
MUST_CHECK enum rc store_remove(struct store *store, const char *key, struct err *e);

/* store_remove_many deletes up to STORE_REMOVE_MAX objects with as few requests as may be.
 * `removed` tells of each whether it is gone; RC_OK where all are, otherwise what happened to one
 * that is not. */
#define STORE_REMOVE_MAX 1000
MUST_CHECK enum rc store_remove_many(
    struct store *store, const char *const *keys, size_t count, bool *removed, struct err *e);

/* store_list calls fn with every key, in no particular order; fn may remove the object. */
MUST_CHECK enum rc store_list(struct store *store, store_list_fn *fn, void *arg, struct err *e);

/* store_cancel ends calls that wait for a server, and all later ones, with RC_CANCELED. From any
 * thread; without effect on a folder, which does not keep one waiting. */
void store_cancel(struct store *store);

/* store_has_told tells whether the store itself has logged why a call ended so, or nobody needs to
 * know. */
bool store_has_told(enum rc rc);

/* store_is_key tells whether a text follows the rule for keys. */
bool store_is_key(const char *key);

/* store_count adds one request to what the store was asked for: for drivers. */
void store_count(struct store *store, enum store_kind kind, int64_t bytes, bool failed);

#endif
