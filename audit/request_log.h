/*
 * request_log: what clients asked of the brokers, out of a kafka-request.log.
 *
 * No request tells which programs use a topic, with which library, or whether they read committed
 * records only; the log of a broker's requests does, where kafka.request.logger is at DEBUG or
 * TRACE (KIP-673: a JSON object in each line; Kafka 2.8 and later). A log adds to an audit whose
 * topics are known: clients and what each asked about each topic (struct audit_contact), and the
 * topics of transactions (traces REQUESTED and REQUESTED_READ). It tells of the hours that it
 * spans, and of one broker; several are read one after the other.
 *
 * Requests count when they were sent, whatever became of them. Those of followers, and of kdl
 * itself, are no use of a topic. Topics are known by id where the request has one (a topic that was
 * made anew is another), and by name where it has not. A fetch in the middle of a session names
 * only what changes; a topic that shows in answers alone counts as one fetch.
 *
 * Lines that cannot be read leave gaps of AUDIT_REQUESTS; so do clients beyond
 * INVENTORY_CLIENTS_MAX. A line may have REQUEST_LOG_LINE_MAX bytes.
 */
#ifndef AUDIT_REQUEST_LOG_H
#define AUDIT_REQUEST_LOG_H

#include "audit/inventory.h"

#define REQUEST_LOG_LINE_MAX ((size_t)16 << 20)

/* request_log_read adds a file to the inventory. RC_CONFIG where it cannot be opened, or holds no
 * request; the text says what to do. */
MUST_CHECK enum rc request_log_read(
    struct audit_inventory *inventory, const char *path, struct err *e);

#endif
