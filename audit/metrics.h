/*
 * metrics: what clients wrote to and read from each topic, out of scrapes of the brokers' metrics.
 *
 * The protocol tells what topics hold, never what is read of them. The brokers' counters do
 * (kafka.server:type=BrokerTopicMetrics, BytesInPerSec, BytesOutPerSec, MessagesInPerSec by topic),
 * as a Prometheus JMX exporter shows them, whichever of the common rules names them: the name has
 * brokertopicmetrics in it, and the name or a label `name` says bytesin, bytesout or messagesin;
 * replication's own are others. Only counters (_total, _count) are taken, and
 * process_start_time_seconds.
 *
 * A file is one scrape of one broker; its modification time is when that was. Two scrapes of a
 * process, which its start time tells, give what came in between; one alone gives what came since
 * the start. Brokers add up.
 */
#ifndef AUDIT_METRICS_H
#define AUDIT_METRICS_H

#include "audit/inventory.h"

#define METRICS_LINE_MAX ((size_t)64 << 10)

/* metrics_read fills the traffic of the inventory's topics. RC_CONFIG where a file cannot be read
 * or has no counter of a topic, or where no time can be told; the text says what to do. */
MUST_CHECK enum rc metrics_read(
    struct audit_inventory *inventory, const char *const *paths, size_t count, struct err *e);

#endif
