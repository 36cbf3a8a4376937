#include "refbroker/meta/resource_configs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

struct resource {
    enum resource_type type;
    char *name;
    struct map texts; /* config name -> value */
};

/* The key of a thing: its type and its name. The caller frees it. */
static char *
key_make(enum resource_type type, const char *resource, size_t *size)
{
    char *key;

    *size = 1 + strlen(resource);
    key = xmalloc(*size);
    key[0] = (char)type;
    memcpy(key + 1, resource, *size - 1);
    return key;
}

static struct resource *
find(const struct resource_configs *configs, enum resource_type type, const char *name)
{
    size_t size;
    char *key = key_make(type, name, &size);
    struct resource *resource = map_get(&configs->by_resource, key, size);

    free(key);
    return resource;
}

static void
resource_free(void *value)
{
    struct resource *resource = value;

    map_fini(&resource->texts, free);
    free(resource->name);
    free(resource);
}

void
resource_configs_init(struct resource_configs *configs)
{
    map_init(&configs->by_resource);
}

void
resource_configs_fini(struct resource_configs *configs)
{
    map_fini(&configs->by_resource, resource_free);
}

static struct resource *
add(struct resource_configs *configs, enum resource_type type, const char *name)
{
    struct resource *resource = xcalloc(1, sizeof *resource);
    size_t size;
    char *key = key_make(type, name, &size);

    resource->type = type;
    resource->name = xstrdup(name);
    map_init(&resource->texts);
    (void)map_put(&configs->by_resource, key, size, resource);
    free(key);
    return resource;
}

static void
forget(struct resource_configs *configs, struct resource *resource)
{
    size_t size;
    char *key = key_make(resource->type, resource->name, &size);

    (void)map_remove(&configs->by_resource, key, size);
    free(key);
    resource_free(resource);
}

void
resource_configs_set(struct resource_configs *configs, enum resource_type type,
    const char *resource_name, const char *name, const char *value)
{
    struct resource *resource = find(configs, type, resource_name);

    if (resource == NULL && value == NULL)
        return;
    if (resource == NULL)
        resource = add(configs, type, resource_name);
    free(value == NULL ? map_remove_text(&resource->texts, name)
                       : map_put_text(&resource->texts, name, xstrdup(value)));
    if (map_count(&resource->texts) == 0)
        forget(configs, resource);
}

const char *
resource_configs_get(const struct resource_configs *configs, enum resource_type type,
    const char *resource_name, const char *name)
{
    const struct resource *resource = find(configs, type, resource_name);

    return resource == NULL ? NULL : map_get_text(&resource->texts, name);
}

size_t
resource_configs_count(
    const struct resource_configs *configs, enum resource_type type, const char *resource_name)
{
    const struct resource *resource = find(configs, type, resource_name);

    return resource == NULL ? 0 : map_count(&resource->texts);
}

const char *
resource_configs_each(const struct resource_configs *configs, enum resource_type type,
    const char *resource_name, size_t *position, const char **name)
{
    const struct resource *resource = find(configs, type, resource_name);
    const void *key;
    size_t size;
    const char *value = resource == NULL ? NULL : map_next(&resource->texts, position, &key, &size);

    if (value != NULL)
        *name = key;
    return value;
}

const char *
resource_configs_next(
    const struct resource_configs *configs, enum resource_type type, size_t *position)
{
    const struct resource *resource;

    while ((resource = map_next(&configs->by_resource, position, NULL, NULL)) != NULL)
        if (resource->type == type)
            return resource->name;
    return NULL;
}
