#include "lib/store/store.h"

#include <string.h>

#define KEY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

bool
store_is_key(const char *key)
{
    size_t size = strlen(key);

    return size > 0 && size <= STORE_KEY_BYTES_MAX && key[0] != '.' &&
           strspn(key, KEY_CHARACTERS) == size;
}

static enum rc
key_check(const char *key, struct err *e)
{
    return store_is_key(key) ? RC_OK : err_set(e, RC_CONFIG, "'%s' is no key for an object", key);
}

void
store_free(struct store *store)
{
    if (store != NULL)
        store->ops->free(store);
}

enum rc
store_put(struct store *store, const char *key, const void *data, size_t size, struct err *e)
{
    const struct pieces_item item = {data, size};
    struct pieces pieces = pieces_of(&item, 1);

    return store_put_pieces(store, key, &pieces, e);
}

enum rc
store_put_pieces(struct store *store, const char *key, const struct pieces *pieces, struct err *e)
{
    enum rc rc = key_check(key, e);

    return rc == RC_OK ? store->ops->put(store, key, pieces, e) : rc;
}

enum rc
store_get(struct store *store, const char *key, int64_t at, void *data, size_t size, struct err *e)
{
    enum rc rc = key_check(key, e);

    return rc == RC_OK ? store->ops->get(store, key, at, data, size, e) : rc;
}

enum rc
store_remove(struct store *store, const char *key, struct err *e)
{
    enum rc rc = key_check(key, e);

    return rc == RC_OK ? store->ops->remove(store, key, e) : rc;
}

enum rc
store_list(struct store *store, store_list_fn *fn, void *arg, struct err *e)
{
    return store->ops->list(store, fn, arg, e);
}

enum rc
store_remove_many(
    struct store *store, const char *const *keys, size_t count, bool *removed, struct err *e)
{
    enum rc rc = RC_OK;

    memset(removed, 0, count * sizeof *removed);
    if (count > STORE_REMOVE_MAX)
        return err_set(e, RC_LIMIT, "%zu objects are too many to be deleted at once", count);
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = key_check(keys[i], e);
    return rc == RC_OK && count > 0 ? store->ops->remove_many(store, keys, count, removed, e) : rc;
}

void
store_cancel(struct store *store)
{
    if (store->ops->cancel != NULL)
        store->ops->cancel(store);
}

bool
store_has_told(enum rc rc)
{
    return rc == RC_TIMEOUT || rc == RC_CANCELED;
}

void
store_count(struct store *store, enum store_kind kind, int64_t bytes, bool failed)
{
    store->requests[kind]++;
    store->bytes[kind] += bytes;
    store->failures += failed;
}
