/*
 * prepare: makes the target ready to be mirrored into: the topics, their configs, their state.
 *
 * A topic that the target does not have is made with the source's number of partitions and those of
 * its own configs that the target knows; what is not copied is counted and named in `skipped`. Then
 * each topic is put into state mirroring, which only an empty topic or one that is being mirrored
 * allows.
 */
#ifndef MIRROR_PREPARE_H
#define MIRROR_PREPARE_H

#include "lib/base/buf.h"
#include "mirror/selection.h"

struct prepare_result {
    uint32_t topics_made;
    uint32_t configs_skipped;
    struct buf skipped; /* "topic: name=value", one a line */
};

/* prepare_target fills `target` with the target's side of the selection. RC_UNSUPPORTED where the
 * target is no refbroker, RC_CONFLICT where a topic there is in use. */
MUST_CHECK enum rc prepare_target(struct cluster *source, const struct selection *selection,
    struct cluster *to, struct selection *target, struct prepare_result *result, struct err *e);

void prepare_result_fini(struct prepare_result *result);

#endif
