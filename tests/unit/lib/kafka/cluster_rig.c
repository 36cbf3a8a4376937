#include "tests/unit/lib/kafka/cluster_rig.h"

int
cluster_rig_start(struct cluster_rig *rig, int32_t partitions)
{
    if (loop_new(&rig->loop, NULL) != RC_OK)
        return -1;
    fake_cluster_start(&rig->fake, rig->loop, partitions);
    return cluster_new(rig->loop, &rig->fake.conf, &rig->cluster, NULL) == RC_OK ? 0 : -1;
}

void
cluster_rig_stop(struct cluster_rig *rig)
{
    cluster_free(rig->cluster);
    fake_cluster_stop(&rig->fake);
    loop_free(rig->loop);
    blob_trim();
}

void
cluster_rig_renew(struct cluster_rig *rig, size_t servers)
{
    cluster_free(rig->cluster);
    rig->fake.conf.server_count = servers;
    assert_int_equal(cluster_new(rig->loop, &rig->fake.conf, &rig->cluster, NULL), RC_OK);
}
