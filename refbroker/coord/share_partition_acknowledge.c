#include <stdio.h>

#include "lib/wire/kerr.h"
#include "refbroker/coord/share_partition_inner.h"

#define TYPES_TEXT_MAX (ERR_TEXT_MAX / 2)

enum acknowledge_type { TYPE_GAP, TYPE_ACCEPT, TYPE_RELEASE, TYPE_REJECT, TYPE_RENEW, TYPE_COUNT };

static const int8_t type_states[TYPE_COUNT] = {
    [TYPE_GAP] = SHARE_ARCHIVED,
    [TYPE_ACCEPT] = SHARE_ACKNOWLEDGED,
    [TYPE_RELEASE] = SHARE_AVAILABLE,
    [TYPE_REJECT] = SHARE_ARCHIVED,
    [TYPE_RENEW] = SHARE_ACQUIRED,
};

/* All acknowledgements of a member, under way. What they have changed stands in `changes`. */
struct acknowledging {
    struct share_partition *partition;
    struct share_holder *holder; /* the member */
    int64_t lock_end;
    struct share_changes *changes;
    struct err *e;
};

static int16_t
refuse(struct err *e, int16_t code, const char *text)
{
    (void)err_set(e, RC_CONFLICT, "%s", text);
    return code;
}

/* --- is it sound? ---------------------------------------------------------------------------- */

/* "Invalid acknowledge type: [1, 9]", as long as there is room for types. */
static int16_t
types_refuse(const struct share_acknowledgement *ack, struct err *e)
{
    char text[TYPES_TEXT_MAX] = "";
    size_t used = 0;

    for (int32_t i = 0; i < ack->type_count && used < sizeof text - sizeof ", -128"; i++)
        used += (size_t)snprintf(
            text + used, sizeof text - used, i == 0 ? "%d" : ", %d", ack->types[i]);
    (void)err_set(e, RC_CONFLICT, "Invalid acknowledge type: [%s]", text);
    return KE_INVALID_REQUEST;
}

static int16_t
types_check(const struct share_acknowledgement *ack, struct err *e)
{
    uint64_t size = (uint64_t)ack->last_offset - (uint64_t)ack->first_offset + 1;

    if (ack->last_offset < ack->first_offset)
        return refuse(e, KE_INVALID_REQUEST, "The last offset is below the first.");
    if (ack->type_count < 1 || (ack->type_count > 1 && (uint64_t)ack->type_count != size))
        return refuse(e, KE_INVALID_REQUEST, "The types are neither one nor one per offset.");
    for (int32_t i = 0; i < ack->type_count; i++)
        if (ack->types[i] < 0 || ack->types[i] >= TYPE_COUNT)
            return types_refuse(ack, e);
    return KE_NONE;
}

/* Kafka looks for the run of the first offset, or of the start where that has passed it, and for
 * the run of the last one; whether there are gaps between them it does not ask. */
static int16_t
range_check(
    struct share_partition *partition, const struct share_acknowledgement *ack, struct err *e)
{
    const struct share_piece *first = share_pieces_first(&partition->pieces);
    const struct share_piece *last = share_pieces_floor(&partition->pieces, ack->last_offset);

    if (last == NULL ||
        (first->run_first > ack->first_offset && ack->first_offset >= partition->start_offset))
        return refuse(e, KE_INVALID_RECORD_STATE,
            "Batch record not found. The request batch offsets are not found in the cache.");
    if (last->run_last < ack->first_offset)
        return refuse(e, KE_INVALID_REQUEST,
            "Batch record not found. The first offset in request is past acquired records.");
    if (last->run_last < ack->last_offset)
        return refuse(e, KE_INVALID_REQUEST,
            "Batch record not found. The last offset in request is past acquired records.");
    return KE_NONE;
}

/* Kafka's words depend on whether the run is by offset. */
static int16_t
piece_check(const struct acknowledging *call, const struct share_piece *piece)
{
    if (piece->holder == NULL)
        return refuse(call->e, KE_INVALID_RECORD_STATE,
            piece->by_offset
                ? "The offset cannot be acknowledged. The offset is not acquired."
                : "The batch cannot be acknowledged. The batch is not in the acquired state.");
    if (piece->holder != call->holder)
        return refuse(call->e, KE_INVALID_RECORD_STATE,
            piece->by_offset ? "Member is not the owner of offset"
                             : "Member is not the owner of batch record");
    return KE_NONE;
}

/* --- done ------------------------------------------------------------------------------------ */

