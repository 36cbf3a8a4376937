/*
 * share_gate: whether an administrator may move or delete offsets of a share group: it must be one,
 * and nobody may be in it (GroupCoordinatorService, GroupMetadataManager of Kafka 4.3).
 */
#ifndef REFBROKER_API_SHARE_GATE_H
#define REFBROKER_API_SHARE_GATE_H

#include "lib/base/err.h"
#include "lib/wire/desc.h"
#include "refbroker/broker.h"

/* share_gate_check returns 0, or the code of the whole request with Kafka's text in e. `make`: a
 * group that is not there is no error. */
int16_t share_gate_check(
    struct broker *broker, struct wire_string group_id, bool make, struct err *e);

#endif
