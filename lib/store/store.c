#include "lib/store/store.h"

void
store_free(struct store *store)
{
    if (store != NULL)
        store->ops->free(store);
}

enum rc
store_put(struct store *store, const char *key, const void *data, size_t size, struct err *e)
{
    return store->ops->put(store, key, data, size, e);
}

enum rc
store_get(struct store *store, const char *key, int64_t at, void *data, size_t size, struct err *e)
{
    return store->ops->get(store, key, at, data, size, e);
}

enum rc
store_remove(struct store *store, const char *key, struct err *e)
{
    return store->ops->remove(store, key, e);
}

enum rc
store_list(struct store *store, store_list_fn *fn, void *arg, struct err *e)
{
    return store->ops->list(store, fn, arg, e);
}
