/*
 * publication: waits until an Apache Kafka has applied the changes that it has answered.
 *
 * Its brokers answer a change of a topic or a config once the controller's log has it, show it in
 * Metadata and DescribeConfigs a little later, and use it (a new cleanup.policy, say, when records
 * are appended) later still. Each broker takes what the log has gathered as one image and applies
 * all of it before the next (metadata/…/loader/MetadataLoader, …/BrokerMetadataPublisher). So two
 * changes of a client's quota, the second sent after the first is shown, are never of the same
 * image: where the second is shown, all that was answered before the first is applied.
 */
#ifndef TESTS_DIFFER_PUBLICATION_H
#define TESTS_DIFFER_PUBLICATION_H

#include <stdint.h>

#include "lib/base/err.h"

struct publication;

/* publication_open connects to a broker; the caller closes it. */
MUST_CHECK enum rc publication_open(
    const char *host, uint16_t port, struct publication **out, struct err *e);

/* publication_close accepts NULL. */
void publication_close(struct publication *publication);

/* publication_wait: RC_TIMEOUT where a change is not shown within a generous time. */
MUST_CHECK enum rc publication_wait(struct publication *publication, struct err *e);

#endif
