#include "refbroker/log/verifications.h"

#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"

struct verifications {
    struct map by_producer; /* of struct verification: the lowest sequence of its epoch */
};

void
verifications_note(struct verifications **verifications, const struct verification *noted)
{
    struct verification *known, *first;
    size_t position = 0;
    struct map *map;

    if (*verifications == NULL) {
        *verifications = xmalloc(sizeof **verifications);
        map_init(&(*verifications)->by_producer);
    }
    map = &(*verifications)->by_producer;
    known = map_get_int(map, noted->producer_id);
    if (known == NULL) {
        if (map_count(map) >= VERIFICATIONS_MAX) {
            first = map_next(map, &position, NULL, NULL);
            map_remove_int(map, first->producer_id);
            free(first);
        }
        known = xmalloc(sizeof *known);
        *known = *noted;
        map_put_int(map, noted->producer_id, known);
    } else if (noted->producer_epoch > known->producer_epoch) {
        known->producer_epoch = noted->producer_epoch;
        known->base_sequence = noted->base_sequence;
    } else if (noted->producer_epoch == known->producer_epoch &&
               noted->base_sequence < known->base_sequence) {
        known->base_sequence = noted->base_sequence;
    }
}

void
verifications_free(struct verifications *verifications)
{
    if (verifications == NULL)
        return;
    map_fini(&verifications->by_producer, free);
    free(verifications);
}

bool
verifications_block(const struct verifications *verifications, int64_t producer_id,
    int32_t base_sequence, bool is_new)
{
    const struct verification *known =
        verifications == NULL ? NULL : map_get_int(&verifications->by_producer, producer_id);

    return known != NULL &&
           (base_sequence > known->base_sequence || (known->bumps && is_new && base_sequence != 0));
}

void
verifications_end(struct verifications *verifications, int64_t producer_id, int16_t producer_epoch,
    bool is_marker)
{
    const struct verification *known =
        verifications == NULL ? NULL : map_get_int(&verifications->by_producer, producer_id);

    /* Where epochs go up the marker of a transaction has the epoch of the next one, which may be
     * waiting already. */
    if (known == NULL || (is_marker && known->bumps && known->producer_epoch == producer_epoch))
        return;
    free(map_remove_int(&verifications->by_producer, producer_id));
}

void
verifications_expire(struct verifications *verifications, int64_t before_ms)
{
    const struct verification *known;
    size_t position = 0;

    if (verifications == NULL)
        return;
    while ((known = map_next(&verifications->by_producer, &position, NULL, NULL)) != NULL)
        if (known->now_ms < before_ms)
            free(map_remove_int(&verifications->by_producer, known->producer_id));
}
