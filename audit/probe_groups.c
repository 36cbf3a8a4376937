/* ListGroups, of every broker, and FindCoordinator: which groups there are, and whose. */
#include <stdlib.h>
#include <string.h>

#include "audit/probe.h"
#include "gen/messages.h"
#include "lib/base/xalloc.h"

static bool
is_text(struct wire_string text, const char *other)
{
    size_t size = strlen(other);

    return text.size == (int32_t)size && strncasecmp(text.data, other, size) == 0;
}

static enum audit_group_type
type_of(struct wire_string name)
{
    static const char *const names[] = {"classic", "consumer", "share", "streams"};

    for (int i = 0; i < AUDIT_GROUP_TYPES; i++)
        if (is_text(name, names[i]))
            return (enum audit_group_type)i;
    return AUDIT_GROUP_CLASSIC;
}

static int16_t
list_take(struct audit_inventory *inventory, const void *answer)
{
    const struct km_list_groups_response *response = answer;

    for (int32_t i = 0; i < response->groups.count; i++) {
        const struct km_list_groups_response_listed_group *listed = &response->groups.items[i];
        struct audit_group *group =
            inventory_add_group(inventory, listed->group_id, type_of(listed->group_type));

        group->state =
            inventory_text(inventory, listed->group_state.data, listed->group_state.size);
    }
    return response->error_code;
}

void
probe_groups(const struct probe *probe)
{
    struct audit_inventory *inventory = probe->inventory;
    const char **ids;

    probe_list(probe, AUDIT_GROUPS, KM_LIST_GROUPS, true, list_take);
    ids = xcalloc(inventory->group_count + 1, sizeof *ids);
    for (uint32_t i = 0; i < inventory->group_count; i++)
        ids[i] = inventory->groups[i].id;
    cluster_find_groups(probe->cluster, ids, inventory->group_count);
    free(ids);
}
