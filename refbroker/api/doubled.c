#include "refbroker/api/doubled.h"

/* Values that only differ in their address. */
static char once, often;

void
doubled_init(struct doubled *doubled)
{
    map_init(&doubled->counts);
}

void
doubled_fini(struct doubled *doubled)
{
    map_fini(&doubled->counts, NULL);
}

void
doubled_note(struct doubled *doubled, const void *key, size_t size)
{
    if (map_put(&doubled->counts, key, size, &once) != NULL)
        (void)map_put(&doubled->counts, key, size, &often);
}

bool
doubled_is(const struct doubled *doubled, const void *key, size_t size)
{
    return map_get(&doubled->counts, key, size) == &often;
}

bool
doubled_any(const void *items, size_t size, int32_t count)
{
    struct doubled seen;
    bool any = false;

    doubled_init(&seen);
    for (int32_t i = 0; i < count && !any; i++) {
        const void *item = (const char *)items + (size_t)i * size;
        const struct wire_string *text = item;

        doubled_note(&seen, text->data, (size_t)text->size);
        any = doubled_is(&seen, text->data, (size_t)text->size);
    }
    doubled_fini(&seen);
    return any;
}
