/*
 * retention: what is too old or too much goes (UnifiedLog.deleteOldSegments).
 *
 * Every retention_check_ms the logs whose cleanup.policy has `delete` are looked at. The unit is
 * the run, this broker's segment: a run goes when its largest timestamp is older than retention.ms,
 * or while the log without it is still at least retention.bytes. Only what lies in objects goes;
 * the catalog hears of the new log start first.
 */
#ifndef REFBROKER_LOG_RETENTION_H
#define REFBROKER_LOG_RETENTION_H

#include "refbroker/broker.h"

/* retention_tick looks at all logs when it is time to, and returns when (monotonic ms) it wants to
 * be asked again. */
int64_t retention_tick(struct broker *broker);

/* retention_start returns the log start that retention asks for: the present one where nothing has
 * to go. */
int64_t retention_start(const struct partition *partition, int64_t now_wall_ms);

#endif
