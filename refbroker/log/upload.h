/*
 * upload: from WAL and cache into objects, in the background.
 *
 * When enough bytes are not in objects yet, or the oldest of them are old enough, the durable ones
 * of all partitions become an object: sorted by partition and offset, cut into runs, with an index
 * and a footer. In a bucket they become several of some size, which are written beside each other,
 * since one connection does not carry what a server takes. Then one transaction of the catalog adds
 * their runs and each partition's committed end and producer state; then the cache may let the
 * batches go and the WAL's files become free. A crash at any point leaves at worst objects that
 * nobody knows, which the orphan scan removes.
 *
 * An object that could not be written is written again later under the same key; a failed
 * transaction changes nothing, and all is tried again with new objects.
 */
#ifndef REFBROKER_LOG_UPLOAD_H
#define REFBROKER_LOG_UPLOAD_H

#include "refbroker/broker.h"

struct uploader *uploader_new(struct broker *broker);
void uploader_free(struct uploader *uploader);

/* uploader_tick starts an upload when it is time for one and returns when (monotonic ms) it wants
 * to be asked again. */
int64_t uploader_tick(struct uploader *uploader);

/* uploader_flush makes the next tick upload whatever there is: used at a stop. */
void uploader_flush(struct uploader *uploader);

bool uploader_is_idle(const struct uploader *uploader);

#endif
