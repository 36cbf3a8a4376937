#include "refbroker/log/cleaner_keys.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"

#define SLOTS_FIRST ((size_t)1024)

struct entry {
    uint64_t hash[2];
    int64_t offset_1; /* offset + 1; 0: the slot is free */
};

_Static_assert(sizeof(struct entry) == CLEANER_KEYS_ENTRY_BYTES, "the memory that is promised");

struct cleaner_keys {
    struct entry *slots;
    size_t slot_count;
    size_t slots_max;
    size_t count;
};

struct cleaner_keys *
cleaner_keys_new(size_t bytes_max)
{
    struct cleaner_keys *keys = xcalloc(1, sizeof *keys);

    keys->slots_max = bytes_max / sizeof(struct entry);
    if (keys->slots_max < 2)
        keys->slots_max = 2;
    keys->slot_count = keys->slots_max < SLOTS_FIRST ? keys->slots_max : SLOTS_FIRST;
    keys->slots = xcalloc(keys->slot_count, sizeof *keys->slots);
    return keys;
}

void
cleaner_keys_free(struct cleaner_keys *keys)
{
    if (keys == NULL)
        return;
    free(keys->slots);
    free(keys);
}

static struct entry
hash_of(const void *key, size_t size)
{
    uint8_t digest[DIGEST_BYTES_MAX];
    struct entry entry = {.offset_1 = 0};

    digest_compute(DIGEST_SHA256, key, size, digest);
    memcpy(entry.hash, digest, sizeof entry.hash);
    return entry;
}

/* The slot that holds this hash, or the free one where it belongs. One is always free. */
static struct entry *
slot_of(const struct cleaner_keys *keys, const struct entry *wanted)
{
    size_t i = wanted->hash[0] % keys->slot_count;

    while (keys->slots[i].offset_1 != 0 &&
           (keys->slots[i].hash[0] != wanted->hash[0] || keys->slots[i].hash[1] != wanted->hash[1]))
        i = i + 1 == keys->slot_count ? 0 : i + 1;
    return &keys->slots[i];
}

static bool
is_full(const struct cleaner_keys *keys)
{
    return keys->count + 1 > keys->slot_count - (keys->slot_count + 9) / 10;
}

static void
grow(struct cleaner_keys *keys)
{
    struct cleaner_keys larger = *keys;

    larger.slot_count =
        keys->slot_count > keys->slots_max / 2 ? keys->slots_max : keys->slot_count * 2;
    larger.slots = xcalloc(larger.slot_count, sizeof *larger.slots);
    for (size_t i = 0; i < keys->slot_count; i++)
        if (keys->slots[i].offset_1 != 0)
            *slot_of(&larger, &keys->slots[i]) = keys->slots[i];
    free(keys->slots);
    *keys = larger;
}

bool
cleaner_keys_put(struct cleaner_keys *keys, const void *key, size_t size, int64_t offset)
{
    struct entry entry = hash_of(key, size), *slot = slot_of(keys, &entry);

    entry.offset_1 = offset + 1;
    if (slot->offset_1 == 0) {
        if (is_full(keys) && keys->slot_count < keys->slots_max)
            grow(keys);
        if (is_full(keys))
            return false;
        slot = slot_of(keys, &entry);
        keys->count++;
    }
    *slot = entry;
    return true;
}

int64_t
cleaner_keys_get(const struct cleaner_keys *keys, const void *key, size_t size)
{
    struct entry entry = hash_of(key, size);

    return slot_of(keys, &entry)->offset_1 - 1;
}

size_t
cleaner_keys_count(const struct cleaner_keys *keys)
{
    return keys->count;
}
