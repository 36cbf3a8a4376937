#include "lib/base/pieces.h"

#include <string.h>

struct pieces
pieces_of(const struct pieces_item *items, size_t count)
{
    struct pieces pieces = {.items = items, .count = count};

    for (size_t i = 0; i < count; i++)
        pieces.size += items[i].size;
    return pieces;
}

void
pieces_seek(struct pieces_cursor *cursor, const struct pieces *pieces, size_t at)
{
    size_t item = 0;

    while (item < pieces->count && at >= pieces->items[item].size)
        at -= pieces->items[item++].size;
    *cursor = (struct pieces_cursor){pieces, item, item < pieces->count ? at : 0};
}

size_t
pieces_read(struct pieces_cursor *cursor, void *to, size_t size)
{
    const struct pieces *pieces = cursor->pieces;
    size_t got = 0;

    while (got < size && cursor->item < pieces->count) {
        const struct pieces_item *item = &pieces->items[cursor->item];
        size_t left = item->size - cursor->at;
        size_t part = left < size - got ? left : size - got;

        if (part > 0)
            memcpy((uint8_t *)to + got, item->data + cursor->at, part);
        got += part;
        cursor->at += part;
        if (cursor->at == item->size) {
            cursor->item++;
            cursor->at = 0;
        }
    }
    return got;
}
