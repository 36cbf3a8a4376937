/*
 * resource_configs: configs of things that are no topics (groups, brokers, subscriptions to client
 * metrics), in memory, as they stand in the catalog.
 *
 * A thing need not exist to have configs, and is forgotten with the last of them. Which names and
 * values are allowed is the business of the kind. Owned by the broker; not thread-safe.
 */
#ifndef REFBROKER_META_RESOURCE_CONFIGS_H
#define REFBROKER_META_RESOURCE_CONFIGS_H

#include <stdint.h>

#include "lib/base/map.h"

/* The numbers of ConfigResource.Type. */
enum resource_type {
    RESOURCE_TOPIC = 2,
    RESOURCE_BROKER = 4,
    RESOURCE_BROKER_LOGGER = 8,
    RESOURCE_CLIENT_METRICS = 16,
    RESOURCE_GROUP = 32,
};

#define RESOURCE_CONFIGS_MAX 100000 /* things; whoever adds them by request stops here */

struct resource_configs {
    struct map by_resource; /* one byte of type and the name -> struct resource */
};

void resource_configs_init(struct resource_configs *configs);
void resource_configs_fini(struct resource_configs *configs);

/* resource_configs_set stores a value, NULL takes it back. */
void resource_configs_set(struct resource_configs *configs, enum resource_type type,
    const char *resource, const char *name, const char *value);

/* resource_configs_get returns what is set, or NULL. */
const char *resource_configs_get(const struct resource_configs *configs, enum resource_type type,
    const char *resource, const char *name);

/* resource_configs_count tells how many configs a thing has; resource_configs_each walks them:
 * start with *position = 0; it returns the value of the next one and sets *name, or returns NULL.
 */
size_t resource_configs_count(
    const struct resource_configs *configs, enum resource_type type, const char *resource);
const char *resource_configs_each(const struct resource_configs *configs, enum resource_type type,
    const char *resource, size_t *position, const char **name);

/* resource_configs_next walks the things of a kind that have configs: start with *position = 0; it
 * returns the name of the next one, or NULL. */
const char *resource_configs_next(
    const struct resource_configs *configs, enum resource_type type, size_t *position);

#endif
