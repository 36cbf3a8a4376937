/* group_rig: a scripted cluster with groups that have committed offsets on its topic "t". A test
 * starts it anew, and turns its knobs and those of the cluster then. */
#ifndef TESTS_UNIT_MIRROR_GROUP_RIG_H
#define TESTS_UNIT_MIRROR_GROUP_RIG_H

#include "tests/unit/unit.h"

#include "mirror/selection.h"
#include "tests/unit/lib/kafka/cluster_rig.h"

#define GROUP_RIG_PARTITIONS 4
#define GROUP_RIG_GROUPS 250 /* more than go into one request */

struct group_rig {
    struct cluster_rig cluster;
    int groups; /* listed, "g0" and on */
    const char *type;
    int64_t offset[GROUP_RIG_GROUPS][GROUP_RIG_PARTITIONS]; /* -1: none */
    int16_t code[GROUP_RIG_GROUPS][GROUP_RIG_PARTITIONS];
    char metadata[GROUP_RIG_GROUPS][GROUP_RIG_PARTITIONS];
    int16_t refusal; /* of commits, */
    int16_t list_code;
    int16_t fetch_code; /* of group g0 */
    bool forgets;       /* takes commits and stores nothing */
    bool repeats;       /* tells each group and each partition twice, and topics that nobody has */
    int commits, fetches, most_groups;
    int32_t epoch, generation; /* of the last commit */
};

/* group_rig_start returns 0, or -1, as cmocka wants it of a test's setup; one group, "g0", is
 * listed, and nothing is committed. `selection` is of "t". */
int group_rig_start(struct group_rig *rig, struct selection *selection);
void group_rig_stop(struct group_rig *rig, struct selection *selection);

#endif
