/* Clients, where the brokers' logs told of them (request_log.h, kcp_state.h): by their software, and for each topic. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_report.h"
#include "lib/base/xalloc.h"

#define SOFTWARE_SHOWN 8

struct software {
    const char *name;
    const char *version;
    uint32_t clients;
};

static int
by_count(const void *a, const void *b)
{
    const struct software *x = a, *y = b;
    int order = (x->clients < y->clients) - (x->clients > y->clients);

    if (order == 0)
        order = strcmp(x->name, y->name);
    return order == 0 ? strcmp(x->version, y->version) : order;
}

/* Counted, those of most clients first; the caller frees it. */
static struct software *
software_count(const struct audit_inventory *inventory, uint32_t *count)
{
    struct software *all = xcalloc(inventory->client_count + 1, sizeof *all);
    struct map places;
    uint32_t used = 0;

    map_init(&places);
    for (uint32_t c = 0; c < inventory->client_count; c++) {
        const struct audit_client *client = &inventory->clients[c];
        struct buf key;
        uintptr_t place;

        buf_init(&key, SIZE_MAX);
        buf_printf(&key, "%zu %s%s", strlen(client->software), client->software, client->version);
        place = (uintptr_t)map_get(&places, key.data, key.size);
        if (place == 0) {
            all[used++] = (struct software){client->software, client->version, 0};
            place = used;
            map_put(&places, key.data, key.size, (void *)place);
        }
        all[place - 1].clients++;
        buf_fini(&key);
    }
    map_fini(&places, NULL);
    qsort(all, used, sizeof *all, by_count);
    *count = used;
    return all;
}

/* How many clients read committed records only, of some topic at least. */
static uint32_t
committed_count(const struct audit_inventory *inventory)
{
    bool *reads = xcalloc(inventory->client_count + 1, sizeof *reads);
    uint32_t count = 0;

    for (uint32_t t = 0; t < inventory->topic_count; t++)
        for (const struct audit_contact *c = inventory->topics[t].contacts; c != NULL; c = c->next)
            if (c->committed_fetches > 0 && !reads[c->client]) {
                reads[c->client] = true;
                count++;
            }
    free(reads);
    return count;
}

void
audit_report_clients_line(const struct audit_inventory *inventory, struct buf *out)
{
    uint32_t count, committed = committed_count(inventory);
    struct software *all = software_count(inventory, &count);

    buf_printf(out, "%" PRIu32 " in the brokers' logs: ", inventory->client_count);
    for (uint32_t i = 0; i < count && i < SOFTWARE_SHOWN; i++)
        buf_printf(out, "%s%s%s%s (%" PRIu32 ")", i == 0 ? "" : ", ",
            all[i].name[0] == '\0' ? "software that does not tell its name" : all[i].name,
            all[i].version[0] == '\0' ? "" : " ", all[i].version, all[i].clients);
    if (count > SOFTWARE_SHOWN)
        buf_printf(out, " and %" PRIu32 " others", count - SOFTWARE_SHOWN);
    buf_printf(
        out, "; %" PRIu32 " read%s committed records only", committed, committed == 1 ? "s" : "");
    free(all);
}

struct jdoc *
audit_report_software_json(const struct audit_inventory *inventory)
{
    struct jdoc *list = jdoc_array();
    uint32_t count;
    struct software *all = software_count(inventory, &count);

    for (uint32_t i = 0; i < count; i++) {
        struct jdoc *row = jdoc_object();

        jdoc_set_text(row, "name", all[i].name);
        jdoc_set_text(row, "version", all[i].version);
        jdoc_set_int(row, "clients", all[i].clients);
        jdoc_add_take(list, row);
    }
    free(all);
    return list;
}

struct jdoc *
audit_report_clients_json(const struct audit_inventory *inventory, const struct audit_topic *topic)
{
    struct jdoc *list = jdoc_array();

    for (const struct audit_contact *c = topic->contacts; c != NULL; c = c->next) {
        const struct audit_client *client = &inventory->clients[c->client];
        struct jdoc *row = jdoc_object();

        jdoc_set_text(row, "id", client->id);
        jdoc_set_text(row, "principal", client->principal);
        jdoc_set_text(row, "software", client->software);
        jdoc_set_text(row, "version", client->version);
        jdoc_set_int(row, "produces", (int64_t)c->produces);
        jdoc_set_int(row, "transactional", (int64_t)c->transactional);
        jdoc_set_int(row, "fetches", (int64_t)c->fetches);
        jdoc_set_int(row, "committed_fetches", (int64_t)c->committed_fetches);
        jdoc_set_int(row, "share_fetches", (int64_t)c->share_fetches);
        jdoc_set_int(row, "commits", (int64_t)c->commits);
        jdoc_add_take(list, row);
    }
    return list;
}
