#include "audit/flink.h"

#include <stdlib.h>
#include <string.h>

#include "audit/names.h"
#include "lib/base/xalloc.h"

#define FAMILY_IDS_MIN 2

static const char *const enumerators[] = {
#define FLINK_CLIENT(ending) ending,
#include "audit/names.def"
};

/* The transactional ids with one stem. */
struct family {
    uint64_t ids;
    bool is_connect;
};

/* --- shapes ----------------------------------------------------------------------------------- */

/* Decimal as Java writes numbers: without zeros before it. */
static bool
is_number(const char *text, size_t size)
{
    return size > 0 && strspn(text, "0123456789") >= size && (size == 1 || text[0] != '0');
}

static bool
is_hash(const char *text, size_t size)
{
    return size == NAMES_HASH_CHARS && names_made_id(text) == NAMES_HASH_CHARS;
}

/* Whether a text ends with a UUID at `end`, whose last digits are no number of their own. */
static bool
ends_with_uuid(const char *text, const char *end)
{
    return end - text >= NAMES_UUID_CHARS &&
           names_made_id(end - NAMES_UUID_CHARS) == NAMES_UUID_CHARS &&
           (end - text == NAMES_UUID_CHARS || names_word(end - NAMES_UUID_CHARS - 1) == 0);
}

/* The place of the last dash before `end`; NULL where there is none, nothing before it, or a UUID
 * around it. */
static const char *
dash_before(const char *text, const char *end)
{
    const char *dash = memrchr(text, '-', (size_t)(end - text));

    return dash == text || ends_with_uuid(text, end) ? NULL : dash;
}

size_t
flink_reader(const char *id)
{
    const char *end = id + strlen(id), *last = dash_before(id, end);

    return last != NULL && is_number(last + 1, (size_t)(end - last - 1)) ? (size_t)(last - id) : 0;
}

size_t
flink_stem(const char *id)
{
    size_t stem = flink_reader(id), size;
    const char *middle = stem == 0 ? NULL : dash_before(id, id + stem);

    if (middle == NULL)
        return 0;
    middle++;
    size = (size_t)(id + stem - middle);
    return is_number(middle, size) || is_hash(middle, size) ? stem : 0;
}

size_t
flink_enumerator(const char *id, size_t size)
{
    for (size_t i = 0; i < ARRAY_LEN(enumerators); i++) {
        size_t ending = strlen(enumerators[i]);

        if (size > ending && memcmp(id + size - ending, enumerators[i], ending) == 0)
            return size - ending;
    }
    return 0;
}

/* --- the inventory ---------------------------------------------------------------------------- */

/* Whether an id is that of a task of some group of Connect's workers. */
static bool
is_connect(const struct audit_inventory *inventory, const char *id, size_t stem)
{
    for (uint32_t g = 0; g < inventory->group_count; g++) {
        const struct audit_group *group = &inventory->groups[g];
        size_t size;

        if (strcmp(group->protocol_type, "connect") != 0)
            continue;
        size = strlen(group->id);
        if (size < stem && memcmp(id, group->id, size) == 0 && id[size] == '-')
            return true;
    }
    return false;
}

/* Counts the ids of each family; one of `all` for each id is enough. */
static void
families_count(const struct audit_inventory *inventory, struct map *families, struct family *all)
{
    for (uint32_t i = 0; i < inventory->transactional_id_count; i++) {
        const char *id = inventory->transactional_ids[i];
        size_t stem = flink_stem(id);
        struct family *family = stem == 0 ? NULL : map_get(families, id, stem);

        if (stem != 0 && family == NULL) {
            family = &all[i];
            family->is_connect = is_connect(inventory, id, stem);
            map_put(families, id, stem, family);
        }
        if (family != NULL)
            family->ids++;
    }
}

static void
writes_derive(struct audit_inventory *inventory)
{
    struct family *all = xcalloc((size_t)inventory->transactional_id_count + 1, sizeof *all);
    struct map families;

    map_init(&families);
    families_count(inventory, &families, all);
    /* The list begins with the one that was seen last; the first is kept. */
    for (const struct audit_footprint *f = inventory->footprints; f != NULL; f = f->next) {
        size_t stem = flink_stem(f->transactional_id);
        const struct family *family =
            stem == 0 ? NULL : map_get(&families, f->transactional_id, stem);
        struct audit_flink *flink = &inventory->topics[f->topic].flink;

        if (family == NULL || family->ids < FAMILY_IDS_MIN || family->is_connect ||
            f->trace == AUDIT_TRACE_READ || f->trace == AUDIT_TRACE_REQUESTED_READ)
            continue;
        flink->transactional_id = f->transactional_id;
        flink->ids = family->ids;
        flink->probe = inventory_trace_probe(f->trace);
    }
    map_fini(&families, NULL);
    free(all);
}

static void
reads_derive(struct audit_inventory *inventory)
{
    struct map known;

    map_init(&known);
    for (uint32_t c = 0; c < inventory->client_count; c++) {
        const char *id = inventory->clients[c].id;
        size_t prefix = flink_enumerator(id, strlen(id));

        if (prefix > 0)
            map_put(&known, id, prefix, &inventory->clients[c]);
    }
    for (uint32_t t = 0; t < inventory->topic_count && known.count > 0; t++)
        for (const struct audit_contact *c = inventory->topics[t].contacts; c != NULL;
             c = c->next) {
            const char *id = inventory->clients[c->client].id;
            size_t prefix = c->fetches == 0 ? 0 : flink_reader(id);
            const struct audit_client *enumerator =
                prefix == 0 ? NULL : map_get(&known, id, prefix);

            if (enumerator == NULL)
                continue;
            inventory->topics[t].flink.reader = id;
            inventory->topics[t].flink.enumerator = enumerator->id;
        }
    map_fini(&known, NULL);
}

void
flink_derive(struct audit_inventory *inventory)
{
    for (uint32_t t = 0; t < inventory->topic_count; t++)
        inventory->topics[t].flink = (struct audit_flink){0};
    writes_derive(inventory);
    reads_derive(inventory);
}
