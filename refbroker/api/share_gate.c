#include "refbroker/api/share_gate.h"

#include "lib/wire/kerr.h"
#include "refbroker/coord/share_group.h"

/* Texts of Kafka's Errors. */
#define NOT_EMPTY_WHY "The group is not empty."
#define INVALID_GROUP_WHY "The group id is invalid."
#define UNSUPPORTED_WHY "The version of API is not supported."
#define NOT_AVAILABLE_WHY "The coordinator is not available."

static int16_t
group_check(const struct broker *broker, struct wire_string group_id, bool make, struct err *e)
{
    const struct group *group = groups_find(broker->groups, group_id);
    int16_t error = KE_NONE;

    if (groups_id_check(group_id) != KE_NONE) {
        err_set(e, RC_CONFIG, INVALID_GROUP_WHY);
        error = KE_INVALID_GROUP_ID;
    } else if (group == NULL && !make) {
        err_set(e, RC_CONFIG, "Group %.*s not found.", group_id.size, group_id.data);
        error = KE_GROUP_ID_NOT_FOUND;
    } else if (group != NULL && group->share == NULL) {
        err_set(e, RC_CONFIG, "Group %s is not a share group.", group->group_id);
        error = KE_GROUP_ID_NOT_FOUND;
    } else if (group != NULL && map_count(&group->share->members) > 0) {
        err_set(e, RC_CONFIG, NOT_EMPTY_WHY);
        error = KE_NON_EMPTY_GROUP;
    }
    return error;
}

int16_t
share_gate_check(struct broker *broker, struct wire_string group_id, bool make, struct err *e)
{
    if (!features_share_groups(&broker->features)) {
        err_set(e, RC_CONFIG, UNSUPPORTED_WHY);
        return KE_UNSUPPORTED_VERSION;
    }
    if (!groups_ready(broker->groups)) {
        err_set(e, RC_CONFIG, NOT_AVAILABLE_WHY);
        return KE_COORDINATOR_NOT_AVAILABLE;
    }
    return group_check(broker, group_id, make, e);
}
