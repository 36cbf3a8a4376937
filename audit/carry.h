/*
 * carry: what earlier audits of a cluster saw stays seen.
 *
 * Much of what decides about a topic shows for moments only: an open transaction, a group of a job
 * that runs at night. carry_on adds to a fresh audit what the ones before saw of the topics that
 * are still there: transactions and their ids, producers, groups (one that is gone since is in the
 * state "Dead", without members), the stored batches where the fresh audit read none, and what was
 * appended in between. What is so now (configs, sizes, offsets, gaps) is the fresh audit's.
 *
 * Facts and rules are to be derived afterwards.
 */
#ifndef AUDIT_CARRY_H
#define AUDIT_CARRY_H

#include "audit/inventory.h"

/* carry_on changes the fresh audit. RC_CONFLICT where the two are of different clusters, or the
 * other is the later one; RC_LIMIT where it does not fit. */
MUST_CHECK enum rc carry_on(
    struct audit_inventory *fresh, const struct audit_inventory *before, struct err *e);

#endif
