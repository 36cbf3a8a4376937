#include "refbroker/coord/share_pieces.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/list.h"
#include "lib/base/xalloc.h"

/*
 * A skip list: `links` is the heads or the `next` of a piece, an array of one link per level.
 * Heights do not depend on the offsets, so that no order of them makes it slow.
 */

void
share_pieces_init(struct share_pieces *pieces)
{
    memset(pieces, 0, sizeof *pieces);
    heap_init(&pieces->locks);
    map_init(&pieces->holders);
    pieces->dice = UINT64_C(0x9e3779b97f4a7c15);
}

static void
holder_free(void *value)
{
    struct share_holder *holder = value;

    free(holder->member_id);
    free(holder);
}

void
share_pieces_fini(struct share_pieces *pieces)
{
    struct share_piece *piece, *next;

    for (piece = pieces->heads[0]; piece != NULL; piece = next) {
        next = piece->next[0];
        free(piece);
    }
    heap_fini(&pieces->locks);
    map_fini(&pieces->holders, holder_free);
    share_pieces_init(pieces);
}

bool
share_pieces_is_done(int8_t state)
{
    return state == SHARE_ACKNOWLEDGED || state == SHARE_ARCHIVED;
}

static int64_t
length(const struct share_piece *piece)
{
    return piece->last - piece->first + 1;
}

/* --- the order ------------------------------------------------------------------------------- */

struct share_piece *
share_pieces_first(const struct share_pieces *pieces)
{
    return pieces->heads[0];
}

struct share_piece *
share_pieces_next(const struct share_piece *piece)
{
    return piece->next[0];
}

/* On each level the links from which on all lies at or above `offset`. */
static void
path_find(struct share_pieces *pieces, int64_t offset, struct share_piece **path[])
{
    struct share_piece **links = pieces->heads;

    for (size_t level = SHARE_PIECES_HEIGHT; level-- > 0;) {
        while (links[level] != NULL && links[level]->last < offset)
            links = links[level]->next;
        path[level] = links;
    }
}

struct share_piece *
share_pieces_at(struct share_pieces *pieces, int64_t offset)
{
    struct share_piece **path[SHARE_PIECES_HEIGHT];

    path_find(pieces, offset, path);
    return path[0][0];
}

struct share_piece *
share_pieces_floor(struct share_pieces *pieces, int64_t offset)
{
    struct share_piece **links = pieces->heads, *found = NULL;

    for (size_t level = SHARE_PIECES_HEIGHT; level-- > 0;)
        while (links[level] != NULL && links[level]->first <= offset) {
            found = links[level];
            links = found->next;
        }
    return found;
}

static uint8_t
height_throw(struct share_pieces *pieces)
{
    uint64_t x = pieces->dice;
    uint8_t height = 1;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    pieces->dice = x;
    for (; height < SHARE_PIECES_HEIGHT && (x & 3) == 0; x >>= 2)
        height++;
    return height;
}

static struct share_piece *
piece_put(struct share_pieces *pieces, int64_t first, int64_t last)
{
    struct share_piece **path[SHARE_PIECES_HEIGHT], *piece;
    uint8_t height = height_throw(pieces);

    path_find(pieces, first, path);
    REQUIRE(first <= last && (path[0][0] == NULL || path[0][0]->first > last));
    piece = xcalloc(1, sizeof *piece + height * sizeof(struct share_piece *));
    piece->first = first;
    piece->last = last;
    piece->height = height;
    for (size_t level = 0; level < height; level++) {
        piece->next[level] = path[level][level];
        path[level][level] = piece;
    }
    pieces->count++;
    return piece;
}

/* Takes a piece out that has no holder. */
static void
piece_remove(struct share_pieces *pieces, struct share_piece *piece)
{
    struct share_piece **path[SHARE_PIECES_HEIGHT];

    path_find(pieces, piece->first, path);
    for (size_t level = 0; level < piece->height; level++)
        path[level][level] = piece->next[level];
    pieces->count--;
    free(piece);
}

/* --- runs and pieces ------------------------------------------------------------------------- */

struct share_piece *
share_pieces_add(
    struct share_pieces *pieces, int64_t first, int64_t last, int8_t state, int16_t delivery_count)
{
    struct share_piece *piece = piece_put(pieces, first, last);

    piece->run_first = first;
    piece->run_last = last;
    piece->delivery_count = delivery_count;
    piece->state = state;
    if (share_pieces_is_done(state))
        pieces->done_count += length(piece);
    return piece;
}

