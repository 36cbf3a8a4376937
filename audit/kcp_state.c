#include "audit/kcp_state.h"

#include <string.h>
#include <strings.h>

#include "lib/base/env.h"
#include "lib/base/jdoc.h"
#include "lib/base/text_file.h"
#include "lib/wire/codec.h"

#define CLUSTER_MARK "kafka_admin_client_information"
#define DEPTH_MAX 8 /* of the lists that clusters stand in */
#define OTHERS_BYTES_MAX 200

struct reading {
    struct audit_inventory *inventory;
    const char *path;
    struct map contacts; /* "TOPIC ID-SIZE ID PRINCIPAL", to what is known of it already */
    struct buf others;   /* ids of other clusters */
    bool is_state;       /* there is a cluster at all, */
    bool is_found;       /* and this one */
    uint64_t named;      /* topics, in rows; */
    uint64_t found;      /* of these, topics of the inventory */
};

/* --- clients ---------------------------------------------------------------------------------- */

static void
key_make(struct buf *key, uint32_t topic, const char *id, const char *principal)
{
    buf_init(key, SIZE_MAX);
    buf_printf(key, "%u %zu %s %s", topic, strlen(id), id, principal);
}

/* What request logs told goes on being one contact, with the software that they know. */
static void
contacts_gather(struct reading *own)
{
    const struct audit_inventory *inventory = own->inventory;

    for (uint32_t t = 0; t < inventory->topic_count; t++)
        for (struct audit_contact *c = inventory->topics[t].contacts; c != NULL; c = c->next) {
            const struct audit_client *client = &inventory->clients[c->client];
            struct buf key;

            key_make(&key, t, client->id, client->principal);
            map_put(&own->contacts, key.data, key.size, c);
            buf_fini(&key);
        }
}

static struct audit_contact *
contact_of(struct reading *own, uint32_t topic, const char *id, const char *principal)
{
    const struct audit_client client = {id, principal, "", ""};
    struct audit_contact *contact;
    struct buf key;
    struct err e;
    uint32_t number;

    key_make(&key, topic, id, principal);
    contact = map_get(&own->contacts, key.data, key.size);
    if (contact == NULL) {
        number = inventory_add_client(own->inventory, &client);
        if (number == INVENTORY_NO_NUMBER)
            inventory_gap(own->inventory, INVENTORY_NO_NUMBER, AUDIT_KCP, own->path,
                err_set(&e, RC_LIMIT, "there are more clients than an audit keeps"), 0, &e);
        else
            contact = inventory_contact(own->inventory, topic, number);
        if (contact != NULL)
            map_put(&own->contacts, key.data, key.size, contact);
    }
    buf_fini(&key);
    return contact;
}

static void
client_take(struct reading *own, const struct jdoc *row)
{
    const char *topic_name = jdoc_get_text(row, "topic", NULL);
    const char *role = jdoc_get_text(row, "role", "");
    struct audit_contact *contact;
    uint32_t topic;

    if (topic_name == NULL)
        return;
    topic = inventory_topic(own->inventory, codec_string(topic_name));
    own->named++;
    if (topic == INVENTORY_NO_NUMBER)
        return;
    own->found++;
    contact = contact_of(
        own, topic, jdoc_get_text(row, "client_id", ""), jdoc_get_text(row, "principal", ""));
    if (contact == NULL)
        return;
    if (strcasecmp(role, "producer") == 0 && contact->produces == 0)
        contact->produces = 1;
    else if (strcasecmp(role, "consumer") == 0 && contact->fetches == 0)
        contact->fetches = 1;
}

/* --- clusters --------------------------------------------------------------------------------- */

static void
cluster_take(struct reading *own, const struct jdoc *cluster, const struct jdoc *admin)
{
    const struct jdoc *clients = jdoc_get(cluster, "discovered_clients");
    const char *id = jdoc_get_text(admin, "cluster_id", "");

    own->is_state = true;
    if (own->inventory->cluster_id == NULL || strcmp(id, own->inventory->cluster_id) != 0) {
        buf_printf(&own->others, "%s%s", own->others.size == 0 ? "" : ", ",
            id[0] == '\0' ? "one that was not scanned" : id);
        return;
    }
    own->is_found = true;
    for (size_t i = 0; i < jdoc_count(clients); i++)
        client_take(own, jdoc_at(clients, i));
}

static void /* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX deep at most */
clusters_find(struct reading *own, const struct jdoc *value, unsigned depth)
{
    const struct jdoc *admin = jdoc_get(value, CLUSTER_MARK), *inner;
    void *iterator = NULL;

    if (admin != NULL) {
        cluster_take(own, value, admin);
        return;
    }
    if (depth == DEPTH_MAX)
        return;
    for (size_t i = 0; (inner = jdoc_at(value, i)) != NULL; i++)
        clusters_find(own, inner, depth + 1);
    while (jdoc_next(value, &iterator, &inner) != NULL)
        clusters_find(own, inner, depth + 1);
}

static enum rc
state_take(struct reading *own, const struct jdoc *state, struct err *e)
{
    clusters_find(own, state, 0);
    if (!own->is_state)
        return err_set(e, RC_CONFIG, "%s has no cluster in it: is it a kcp-state.json?", own->path);
    if (!own->is_found)
        return err_set(e, RC_CONFIG,
            "%s has not this cluster (%s) in it, but %s: let kcp scan this one", own->path,
            own->inventory->cluster_id == NULL ? "no id" : own->inventory->cluster_id,
            buf_text(&own->others));
    if (own->named > 0 && own->found == 0)
        inventory_gap_foreign(own->inventory, AUDIT_KCP, own->path);
    return inventory_check(own->inventory, e);
}

enum rc
kcp_state_read(struct audit_inventory *inventory, const char *path, struct err *e)
{
    struct reading own = {.inventory = inventory, .path = path};
    struct jdoc *state = NULL;
    struct buf text;
    struct env env;
    enum rc rc;

    env_init_real(&env);
    inventory->asked_ms[AUDIT_KCP] = env_wall_ms(&env);
    buf_init(&text, KCP_STATE_BYTES_MAX);
    rc = text_file_read(path, NULL, &text, e);
    if (rc == RC_OK && jdoc_parse(buf_text(&text), text.size, &state, e) != RC_OK) {
        (void)err_note(e, "%s", path);
        rc = e->code = RC_CONFIG;
    }
    buf_fini(&text);
    if (rc != RC_OK)
        return rc;
    map_init(&own.contacts);
    buf_init(&own.others, OTHERS_BYTES_MAX);
    contacts_gather(&own);
    rc = state_take(&own, state, e);
    buf_fini(&own.others);
    map_fini(&own.contacts, NULL);
    jdoc_free(state);
    return rc;
}
