/* cluster_rig: the brokers of fake_cluster and a client of theirs on one loop, for whatever asks a
 * cluster. One rig per test program; a test starts it anew, and turns the fake's knobs then. */
#ifndef TESTS_UNIT_LIB_KAFKA_CLUSTER_RIG_H
#define TESTS_UNIT_LIB_KAFKA_CLUSTER_RIG_H

#include "tests/unit/unit.h"

#include "tests/unit/lib/kafka/fake_cluster.h"

struct cluster_rig {
    struct loop *loop;
    struct fake_cluster fake; /* all knobs at rest */
    struct cluster *cluster;  /* knows the first broker's address, and has asked nothing yet */
};

/* cluster_rig_start returns 0, or -1, as cmocka wants it of a test's setup; "t" has that many
 * partitions. */
int cluster_rig_start(struct cluster_rig *rig, int32_t partitions);

/* cluster_rig_stop comes when all that the test has begun on the cluster is freed. */
void cluster_rig_stop(struct cluster_rig *rig);

/* cluster_rig_renew makes the client anew, which knows the addresses of the first `servers` brokers
 * then. */
void cluster_rig_renew(struct cluster_rig *rig, size_t servers);

/* Goes round until cond holds; a test that waits in vain fails after twenty seconds. */
#define CLUSTER_RIG_WAIT(rig, cond)                                                                \
    for (int64_t until_us = loop_now_us((rig)->loop) + 20000000; !(cond);) {                       \
        assert_true(loop_now_us((rig)->loop) < until_us);                                          \
        loop_step((rig)->loop, 1000000);                                                           \
    }

#endif
