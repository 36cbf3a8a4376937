#include "mirror/group_list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"
#include "lib/wire/kerr.h"
#include "mirror/selection.h"

struct listing {
    struct group_list *list;
    const char *patterns;
    int32_t *brokers;
    struct err first; /* the first failure */
};

static const struct {
    const char *text;
    bool commits;
} types[] = {
#define GROUP_LIST(name, text, commits) {text, commits},
#include "mirror/group_list.def"
#undef GROUP_LIST
};

const char *
group_list_type_text(enum group_list_type type)
{
    return types[type].text;
}

bool
group_list_commits(enum group_list_type type)
{
    return types[type].commits;
}

/* --- one broker's part -------------------------------------------------------------------------
 */

static enum group_list_type
type_of(struct wire_string text)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (text.size == (int32_t)strlen(types[i].text) &&
            strncasecmp(text.data, types[i].text, (size_t)text.size) == 0)
            return (enum group_list_type)i;
    return GROUP_LIST_CLASSIC;
}

static bool
has_members(struct wire_string state)
{
    return state.size > 0 && !codec_string_is(state, "Empty") && !codec_string_is(state, "Dead");
}

/* A group that moves between brokers meanwhile may be listed twice. */
static void
group_add(struct listing *listing, const struct km_list_groups_response_listed_group *listed)
{
    struct group_list *list = listing->list;
    char *id;

    if (listed->group_id.size <= 0 || group_list_find(list, listed->group_id) != UINT32_MAX)
        return;
    id = xmemdup(listed->group_id.data, (size_t)listed->group_id.size);
    if (strlen(id) != (size_t)listed->group_id.size ||
        !selection_matches(listing->patterns, id, false)) {
        free(id);
        return;
    }
    list->groups = xrealloc(list->groups, list->count + 1, sizeof *list->groups);
    list->groups[list->count++] = (struct group_list_group){
        id, type_of(listed->group_type), has_members(listed->group_state)};
    map_put_text(&list->by_id, id, (void *)(uintptr_t)list->count);
}

static void
target(void *arg, uint32_t item, struct cluster_target *out)
{
    *out = (struct cluster_target){CLUSTER_BROKER, NULL, ((struct listing *)arg)->brokers[item]};
}

static size_t
build(void *arg, struct cluster_fan_batch *batch)
{
    (void)arg;
    (void)batch;
    return 1;
}

static void
parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_list_groups_response *response = batch->response;

    for (int32_t i = 0; i < response->groups.count; i++)
        group_add(arg, &response->groups.items[i]);
    cluster_fan_settle(batch->fan, batch->items[0], response->error_code);
}

static void
done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct listing *listing = arg;

    (void)item;
    if (rc == RC_OK || listing->first.code != RC_OK)
        return;
    if (rc == RC_REMOTE)
        err_set(&listing->first, rc, "ListGroups: %d %s", code, kerr_name(code));
    else
        listing->first = *e;
}

/* --- all ---------------------------------------------------------------------------------------
 */

static int
by_id(const void *a, const void *b)
{
    return strcmp(
        ((const struct group_list_group *)a)->id, ((const struct group_list_group *)b)->id);
}

static void
sort(struct group_list *list)
{
    if (list->count > 0)
        qsort(list->groups, list->count, sizeof *list->groups, by_id);
    for (uint32_t i = 0; i < list->count; i++)
        map_put_text(&list->by_id, list->groups[i].id, (void *)(uintptr_t)(i + 1));
}

enum rc
group_list_init(
    struct group_list *list, struct cluster *cluster, const char *patterns, struct err *e)
{
    struct listing listing = {.list = list, .patterns = patterns};
    const struct cluster_broker *broker;
    size_t position = 0;
    enum rc rc = cluster_refresh_some(cluster, NULL, 0, e);
    struct cluster_fan_spec spec = {.api = frame_api(KM_LIST_GROUPS),
        .target = target,
        .build = build,
        .parse = parse,
        .done = done,
        .arg = &listing,
        .batch_items_max = 1,
        .aside = true};

    *list = (struct group_list){0};
    if (rc != RC_OK)
        return rc;
    listing.brokers =
        xcalloc(map_count(&cluster_view(cluster)->brokers) + 1, sizeof *listing.brokers);
    while ((broker = cluster_map_next_broker(cluster_view(cluster), &position)) != NULL)
        listing.brokers[spec.item_count++] = broker->id;
    cluster_fan_out(cluster, &spec, NULL);
    free(listing.brokers);
    sort(list);
    if (listing.first.code == RC_OK)
        return RC_OK;
    group_list_fini(list);
    *e = listing.first;
    return e->code;
}

void
group_list_fini(struct group_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        free(list->groups[i].id);
    free(list->groups);
    map_fini(&list->by_id, NULL);
    *list = (struct group_list){0};
}

uint32_t
group_list_find(const struct group_list *list, struct wire_string id)
{
    uintptr_t place = (uintptr_t)map_get(&list->by_id, id.data, id.size < 0 ? 0 : (size_t)id.size);

    return place == 0 ? UINT32_MAX : (uint32_t)(place - 1);
}
