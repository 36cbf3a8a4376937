/*
 * upload: from WAL and cache into objects, in the background.
 *
 * When enough bytes are not in objects yet, or the oldest of them are old enough, the durable ones
 * of all partitions become one object: sorted by partition and offset, cut into runs, with an index
 * and a footer. The object is written on the I/O lane, then one transaction of the catalog adds its
 * runs and each partition's committed end and producer state; then the cache may let the batches go
 * and the WAL's files become free. A crash at any point leaves at worst an object that nobody
 * knows, which the orphan scan removes.
 *
 * A failed write or transaction changes nothing and is tried again later with a new object.
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
