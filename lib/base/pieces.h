/*
 * pieces: bytes that lie in several places, read as one sequence.
 *
 * An object is made of batches that lie in many blobs. Who writes it away copies them anyhow, into
 * a socket or an aligned buffer, so nobody needs them in one place before. A view: nothing is
 * owned, and all of it must stay where it is while it is used. Items may be empty.
 */
#ifndef LIB_BASE_PIECES_H
#define LIB_BASE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pieces_item {
    const uint8_t *data;
    size_t size;
};

struct pieces {
    const struct pieces_item *items;
    size_t count;
    size_t size; /* of all */
    bool has_crc32c;
    uint32_t crc32c; /* of all, where whoever made them knows it already */
};

/* Where reading goes on. */
struct pieces_cursor {
    const struct pieces *pieces;
    size_t item;
    size_t at; /* within the item */
};

/* pieces_of is the view of `count` items, whose sizes it adds up. */
struct pieces pieces_of(const struct pieces_item *items, size_t count);

/* pieces_seek puts the cursor at a place of the sequence: its beginning is 0, and what is behind
 * its end is its end. */
void pieces_seek(struct pieces_cursor *cursor, const struct pieces *pieces, size_t at);

/* pieces_read copies up to `size` bytes and returns how many there were: less only at the end. */
size_t pieces_read(struct pieces_cursor *cursor, void *to, size_t size);

#endif
