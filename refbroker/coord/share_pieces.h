/*
 * share_pieces: the records under way of a share partition, as pieces: neighbours of one state.
 *
 * A piece belongs to a run, which is what was acquired, or read from the store, as one. A run is
 * one piece until its records are treated differently. From then on it is kept by offset, and its
 * pieces are cut, and joined again, as needed; Kafka shows the difference, so the pieces remember
 * it. They do not overlap. Between them are gaps: offsets of which nothing is known.
 *
 * A piece is ACQUIRED exactly while it has a holder, and while its lock is in the heap of locks.
 *
 * Costs: O(log pieces) to find, add, cut, join, hold and set; O(1) from one to the next. A piece
 * takes some 130 bytes, however many records it stands for, so that a batch that spans a thousand
 * million offsets is as cheap as any. Limit: whoever cuts keeps their number at SHARE_PIECES_MAX.
 * Not thread-safe.
 */
#ifndef REFBROKER_COORD_SHARE_PIECES_H
#define REFBROKER_COORD_SHARE_PIECES_H

#include "lib/base/heap.h"
#include "lib/base/map.h"
#include "refbroker/coord/share_state.h"

#define SHARE_PIECES_MAX ((size_t)1 << 18)
#define SHARE_PIECES_HEIGHT 12 /* of the skip list: a quarter of each level is in the next */

/* A member that holds records. */
struct share_holder {
    char *member_id;
    size_t users; /* pieces, and share_pieces_holder_ref */
};

struct share_piece {
    int64_t first; /* offsets, both in it */
    int64_t last;
    int64_t run_first; /* its run's, as that began */
    int64_t run_last;
    struct heap_node lock; /* keeps its deadline when it leaves the heap */
    struct share_holder *holder;
    int16_t delivery_count;
    int8_t state;   /* enum share_delivery */
    bool by_offset; /* its run is */
    uint8_t height; /* of `next` */
    struct share_piece *next[];
};

struct share_pieces {
    struct share_piece *heads[SHARE_PIECES_HEIGHT];
    size_t count;
    int64_t done_count; /* records that are acknowledged or archived */
    struct heap locks;
    struct map holders; /* by member id */
    uint64_t dice;
};

void share_pieces_init(struct share_pieces *pieces);
void share_pieces_fini(struct share_pieces *pieces);

/* share_pieces_is_done tells whether nothing more happens to records of a state. */
bool share_pieces_is_done(int8_t state);

/* share_pieces_first and share_pieces_next walk in order of offset; NULL at the end. A walk
 * outlives cuts of the piece it stands on, but no other change. */
struct share_piece *share_pieces_first(const struct share_pieces *pieces);
struct share_piece *share_pieces_next(const struct share_piece *piece);

/* share_pieces_at returns the piece that has an offset, or else the first above it, or NULL;
 * share_pieces_floor the last piece that begins at or below it. */
struct share_piece *share_pieces_at(struct share_pieces *pieces, int64_t offset);
struct share_piece *share_pieces_floor(struct share_pieces *pieces, int64_t offset);

/* share_pieces_add puts a run of one piece where no piece is, in a state that is not ACQUIRED. */
struct share_piece *share_pieces_add(
    struct share_pieces *pieces, int64_t first, int64_t last, int8_t state, int16_t delivery_count);

/* share_pieces_cut makes offsets of a piece one of their own, and returns it. A run that is in more
 * than one piece is by offset. */
struct share_piece *share_pieces_cut(
    struct share_pieces *pieces, struct share_piece *piece, int64_t first, int64_t last);

/* share_pieces_join joins neighbours in and beside a range that are equal, of one run, and not
 * acquired. */
void share_pieces_join(struct share_pieces *pieces, int64_t first, int64_t last);

/* share_pieces_drop_below forgets what lies below an offset. */
void share_pieces_drop_below(struct share_pieces *pieces, int64_t offset);

/* share_pieces_hold makes a piece ACQUIRED, until a deadline; share_pieces_set gives it another
 * state, and takes holder and lock away. */
void share_pieces_hold(struct share_pieces *pieces, struct share_piece *piece,
    struct share_holder *holder, int64_t deadline);
void share_pieces_set(struct share_pieces *pieces, struct share_piece *piece, int8_t state);

/* share_pieces_renew gives the lock of an acquired piece another deadline. */
void share_pieces_renew(struct share_pieces *pieces, struct share_piece *piece, int64_t deadline);

/* share_pieces_due returns the piece whose lock runs out first, or NULL. */
struct share_piece *share_pieces_due(const struct share_pieces *pieces);

/* share_pieces_holder finds a member, NULL where it holds nothing. share_pieces_holder_ref makes it
 * where need be, and keeps it until share_pieces_holder_unref, which accepts NULL. */
struct share_holder *share_pieces_holder(const struct share_pieces *pieces, const char *member_id);
struct share_holder *share_pieces_holder_ref(struct share_pieces *pieces, const char *member_id);
void share_pieces_holder_unref(struct share_pieces *pieces, struct share_holder *holder);

#endif
