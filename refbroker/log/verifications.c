#include "refbroker/log/verifications.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"

struct entry {
    struct verification lowest; /* of its epoch */
    struct verification_place place;
};

struct verifications {
    struct map by_place; /* of struct entry */
    size_t max;
};

/* A place without its gaps. */
struct key {
    uint8_t bytes[sizeof(struct wire_uuid) + sizeof(int32_t) + sizeof(int64_t)];
};

static struct key
key_of(const struct verification_place *place)
{
    struct key key = {.bytes = {0}};
    uint8_t *at = key.bytes;

    memcpy(at, &place->topic_id, sizeof place->topic_id);
    at += sizeof place->topic_id;
    memcpy(at, &place->partition, sizeof place->partition);
    at += sizeof place->partition;
    memcpy(at, &place->producer_id, sizeof place->producer_id);
    return key;
}

static struct entry *
find(const struct verifications *verifications, const struct verification_place *place)
{
    struct key key = key_of(place);

    return map_count(&verifications->by_place) == 0
               ? NULL
               : map_get(&verifications->by_place, &key, sizeof key);
}

static void
forget(struct verifications *verifications, const struct entry *entry)
{
    struct key key = key_of(&entry->place);

    free(map_remove(&verifications->by_place, &key, sizeof key));
}

struct verifications *
verifications_new(size_t max)
{
    struct verifications *verifications = xmalloc(sizeof *verifications);

    map_init(&verifications->by_place);
    verifications->max = max;
    return verifications;
}

void
verifications_free(struct verifications *verifications)
{
    if (verifications == NULL)
        return;
    map_fini(&verifications->by_place, free);
    free(verifications);
}

void
verifications_note(struct verifications *verifications, const struct verification_place *place,
    const struct verification *noted)
{
    struct entry *known = find(verifications, place);
    struct key key = key_of(place);

    if (known == NULL && map_count(&verifications->by_place) < verifications->max) {
        known = xmalloc(sizeof *known);
        *known = (struct entry){*noted, *place};
        map_put(&verifications->by_place, &key, sizeof key, known);
    } else if (known != NULL && noted->producer_epoch > known->lowest.producer_epoch) {
        known->lowest.producer_epoch = noted->producer_epoch;
        known->lowest.base_sequence = noted->base_sequence;
    } else if (known != NULL && noted->producer_epoch == known->lowest.producer_epoch &&
               noted->base_sequence < known->lowest.base_sequence) {
        known->lowest.base_sequence = noted->base_sequence;
    }
}

bool
verifications_block(const struct verifications *verifications,
    const struct verification_place *place, int32_t base_sequence, bool is_new)
{
    const struct entry *known = find(verifications, place);

    return known != NULL && (base_sequence > known->lowest.base_sequence ||
                                (known->lowest.bumps && is_new && base_sequence != 0));
}

void
verifications_end(struct verifications *verifications, const struct verification_place *place,
    int16_t producer_epoch, bool is_marker)
{
    const struct entry *known = find(verifications, place);

    if (known != NULL &&
        !(is_marker && known->lowest.bumps && known->lowest.producer_epoch == producer_epoch))
        forget(verifications, known);
}

void
verifications_expire(struct verifications *verifications, int64_t before_ms)
{
    const struct entry *known;
    size_t position = 0;

    while ((known = map_next(&verifications->by_place, &position, NULL, NULL)) != NULL)
        if (known->lowest.noted_ms < before_ms)
            forget(verifications, known);
}
