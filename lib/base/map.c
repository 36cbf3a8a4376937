#include "lib/base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/xalloc.h"

struct map_entry {
    void *value; /* NULL marks a hole */
    uint64_t hash;
    uint32_t key_size;
    char *key; /* with a zero byte behind it */
};

#define SLOT_EMPTY 0u
#define SLOT_DELETED UINT32_MAX

#define ROTATE(x, n) ((x) << (n) | (x) >> (64 - (n)))

static uint64_t secret[2];
static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void
secret_make(void)
{
    REQUIRE(getrandom(secret, sizeof secret, 0) == sizeof secret);
}

static void
sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = ROTATE(v[1], 13) ^ v[0];
    v[0] = ROTATE(v[0], 32);
    v[2] += v[3];
    v[3] = ROTATE(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ROTATE(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ROTATE(v[1], 17) ^ v[2];
    v[2] = ROTATE(v[2], 32);
}

/* SipHash-1-3 under a secret of the process: peers choose keys (names, producer ids), and must not
 * be able to choose ones that collide. Iteration does not depend on it. */
static uint64_t
hash_key(const void *key, size_t size)
{
    uint64_t v[4] = {
        0x736f6d6570736575u, 0x646f72616e646f6du, 0x6c7967656e657261u, 0x7465646279746573u};
    const unsigned char *p = key;
    uint64_t word;
    size_t left = size;

    pthread_once(&secret_once, secret_make);
    for (int i = 0; i < 4; i++)
        v[i] ^= secret[i % 2];
    for (; left >= sizeof word; left -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    word = (uint64_t)size << 56;
    if (left > 0)
        memcpy(&word, p, left);
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    sip_round(v);
    sip_round(v);
    sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
map_init(struct map *map)
{
    memset(map, 0, sizeof *map);
}

void
map_fini(struct map *map, map_free_fn *free_value)
{
    for (size_t i = 0; i < map->entry_count; i++) {
        if (map->entries[i].value == NULL)
            continue;
        free(map->entries[i].key);
        if (free_value != NULL)
            free_value(map->entries[i].value);
    }
    free(map->entries);
    free(map->slots);
    map_init(map);
}

/* The slot that holds key, or the slot where it belongs; *found tells which. */
static size_t
slot_find(const struct map *map, const void *key, size_t size, uint64_t hash, bool *found)
{
    size_t mask = map->slot_count - 1;
    size_t place = SIZE_MAX;

    *found = false;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t slot = map->slots[i];
        const struct map_entry *entry;

        if (slot == SLOT_EMPTY)
            return place == SIZE_MAX ? i : place;
        if (slot == SLOT_DELETED) {
            if (place == SIZE_MAX)
                place = i;
            continue;
        }
        entry = &map->entries[slot - 1];
        if (entry->hash == hash && entry->key_size == size &&
            (size == 0 || memcmp(entry->key, key, size) == 0)) {
            *found = true;
            return i;
        }
    }
}

/* Squeezes the holes out of the entries and builds the slots anew for the size then needed. */
static void
rebuild(struct map *map)
{
    size_t slot_count = 16, kept = 0;

    for (size_t i = 0; i < map->entry_count; i++)
        if (map->entries[i].value != NULL)
            map->entries[kept++] = map->entries[i];
    map->entry_count = kept;
    while (slot_count < (kept + 1) * 2)
        slot_count *= 2;
    free(map->slots);
    map->slots = xcalloc(slot_count, sizeof *map->slots);
    map->slot_count = slot_count;
    for (size_t i = 0; i < kept; i++) {
        size_t at = map->entries[i].hash & (slot_count - 1);

        while (map->slots[at] != SLOT_EMPTY)
            at = (at + 1) & (slot_count - 1);
        map->slots[at] = (uint32_t)i + 1;
    }
}

static void
reserve_entry(struct map *map)
{
    REQUIRE(map->count < MAP_ENTRIES_MAX);
    if (map->slot_count == 0 || (map->entry_count + 1) * 4 > map->slot_count * 3)
        rebuild(map);
    if (map->entry_count == map->entry_capacity) {
        map->entry_capacity = map->entry_capacity == 0 ? 8 : map->entry_capacity * 2;
        map->entries = xrealloc(map->entries, map->entry_capacity, sizeof *map->entries);
    }
}

void *
map_put(struct map *map, const void *key, size_t key_size, void *value)
{
    uint64_t hash = hash_key(key, key_size);
    struct map_entry *entry;
    bool found;
    size_t slot;

    REQUIRE(value != NULL && key_size < INT32_MAX);
    reserve_entry(map);
    slot = slot_find(map, key, key_size, hash, &found);
    if (found) {
        void *old;

        entry = &map->entries[map->slots[slot] - 1];
        old = entry->value;
        entry->value = value;
        return old;
    }
    entry = &map->entries[map->entry_count++];
    entry->value = value;
    entry->hash = hash;
    entry->key_size = (uint32_t)key_size;
    entry->key = xmemdup(key, key_size);
    map->slots[slot] = (uint32_t)map->entry_count;
    map->count++;
    return NULL;
}

void *
map_get(const struct map *map, const void *key, size_t key_size)
{
    bool found;
    size_t slot;

    if (map->count == 0)
        return NULL;
    slot = slot_find(map, key, key_size, hash_key(key, key_size), &found);
    return found ? map->entries[map->slots[slot] - 1].value : NULL;
}

void *
map_remove(struct map *map, const void *key, size_t key_size)
{
    struct map_entry *entry;
    void *value;
    bool found;
    size_t slot;

    if (map->count == 0)
        return NULL;
    slot = slot_find(map, key, key_size, hash_key(key, key_size), &found);
    if (!found)
        return NULL;
    entry = &map->entries[map->slots[slot] - 1];
    map->slots[slot] = SLOT_DELETED;
    value = entry->value;
    free(entry->key);
    entry->key = NULL;
    entry->value = NULL;
    map->count--;
    return value;
}

void *
map_put_text(struct map *map, const char *key, void *value)
{
    return map_put(map, key, strlen(key), value);
}

void *
map_get_text(const struct map *map, const char *key)
{
    return map_get(map, key, strlen(key));
}

void *
map_remove_text(struct map *map, const char *key)
{
    return map_remove(map, key, strlen(key));
}

void *
map_put_int(struct map *map, int64_t key, void *value)
{
    return map_put(map, &key, sizeof key, value);
}

void *
map_get_int(const struct map *map, int64_t key)
{
    return map_get(map, &key, sizeof key);
}

void *
map_remove_int(struct map *map, int64_t key)
{
    return map_remove(map, &key, sizeof key);
}

void *
map_next(const struct map *map, size_t *position, const void **key, size_t *key_size)
{
    while (*position < map->entry_count) {
        const struct map_entry *entry = &map->entries[(*position)++];

        if (entry->value == NULL)
            continue;
        if (key != NULL)
            *key = entry->key;
        if (key_size != NULL)
            *key_size = entry->key_size;
        return entry->value;
    }
    return NULL;
}

size_t
map_count(const struct map *map)
{
    return map->count;
}
