#include "audit/probe_choice.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"

void
probe_choice_make(
    struct probe_choice *choice, const struct audit_inventory *inventory, probe_choice_fn *wants)
{
    uint32_t first = 0, count = inventory->partition_count;

    *choice = (struct probe_choice){.inventory = inventory};
    while (first < count && !wants(inventory, first))
        first++;
    /* Mostly: nothing is tiered, nothing has had another leader. */
    if (first == count)
        return;
    choice->partitions = xcalloc(count, sizeof *choice->partitions);
    choice->places = xcalloc(count, sizeof *choice->places);
    for (uint32_t i = 0; i < count; i++) {
        bool wanted = i >= first && wants(inventory, i);

        choice->places[i] = wanted ? choice->count : INVENTORY_NO_NUMBER;
        if (wanted)
            choice->partitions[choice->count++] = i;
    }
}

void
probe_choice_fini(struct probe_choice *choice)
{
    free(choice->partitions);
    free(choice->places);
}

void
probe_choice_target(const struct probe_choice *choice, uint32_t item, struct cluster_target *out)
{
    const struct audit_inventory *inventory = choice->inventory;
    const struct audit_partition *partition = &inventory->partitions[choice->partitions[item]];

    *out = (struct cluster_target){
        CLUSTER_LEADER, inventory->topics[partition->topic].name, partition->partition};
}

struct inventory_run *
probe_choice_runs(const struct probe_choice *choice, const struct cluster_fan_batch *batch,
    size_t count, size_t *run_count)
{
    uint32_t *numbers = arena_array(batch->arena, count, sizeof *numbers);

    *run_count = 0;
    for (size_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] = choice->partitions[batch->items[i]];
    return numbers == NULL
               ? NULL
               : inventory_runs(choice->inventory, numbers, count, batch->arena, run_count);
}

uint32_t
probe_choice_item(const struct probe_choice *choice, uint32_t topic, int32_t partition)
{
    uint32_t number = inventory_partition(choice->inventory, topic, partition);

    return number == INVENTORY_NO_NUMBER ? number : choice->places[number];
}

bool
probe_choice_has_records(const struct audit_inventory *inventory, uint32_t number)
{
    const struct audit_partition *partition = &inventory->partitions[number];

    return partition->end_offset < 0 || partition->end_offset > partition->log_start_offset;
}
