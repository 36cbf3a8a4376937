/*
 * consumer_migrate: a group changes its protocol while its members go on (KIP-848, "online
 * migration"; group.consumer.migration.policy).
 *
 * Up: the first member of the consumer protocol joins a classic group of consumers. Its members
 * stay, as classic members of a consumer group, with what they have. Down: the last member of the
 * consumer protocol leaves, or is replaced by a classic one; the others are a classic group again,
 * with what they were to get.
 */
#ifndef REFBROKER_COORD_CONSUMER_MIGRATE_H
#define REFBROKER_COORD_CONSUMER_MIGRATE_H

#include "refbroker/coord/consumer_group.h"
#include "refbroker/coord/consumer_records.h"

/* consumer_migrate_up_check tells whether a classic group with members can go up: 0, or 69 with why
 * not. consumer_migrate_up does it, for a group that has none too. */
int16_t consumer_migrate_up_check(const struct group *group, struct err *e);
void consumer_migrate_up(struct group *group, struct group_records *records);

/* consumer_migrate_down makes the group a classic one of this generation, and begins a rebalance
 * where asked to. Members that are leaving are left out; `consumer` is gone then. */
void consumer_migrate_down(struct consumer_group *consumer, int32_t generation, bool rebalance,
    struct group_records *records);

/* consumer_migrate_down_when_left does so where only classic members are left; false where the
 * group stays what it is. */
bool consumer_migrate_down_when_left(struct consumer_group *consumer,
    struct consumer_member **leaving, size_t leaving_count, struct group_records *records);

/* consumer_migrate_can_down tells whether a group of so many members may go down. */
bool consumer_migrate_can_down(const struct consumer_group *consumer, size_t members);

/* consumer_migrate_assignment writes partitions as a classic member gets them, in the version of
 * its subscription. */
MUST_CHECK enum rc consumer_migrate_assignment(const struct consumer_group *consumer,
    const struct topic_parts *parts, struct wire_bytes subscription, struct buf *out,
    struct err *e);

#endif
