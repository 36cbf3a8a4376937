/*
 * map: byte strings (or integers) to pointers, in the order of insertion.
 *
 * Iteration follows the order in which keys were first put, so that output and simulation do not
 * depend on hash values. Keys are copied; values are the caller's. Lookups are O(1); removal keeps
 * the order.
 *
 * Limits: MAP_ENTRIES_MAX entries; keys up to 2^31 bytes. Where a peer decides how many keys there
 * are, the caller bounds them. Not thread-safe.
 */
#ifndef LIB_BASE_MAP_H
#define LIB_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAP_ENTRIES_MAX ((size_t)1 << 30)

struct map_entry;

struct map {
    struct map_entry *entries; /* in order of insertion, holes where keys were removed */
    uint32_t *slots;           /* hash table of entry index + 1 */
    size_t entry_count;        /* holes included */
    size_t entry_capacity;
    size_t slot_count;
    size_t count; /* live keys */
};

typedef void map_free_fn(void *value);

/* map_init makes an empty map, as zeroed memory is one too. */
void map_init(struct map *map);

/* map_fini frees the map's own memory, and each value by free_value where that is not NULL. */
void map_fini(struct map *map, map_free_fn *free_value);

/* map_put sets key to value and returns the value that stood there before, or NULL. NULL is no
 * value. */
void *map_put(struct map *map, const void *key, size_t key_size, void *value);

/* map_get returns the value of key or NULL. map_remove also takes it out. */
void *map_get(const struct map *map, const void *key, size_t key_size);
void *map_remove(struct map *map, const void *key, size_t key_size);

/* The same for C strings and for integers. */
void *map_put_text(struct map *map, const char *key, void *value);
void *map_get_text(const struct map *map, const char *key);
void *map_remove_text(struct map *map, const char *key);
void *map_put_int(struct map *map, int64_t key, void *value);
void *map_get_int(const struct map *map, int64_t key);
void *map_remove_int(struct map *map, int64_t key);

/*
 * map_next walks the map: start with *position = 0; it returns the next value and sets key and
 * key_size (where not NULL), or returns NULL at the end. The entry just returned may be removed
 * during the walk; no key may be added.
 */
void *map_next(const struct map *map, size_t *position, const void **key, size_t *key_size);

/* map_count returns the number of keys. */
size_t map_count(const struct map *map);

#endif
