/* file_rig: an inventory, and a folder for a user's file that adds to it. */
#ifndef TESTS_UNIT_AUDIT_FILE_RIG_H
#define TESTS_UNIT_AUDIT_FILE_RIG_H

#include "tests/unit/audit/rules_rig.h"
#include "tests/unit/temp_folder.h"

static char folder[TEMP_FOLDER_BYTES_MAX];
static char path[TEMP_FOLDER_BYTES_MAX + 16];

static inline void
begin_file(void)
{
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/given", folder);
    begin_inventory();
}

static inline void
end_file(void)
{
    inventory_fini(&inventory);
    temp_folder_remove(folder);
}

/* What a client, by its client id, has to do with a topic; the test fails where that is nothing. */
static inline const struct audit_contact *
contact(uint32_t topic, const char *client)
{
    for (const struct audit_contact *c = inventory.topics[topic].contacts; c != NULL; c = c->next)
        if (strcmp(inventory.clients[c->client].id, client) == 0)
            return c;
    fail_msg("%s has nothing to do with %s", client, inventory.topics[topic].name);
    return NULL;
}

#endif
