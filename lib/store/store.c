#include "lib/store/store.h"

#include <string.h>

#define KEY_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static enum rc
key_check(const char *key, struct err *e)
{
    size_t size = strlen(key);

    if (size == 0 || size > STORE_KEY_BYTES_MAX || key[0] == '.' ||
        strspn(key, KEY_CHARACTERS) != size)
        return err_set(e, RC_CONFIG, "'%s' is no key for an object", key);
    return RC_OK;
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
    enum rc rc = key_check(key, e);

    return rc == RC_OK ? store->ops->put(store, key, data, size, e) : rc;
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
