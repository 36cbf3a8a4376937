/*
 * save: writes topics and groups of a cluster into a recording (recording.h).
 *
 * Each partition is read from its log start to the high watermark that it had at the beginning,
 * batch by batch, unchanged; its open transactions stay open. Of a topic the configs go along that
 * a mirror would copy, of a group its committed offsets on the saved topics.
 *
 * Blocks until it is done: for samples, not for estates (kdl mirror run copies those).
 */
#ifndef MIRROR_SAVE_H
#define MIRROR_SAVE_H

#include "lib/base/err.h"
#include "lib/kafka/cluster.h"

struct save_wanted {
    const char *patterns; /* of topics, as in selection.h */
    const char *groups;   /* ids, separated by commas; NULL: none */
    const char *path;
};

struct save_result {
    uint32_t topics;
    uint32_t partitions;
    uint32_t groups;
    uint64_t bytes; /* of the file */
};

/* save_cluster leaves no file where it fails: RC_NOTFOUND where no topic matches, RC_REMOTE for a
 * code of Kafka's, RC_IO for the file, or what the connection says. */
MUST_CHECK enum rc save_cluster(struct cluster *cluster, const struct save_wanted *wanted,
    struct save_result *result, struct err *e);

#endif