/* Makes a piece of its own of what lies above `last`. */
static void
cut_above(struct share_pieces *pieces, struct share_piece *piece, int64_t last)
{
    int64_t end = piece->last;
    struct share_piece *rest;

    if (last >= end)
        return;
    piece->last = last;
    piece->by_offset = true;
    rest = piece_put(pieces, last + 1, end);
    rest->run_first = piece->run_first;
    rest->run_last = piece->run_last;
    rest->delivery_count = piece->delivery_count;
    rest->by_offset = true;
    rest->state = piece->state;
    if (piece->holder != NULL) {
        rest->holder = piece->holder;
        rest->holder->users++;
        heap_put(&pieces->locks, &rest->lock, piece->lock.deadline);
    }
}

struct share_piece *
share_pieces_cut(
    struct share_pieces *pieces, struct share_piece *piece, int64_t first, int64_t last)
{
    cut_above(pieces, piece, last);
    if (first > piece->first) {
        cut_above(pieces, piece, first - 1);
        piece = piece->next[0];
    }
    return piece;
}

static bool
is_alike(const struct share_piece *a, const struct share_piece *b)
{
    return a->run_first == b->run_first && a->run_last == b->run_last && a->state == b->state &&
           a->delivery_count == b->delivery_count && a->holder == NULL && b->holder == NULL &&
           a->last + 1 == b->first;
}

void
share_pieces_join(struct share_pieces *pieces, int64_t first, int64_t last)
{
    struct share_piece *piece = share_pieces_floor(pieces, first - 1), *next;

    if (piece == NULL)
        piece = pieces->heads[0];
    while (piece != NULL && piece->last <= last && (next = piece->next[0]) != NULL)
        if (is_alike(piece, next)) {
            int64_t end = next->last;

            piece_remove(pieces, next);
            piece->last = end;
        } else {
            piece = next;
        }
}

void
share_pieces_drop_below(struct share_pieces *pieces, int64_t offset)
{
    struct share_piece *piece;

    while ((piece = pieces->heads[0]) != NULL && piece->first < offset) {
        int64_t last = piece->last < offset ? piece->last : offset - 1;

        if (share_pieces_is_done(piece->state))
            pieces->done_count -= last - piece->first + 1;
        if (last < piece->last) {
            piece->first = offset;
            piece->by_offset = true;
            return;
        }
        if (piece->holder != NULL)
            share_pieces_set(pieces, piece, SHARE_AVAILABLE);
        piece_remove(pieces, piece);
    }
}

/* --- holders and locks ----------------------------------------------------------------------- */

struct share_holder *
share_pieces_holder(const struct share_pieces *pieces, const char *member_id)
{
    return map_get_text(&pieces->holders, member_id);
}

struct share_holder *
share_pieces_holder_ref(struct share_pieces *pieces, const char *member_id)
{
    struct share_holder *holder = share_pieces_holder(pieces, member_id);

    if (holder == NULL) {
        holder = xcalloc(1, sizeof *holder);
        holder->member_id = xstrdup(member_id);
        (void)map_put_text(&pieces->holders, member_id, holder);
    }
    holder->users++;
    return holder;
}

void
share_pieces_holder_unref(struct share_pieces *pieces, struct share_holder *holder)
{
    if (holder == NULL || --holder->users > 0)
        return;
    (void)map_remove_text(&pieces->holders, holder->member_id);
    holder_free(holder);
}

void
share_pieces_hold(struct share_pieces *pieces, struct share_piece *piece,
    struct share_holder *holder, int64_t deadline)
{
    if (share_pieces_is_done(piece->state))
        pieces->done_count -= length(piece);
    piece->state = SHARE_ACQUIRED;
    piece->holder = holder;
    holder->users++;
    heap_put(&pieces->locks, &piece->lock, deadline);
}

void
share_pieces_set(struct share_pieces *pieces, struct share_piece *piece, int8_t state)
{
    heap_remove(&pieces->locks, &piece->lock);
    share_pieces_holder_unref(pieces, piece->holder);
    piece->holder = NULL;
    piece->state = state;
    if (share_pieces_is_done(state))
        pieces->done_count += length(piece);
}

void
share_pieces_renew(struct share_pieces *pieces, struct share_piece *piece, int64_t deadline)
{
    heap_put(&pieces->locks, &piece->lock, deadline);
}

struct share_piece *
share_pieces_due(const struct share_pieces *pieces)
{
    struct heap_node *node = heap_first(&pieces->locks);

    return node == NULL ? NULL : list_of(node, struct share_piece, lock);
}
