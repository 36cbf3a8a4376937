#include "audit/grants.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"

/* org.apache.kafka.common.resource.ResourceType, PatternType, and acl.AclOperation and
 * AclPermissionType */
enum { RESOURCE_TOPIC = 2, RESOURCE_TRANSACTIONAL_ID = 5 };
enum { PATTERN_LITERAL = 3, PATTERN_PREFIXED = 4 };
enum { OPERATION_ALL = 2, OPERATION_READ = 3, OPERATION_WRITE = 4 };
enum { PERMISSION_DENY = 2, PERMISSION_ALLOW = 3 };

#define EVERYTHING "*"
#define EVERYBODY "User:*"

enum { MAY_READ = 1, MAY_WRITE = 2 };

/* One principal on one topic. */
struct pair {
    uint32_t topic;
    uint32_t principal;
    unsigned allowed;
    unsigned denied;
};

struct deriving {
    struct audit_inventory *inventory;
    struct map principals; /* to place + 1 */
    struct map places;     /* {topic, principal}, to place + 1 in pairs */
    struct pair *pairs;
    size_t count;
    size_t capacity;
    unsigned *denied_to_all; /* by topic */
    bool is_full;
};

static unsigned
rights_of(int8_t operation)
{
    return operation == OPERATION_ALL     ? MAY_READ | MAY_WRITE
           : operation == OPERATION_READ  ? MAY_READ
           : operation == OPERATION_WRITE ? MAY_WRITE
                                          : 0;
}

static uint32_t
principal_of(struct deriving *own, struct wire_string name)
{
    uintptr_t place = (uintptr_t)map_get(&own->principals, name.data, (size_t)name.size);

    if (place == 0) {
        place = (uintptr_t)inventory_add_principal(
                    own->inventory, inventory_text(own->inventory, name.data, name.size), NULL) +
                1;
        map_put(&own->principals, name.data, (size_t)name.size, (void *)place);
    }
    return (uint32_t)place - 1;
}

static struct pair *
pair_of(struct deriving *own, uint32_t topic, uint32_t principal)
{
    const uint32_t key[] = {topic, principal};
    uintptr_t place = (uintptr_t)map_get(&own->places, key, sizeof key);

    if (place != 0)
        return &own->pairs[place - 1];
    if (own->count == GRANTS_MAX) {
        own->is_full = true;
        return NULL;
    }
    if (own->count == own->capacity) {
        own->capacity = own->capacity == 0 ? 64 : 2 * own->capacity;
        own->pairs = xrealloc(own->pairs, own->capacity, sizeof *own->pairs);
    }
    own->pairs[own->count++] = (struct pair){topic, principal, 0, 0};
    map_put(&own->places, key, sizeof key, (void *)(uintptr_t)own->count);
    return &own->pairs[own->count - 1];
}

/* --- rules ------------------------------------------------------------------------------------ */

struct rule {
    struct wire_string principal;
    unsigned rights;
    bool denies;
};

static void
rule_apply(struct deriving *own, const struct rule *rule, uint32_t topic)
{
    struct pair *pair;

    if (rule->denies && codec_string_is(rule->principal, EVERYBODY)) {
        own->denied_to_all[topic] |= rule->rights;
        return;
    }
    pair = pair_of(own, topic, principal_of(own, rule->principal));
    if (pair == NULL)
        return;
    if (rule->denies)
        pair->denied |= rule->rights;
    else
        pair->allowed |= rule->rights;
}

static bool
begins_with(const char *name, struct wire_string prefix)
{
    return prefix.size <= 0 || strncmp(name, prefix.data, (size_t)prefix.size) == 0;
}

static void
topics_match(struct deriving *own, const struct km_describe_acls_response_resource *resource,
    const struct rule *rule)
{
    const struct audit_inventory *inventory = own->inventory;
    bool is_all = resource->pattern_type == PATTERN_LITERAL &&
                  codec_string_is(resource->resource_name, EVERYTHING);
    uint32_t topic;

    if (resource->pattern_type == PATTERN_LITERAL && !is_all) {
        topic = inventory_topic(inventory, resource->resource_name);
        if (topic != INVENTORY_NO_NUMBER)
            rule_apply(own, rule, topic);
        return;
    }
    for (topic = 0; topic < inventory->topic_count; topic++)
        if (is_all || begins_with(inventory->topics[topic].name, resource->resource_name))
            rule_apply(own, rule, topic);
}

static void
ids_note(struct deriving *own, const struct km_describe_acls_response_resource *resource,
    const struct rule *rule)
{
    struct audit_principal *principal;
    uint32_t number;

    if (rule->denies || (rule->rights & MAY_WRITE) == 0)
        return;
    number = principal_of(own, rule->principal);
    principal = &own->inventory->principals[number];
    if (principal->transactional_ids == NULL)
        principal->transactional_ids = inventory_printf(own->inventory, "%.*s%s",
            (int)resource->resource_name.size, resource->resource_name.data,
            resource->pattern_type == PATTERN_PREFIXED ? EVERYTHING : "");
}

static void
resource_take(struct deriving *own, const struct km_describe_acls_response_resource *resource)
{
    for (int32_t i = 0; i < resource->acls.count; i++) {
        const struct km_describe_acls_response_acl_description *acl = &resource->acls.items[i];
        const struct rule rule = {.principal = acl->principal,
            .rights = rights_of(acl->operation),
            .denies = acl->permission_type == PERMISSION_DENY};

        if (rule.rights == 0 || (rule.denies && !codec_string_is(acl->host, EVERYTHING)) ||
            (!rule.denies && acl->permission_type != PERMISSION_ALLOW))
            continue;
        if (resource->resource_type == RESOURCE_TOPIC)
            topics_match(own, resource, &rule);
        else if (resource->resource_type == RESOURCE_TRANSACTIONAL_ID)
            ids_note(own, resource, &rule);
    }
}

void
grants_derive(struct audit_inventory *inventory, const struct km_describe_acls_response *response)
{
    struct deriving own = {.inventory = inventory};
    struct err e;

    map_init(&own.principals);
    map_init(&own.places);
    own.denied_to_all = xcalloc(inventory->topic_count + 1, sizeof *own.denied_to_all);
    for (int32_t i = 0; i < response->resources.count; i++)
        resource_take(&own, &response->resources.items[i]);
    /* Lists begin with what was added last. */
    for (size_t i = own.count; i-- > 0;) {
        const struct pair *pair = &own.pairs[i];
        unsigned rights = pair->allowed & ~pair->denied & ~own.denied_to_all[pair->topic];

        if (rights != 0)
            inventory_add_grant(inventory, pair->topic,
                &(struct audit_grant){.principal = pair->principal,
                    .may_read = (rights & MAY_READ) != 0,
                    .may_write = (rights & MAY_WRITE) != 0});
    }
    if (own.is_full)
        inventory_gap(inventory, INVENTORY_NO_NUMBER, AUDIT_ACLS, NULL,
            err_set(&e, RC_LIMIT, "they permit more than an audit keeps (%d)", GRANTS_MAX), 0, &e);
    free(own.pairs);
    free(own.denied_to_all);
    map_fini(&own.places, NULL);
    map_fini(&own.principals, NULL);
}
