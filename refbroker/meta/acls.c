#include "refbroker/meta/acls.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

#define TYPE_CLUSTER 4
#define TYPE_LAST 7
#define OPERATION_LAST 15
#define PERMISSION_LAST 3
#define CLUSTER_NAME "kafka-cluster"
#define WILDCARD "*"
#define KEY_NUMBERS 4
#define KEY_TEXTS 3

void
acls_init(struct acls *acls)
{
    map_init(&acls->by_key);
}

static void
entry_free(void *value)
{
    struct acl_entry *entry = value;

    free(entry->key);
    free(entry);
}

void
acls_fini(struct acls *acls)
{
    map_fini(&acls->by_key, entry_free);
}

static bool
is_text(struct wire_string string, const char *text)
{
    return string.size >= 0 && strlen(text) == (size_t)string.size &&
           memcmp(string.data, text, (size_t)string.size) == 0;
}

int16_t
acls_check(const struct acl *acl, struct err *e)
{
    err_clear(e);
    /* Kafka makes nothing of these before it has looked at anything else. */
    if (acl->resource_type <= ACL_ANY || acl->resource_type > TYPE_LAST ||
        acl->pattern_type < ACL_PATTERN_LITERAL || acl->pattern_type > ACL_PATTERN_PREFIXED ||
        acl->operation <= ACL_ANY || acl->operation > OPERATION_LAST ||
        acl->permission_type <= ACL_ANY || acl->permission_type > PERMISSION_LAST)
        return KE_UNKNOWN_SERVER_ERROR;
    if (acl->resource_type == TYPE_CLUSTER && !is_text(acl->resource, CLUSTER_NAME))
        (void)err_set(
            e, RC_CONFIG, "The only valid name for the CLUSTER resource is " CLUSTER_NAME);
    else if (acl->resource.size == 0)
        (void)err_set(e, RC_CONFIG, "Invalid empty resource name");
    else if (acl->principal.size == 0 ||
             memchr(acl->principal.data, ':', (size_t)acl->principal.size) == NULL)
        (void)err_set(e, RC_CONFIG,
            "Could not parse principal from `%.*s` (no colon is present separating the principal "
            "type from the principal name)",
            acl->principal.size, acl->principal.data);
    return e->code == RC_OK ? KE_NONE : KE_INVALID_REQUEST;
}

/* --- keys ------------------------------------------------------------------------------------ */

void
acls_key(const struct acl *acl, struct buf *out)
{
    const int8_t numbers[KEY_NUMBERS] = {
        acl->resource_type, acl->pattern_type, acl->operation, acl->permission_type};
    const struct wire_string texts[KEY_TEXTS] = {acl->resource, acl->principal, acl->host};

    buf_append(out, numbers, sizeof numbers);
    for (size_t i = 0; i < KEY_TEXTS; i++) {
        const uint8_t size[2] = {(uint8_t)(texts[i].size >> 8), (uint8_t)texts[i].size};

        buf_append(out, size, sizeof size);
        if (texts[i].size > 0)
            buf_append(out, texts[i].data, (size_t)texts[i].size);
    }
}

/* The rule of a key, as views; false where it is none. */
static bool
key_read(const uint8_t *key, size_t size, struct acl *acl)
{
    struct wire_string texts[KEY_TEXTS];
    struct err e;

    if (size < KEY_NUMBERS)
        return false;
    acl->resource_type = (int8_t)key[0];
    acl->pattern_type = (int8_t)key[1];
    acl->operation = (int8_t)key[2];
    acl->permission_type = (int8_t)key[3];
    key += KEY_NUMBERS;
    size -= KEY_NUMBERS;
    for (size_t i = 0; i < KEY_TEXTS; i++) {
        size_t length = size < 2 ? 0 : (size_t)key[0] << 8 | key[1];

        if (size < 2 || length > size - 2)
            return false;
        texts[i] = (struct wire_string){(const char *)key + 2, (int32_t)length};
        key += 2 + length;
        size -= 2 + length;
    }
    acl->resource = texts[0];
    acl->principal = texts[1];
    acl->host = texts[2];
    return size == 0 && acls_check(acl, &e) == KE_NONE;
}

enum rc
acls_add(struct acls *acls, const void *key, size_t key_size, struct err *e)
{
    struct acl_entry *entry;
    struct acl acl;

    if (map_get(&acls->by_key, key, key_size) != NULL)
        return RC_OK;
    if (!key_read(key, key_size, &acl))
        return err_set(e, RC_CORRUPT, "an access rule of %zu bytes that is none", key_size);
    entry = xcalloc(1, sizeof *entry);
    entry->key = xmemdup(key, key_size);
    entry->key_size = key_size;
    REQUIRE(key_read(entry->key, key_size, &entry->acl));
    (void)map_put(&acls->by_key, key, key_size, entry);
    return RC_OK;
}

void
acls_remove(struct acls *acls, const void *key, size_t key_size)
{
    struct acl_entry *entry = map_remove(&acls->by_key, key, key_size);

    if (entry != NULL)
        entry_free(entry);
}

/* --- filters --------------------------------------------------------------------------------- */

static bool
number_matches(int8_t filter, int8_t number)
{
    return filter == ACL_ANY || filter == number;
}

static bool
text_matches(struct wire_string filter, struct wire_string text)
{
    return filter.size < 0 ||
           (filter.size == text.size && memcmp(filter.data, text.data, (size_t)text.size) == 0);
}

/* Whether a rule's pattern is one of, or applies to, the filter's name. */
static bool
pattern_matches(const struct acl *filter, const struct acl *acl)
{
    if (filter->pattern_type != ACL_PATTERN_MATCH)
        return number_matches(filter->pattern_type, acl->pattern_type) &&
               text_matches(filter->resource, acl->resource);
    if (filter->resource.size < 0)
        return true;
    if (acl->pattern_type == ACL_PATTERN_LITERAL)
        return text_matches(filter->resource, acl->resource) || is_text(acl->resource, WILDCARD);
    return acl->resource.size <= filter->resource.size &&
           memcmp(acl->resource.data, filter->resource.data, (size_t)acl->resource.size) == 0;
}

bool
acls_match(const struct acl *filter, const struct acl *acl)
{
    return number_matches(filter->resource_type, acl->resource_type) &&
           number_matches(filter->operation, acl->operation) &&
           number_matches(filter->permission_type, acl->permission_type) &&
           text_matches(filter->principal, acl->principal) &&
           text_matches(filter->host, acl->host) && pattern_matches(filter, acl);
}

const struct acl_entry *
acls_next(const struct acls *acls, size_t *position)
{
    return map_next(&acls->by_key, position, NULL, NULL);
}