static int16_t
piece_acknowledge(struct acknowledging *call, struct share_piece *piece, int8_t type)
{
    struct share_partition *partition = call->partition;

    if (type == TYPE_RENEW && partition->limits.renew_refused)
        return refuse(call->e, KE_INVALID_RECORD_STATE,
            "Renewing acquisition locks is not enabled for the group.");
    if (type == TYPE_RENEW)
        share_pieces_renew(&partition->pieces, piece, call->lock_end);
    else
        share_partition_put(partition, piece, type_states[type], call->changes);
    return KE_NONE;
}

/* The last offset, up to `last`, from `first` on that has the same type. */
static int64_t
type_end(const struct share_acknowledgement *ack, int64_t first, int64_t last)
{
    const int8_t *types = ack->types;
    int64_t i = first - ack->first_offset, end = last - ack->first_offset;

    if (ack->type_count == 1)
        return last;
    while (i < end && types[i + 1] == types[i])
        i++;
    return ack->first_offset + i;
}

/* What a piece and an acknowledgement have in common. Sets *next to the piece behind it. */
static int16_t
piece_offsets_acknowledge(struct acknowledging *call, struct share_piece *piece,
    const struct share_acknowledgement *ack, struct share_piece **next)
{
    int64_t last = offset_min(piece->last, ack->last_offset);
    int64_t first = offset_max(piece->first, ack->first_offset);
    int16_t error;

    for (int64_t end; first <= last; first = end + 1) {
        int8_t type = ack->types[ack->type_count == 1 ? 0 : first - ack->first_offset];

        end = type_end(ack, first, last);
        if ((first > piece->first || end < piece->last) &&
            call->partition->pieces.count >= SHARE_PIECES_MAX)
            return refuse(call->e, KE_INVALID_REQUEST, "Too many records differ in their state.");
        piece = share_pieces_cut(&call->partition->pieces, piece, first, end);
        *next = share_pieces_next(piece);
        error = piece_acknowledge(call, piece, type);
        if (error != KE_NONE)
            return error;
        piece = *next;
    }
    return KE_NONE;
}

/* Kafka begins with the run of the first offset or, where that is in a gap, with the one below: of
 * a whole run it asks even then who holds it. */
static struct share_piece *
acknowledge_from(struct share_partition *partition, const struct share_acknowledgement *ack)
{
    struct share_piece *piece = share_pieces_floor(&partition->pieces, ack->first_offset);

    if (piece == NULL || (piece->by_offset && piece->last < ack->first_offset))
        return share_pieces_at(&partition->pieces, ack->first_offset);
    return piece;
}

static int16_t
acknowledge_one(struct acknowledging *call, const struct share_acknowledgement *ack)
{
    struct share_partition *partition = call->partition;
    struct share_piece *piece, *next;
    int16_t error = types_check(ack, call->e);

    if (error != KE_NONE || ack->last_offset < partition->start_offset)
        return error;
    error = range_check(partition, ack, call->e);
    if (error != KE_NONE)
        return error;
    piece = acknowledge_from(partition, ack);
    for (; piece != NULL && piece->first <= ack->last_offset; piece = next) {
        next = share_pieces_next(piece);
        error = piece_check(call, piece);
        if (error != KE_NONE)
            return error;
        if (ack->type_count > 1 || piece->run_first < ack->first_offset ||
            piece->run_last > ack->last_offset)
            piece->by_offset = true;
        error = piece_offsets_acknowledge(call, piece, ack, &next);
        if (error != KE_NONE)
            return error;
    }
    return KE_NONE;
}

/* --- all or nothing -------------------------------------------------------------------------- */

/* The locks still know their ends. */
static void
changes_undo(struct acknowledging *call)
{
    struct share_pieces *pieces = &call->partition->pieces;

    for (size_t i = 0; i < call->changes->count; i++) {
        struct share_piece *piece = share_pieces_at(pieces, call->changes->batches[i].first_offset);

        share_pieces_hold(pieces, piece, call->holder, piece->lock.deadline);
    }
    share_changes_fini(call->changes);
}

int16_t
share_partition_acknowledge(struct share_partition *partition, const char *member_id,
    const struct share_acknowledgement *acknowledgements, size_t count, int64_t now_ms,
    struct share_changes *changes, struct err *e)
{
    struct acknowledging call = {partition, share_pieces_holder_ref(&partition->pieces, member_id),
        share_partition_lock_end(partition, now_ms), changes, e};
    int16_t error = KE_NONE;

    for (size_t i = 0; i < count && error == KE_NONE; i++)
        error = acknowledge_one(&call, &acknowledgements[i]);
    if (error == KE_NONE)
        share_partition_settle(partition, changes);
    else
        changes_undo(&call);
    share_pieces_holder_unref(&partition->pieces, call.holder);
    return error;
}
