/*
 * flink: how Apache Flink is recognised from outside.
 *
 * Its sink calls transactions <prefix>-<subtask>-<number>, its older producer
 * <task>-<operator id>-<number>, where an operator id is 32 hex digits. Each subtask (or operator)
 * has several of which only the last number differs: one for each checkpoint, or a pool. Others
 * have single ids that look alike: Kafka Connect's tasks <group>-<connector>-<task>, threads of
 * Kafka Streams <application id>-<UUID>-<thread>. So two ids with one stem are wanted; those of
 * groups of Connect's workers, and all with a UUID there, are passed over.
 *
 * Its source assigns partitions by itself, so that its group has no members: its readers are
 * clients <prefix>-<subtask>, and an admin client looks for partitions, whose id ends as names.def
 * says. A name alone proves nothing: anybody may call a client so.
 */
#ifndef AUDIT_FLINK_H
#define AUDIT_FLINK_H

#include "audit/inventory.h"

/* flink_stem returns the size of what all transactional ids of a subtask begin with; 0 where the id
 * does not look like Flink's. */
size_t flink_stem(const char *transactional_id);

/* flink_reader and flink_enumerator return the size of the prefix in the client id of a source's
 * reader, and in that of its admin client; 0 where it does not look like one. */
size_t flink_reader(const char *client_id);
size_t flink_enumerator(const char *client_id, size_t size);

/* flink_derive fills topic->flink of all topics, anew where it was filled. */
void flink_derive(struct audit_inventory *inventory);

#endif
