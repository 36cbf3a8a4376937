/*
 * load: brings a recording (recording.h) into a refbroker, offsets kept.
 *
 * Topics that the target lacks are made, put into state mirroring, and get the batches by the
 * verbatim append; groups get their offsets. A recording is old, so retention.ms=-1 takes the place
 * of any retention by time: otherwise the target would delete it at once. Loading again what was
 * loaded changes nothing; the topics stay in state mirroring, so that nobody else writes there.
 *
 * Blocks until it is done.
 */
#ifndef MIRROR_LOAD_H
#define MIRROR_LOAD_H

#include "lib/base/err.h"
#include "lib/kafka/cluster.h"

struct load_result {
    uint32_t topics;
    uint32_t groups;
    uint64_t batch_bytes;
};

/* load_recording: RC_CORRUPT where the file is no whole recording (what stands before the damage
 * is loaded), RC_UNSUPPORTED where the target is no refbroker, RC_CONFLICT where a topic there is
 * in use or holds something else, or what the connection says. */
MUST_CHECK enum rc load_recording(
    struct cluster *to, const char *path, struct load_result *result, struct err *e);

#endif
