/*
 * probe_choice: the partitions that a probe of leaders asks about, where it does not ask about all.
 *
 * They are the items of a fan, in the order of their numbers. The inventory must outlive the
 * choice, and its partitions must stay.
 */
#ifndef AUDIT_PROBE_CHOICE_H
#define AUDIT_PROBE_CHOICE_H

#include "audit/inventory.h"
#include "lib/kafka/cluster_fan.h"

struct probe_choice {
    const struct audit_inventory *inventory;
    uint32_t count;
    uint32_t *partitions; /* item to number, */
    uint32_t *places;     /* and number to item; INVENTORY_NO_NUMBER: it is none */
};

/* probe_choice_make asks for each partition whether it is wanted; probe_choice_fini frees. */
typedef bool probe_choice_fn(const struct audit_inventory *inventory, uint32_t number);
void probe_choice_make(
    struct probe_choice *choice, const struct audit_inventory *inventory, probe_choice_fn *wants);
void probe_choice_fini(struct probe_choice *choice);

/* probe_choice_target names the leader of an item's partition. */
void probe_choice_target(
    const struct probe_choice *choice, uint32_t item, struct cluster_target *out);

/* probe_choice_runs sorts the partitions of a batch's first `count` items by topic, in its arena;
 * NULL where that is full. */
struct inventory_run *probe_choice_runs(const struct probe_choice *choice,
    const struct cluster_fan_batch *batch, size_t count, size_t *run_count);

/* probe_choice_item returns the item of a partition that an answer names, by the number of its
 * topic (which may be INVENTORY_NO_NUMBER); INVENTORY_NO_NUMBER where it is none. */
uint32_t probe_choice_item(const struct probe_choice *choice, uint32_t topic, int32_t partition);

/* probe_choice_has_records is a choice: the partitions whose logs hold something, or may. */
bool probe_choice_has_records(const struct audit_inventory *inventory, uint32_t number);

#endif
