/*
 * cutover: moves the producers of mirrored topics to the target, gate by gate, so that no record is
 * lost and none is doubled, and back as long as nothing would be lost by that.
 *
 * The steps are those of cutover.def. What has been done stands in a record (cutover_record.h),
 * before it is done: after a crash of kdl at any moment the same call goes on. Until a topic is
 * promoted nothing at the target has changed, and the way back is to lift the fence.
 *
 * Whether producers and consumers have stopped at the source is the operator's; the gates look at
 * what the clusters show.
 */
#ifndef MIRROR_CUTOVER_H
#define MIRROR_CUTOVER_H

#include "mirror/cutover_gates.h"
#include "mirror/cutover_record.h"

/* cutover_check asks all gates and changes nothing. RC_OK also where they refuse: see *holds. */
MUST_CHECK enum rc cutover_check(struct cluster *source, struct cluster *to, const char *patterns,
    const struct cutover_options *options, bool *holds, struct err *e);

/* cutover_run goes through the steps up to the promotion; *holds is false where a gate refused. A
 * record of other clusters or topics, or of a cut-over that was taken back, is RC_CONFLICT. Where
 * it is promoted already, it tells what was written on either side since. RC_CANCELED after an
 * interruption. */
MUST_CHECK enum rc cutover_run(struct cutover_record *record, struct cluster *source,
    struct cluster *to, const char *patterns, const struct cutover_options *options, bool *holds,
    struct err *e);

/* cutover_back lifts the fence, so that the source takes records again. Where the target has taken
 * some since it was promoted, which the source would lack, *holds is false and nothing is done,
 * unless `loses`. RC_CONFLICT where there is nothing to take back, or where a promotion was
 * interrupted: cutover_run ends that first, or `loses`. */
MUST_CHECK enum rc cutover_back(struct cutover_record *record, struct cluster *source,
    struct cluster *to, bool loses, const struct cutover_options *options, bool *holds,
    struct err *e);

#endif
