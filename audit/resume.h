/*
 * resume: an audit that was ended goes on with the stored batches it had read.
 *
 * Reading stored batches is what takes an audit long. Of an inventory that was kept in the middle
 * of it (audit.h, keep) resume_take takes over what was read of each partition that was done with;
 * all else is asked anew. What was appended to such a partition since is not read: its log counts
 * as cut. A topic whose logs end earlier than they did was made anew, and nothing of it is taken.
 */
#ifndef AUDIT_RESUME_H
#define AUDIT_RESUME_H

#include "audit/inventory.h"

/* resume_take needs the topics and offsets of the fresh inventory. It returns of how many
 * partitions nothing is to be read any more, and in *bytes how much was read of them. */
uint32_t resume_take(
    struct audit_inventory *fresh, const struct audit_inventory *begun, uint64_t *bytes);

#endif
