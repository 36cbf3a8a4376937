/*
 * cleaner_keys: the last offset of each key, in bounded memory (Kafka's SkimpyOffsetMap).
 *
 * Keys are kept as the first 128 bits of their SHA-256, so that nobody can make two keys that are
 * taken for one. An entry is 24 bytes; the table takes at most `bytes_max` and is full at 90 % of
 * that. It begins small and doubles; while it does, half as much again is in use.
 *
 * Not thread-safe: it belongs to the job that fills it.
 */
#ifndef REFBROKER_LOG_CLEANER_KEYS_H
#define REFBROKER_LOG_CLEANER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLEANER_KEYS_ENTRY_BYTES 24
#define CLEANER_KEYS_NONE (-1)

struct cleaner_keys;

/* cleaner_keys_new makes an empty map of at least one entry. */
struct cleaner_keys *cleaner_keys_new(size_t bytes_max);
void cleaner_keys_free(struct cleaner_keys *keys);

/* cleaner_keys_put sets the offset of a key; false where the key is new and the map is full. */
bool cleaner_keys_put(struct cleaner_keys *keys, const void *key, size_t size, int64_t offset);

/* cleaner_keys_get returns the key's offset or CLEANER_KEYS_NONE. */
int64_t cleaner_keys_get(const struct cleaner_keys *keys, const void *key, size_t size);

/* cleaner_keys_count returns the number of keys. */
size_t cleaner_keys_count(const struct cleaner_keys *keys);

#endif
