/*
 * store: objects by key: written whole, read in ranges, never changed.
 *
 * Drivers: a folder of a struct disk (store_open_folder). Keys are 1 to STORE_KEY_BYTES_MAX
 * characters of [A-Za-z0-9._-] and do not begin with '.'. A put that returned RC_OK survives a
 * power cut; a put that did not has left the whole object or none. A removal may be undone by a
 * power cut. Calls block, so they run on a lane; different threads may use one store at once.
 *
 * Errors: RC_NOTFOUND, RC_NO_SPACE, RC_TRUNCATED for a range behind the object's end, RC_CONFIG for
 * a key that breaks the rule, RC_IO.
 */
#ifndef LIB_STORE_STORE_H
#define LIB_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/disk.h"
#include "lib/base/err.h"

#define STORE_KEY_BYTES_MAX 128

struct store;

typedef void store_list_fn(void *arg, const char *key);

struct store_ops {
    enum rc (*put)(struct store *, const char *key, const void *data, size_t size, struct err *);
    enum rc (*get)(
        struct store *, const char *key, int64_t at, void *data, size_t size, struct err *);
    enum rc (*remove)(struct store *, const char *key, struct err *);
    enum rc (*list)(struct store *, store_list_fn *, void *arg, struct err *);
    void (*free)(struct store *);
};

struct store {
    const struct store_ops *ops;
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

/* store_get reads exactly `size` bytes from `at` on. */
MUST_CHECK enum rc store_get(
    struct store *store, const char *key, int64_t at, void *data, size_t size, struct err *e);

/* store_remove deletes an object; RC_OK where it is gone already. */
MUST_CHECK enum rc store_remove(struct store *store, const char *key, struct err *e);

/* store_list calls fn with every key, in no particular order; fn may remove the object. */
MUST_CHECK enum rc store_list(struct store *store, store_list_fn *fn, void *arg, struct err *e);

#endif
