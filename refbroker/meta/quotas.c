#include "refbroker/meta/quotas.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define LOCAL_NAME "localhost"

enum quota_type { TYPE_INT, TYPE_LONG, TYPE_DOUBLE };
enum quota_of { OF_CLIENTS, OF_ADDRESSES };

struct quota_row {
    const char *name;
    enum quota_type type;
    enum quota_of of;
};

static const struct quota_row rows[] = {
#define QUOTA(name, text, type, of) {text, TYPE_##type, OF_##of},
#include "refbroker/meta/quotas.def"
#undef QUOTA
};

static const char *const words[] = {"client-id", "ip", "user"};

/* The name of the default. */
static const struct wire_string of_all = {NULL, -1};

/* How a name is kept within a key. */
enum { NAME_DEFAULT = 'd', NAME_GIVEN = 'n' };
#define KEY_BYTES_MAX ((size_t)3 * 32770 + 64)
#define FRACTION_MAX 1e-6

void
quotas_init(struct quotas *quotas)
{
    memset(quotas, 0, sizeof *quotas);
    map_init(&quotas->by_entity);
}

static void
quota_free(void *value)
{
    struct quota *quota = value;

    free(quota->key);
    free(quota);
}

void
quotas_fini(struct quotas *quotas)
{
    map_fini(&quotas->by_entity, quota_free);
}

static bool
is_text(struct wire_string string, const char *text)
{
    return string.size >= 0 && strlen(text) == (size_t)string.size &&
           memcmp(string.data, text, (size_t)string.size) == 0;
}

const char *
quotas_part_word(enum quota_part part)
{
    return words[part];
}

enum quota_part
quotas_part_find(struct wire_string word)
{
    enum quota_part part = 0;

    while (part < QUOTA_PART_COUNT && !is_text(word, words[part]))
        part++;
    return part;
}

const char *
quotas_name_text(enum quota_name name)
{
    return rows[name].name;
}

enum quota_name
quotas_name_find(struct wire_string text)
{
    enum quota_name name = 0;

    while (name < QUOTA_COUNT && !is_text(text, rows[name].name))
        name++;
    return name;
}

/* --- rules ----------------------------------------------------------------------------------- */

/* Kafka asks the resolver whether the name of a host is one. The core waits for nobody: an address
 * in numbers is one, anything else is not, but for this machine's own name. */
static bool
is_address(struct wire_string name)
{
    struct in6_addr address;
    char text[64];

    if (name.size < 0 || is_text(name, LOCAL_NAME))
        return true;
    if ((size_t)name.size >= sizeof text)
        return false;
    memcpy(text, name.data, (size_t)name.size);
    text[name.size] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

enum rc
quotas_entity_check(const struct quota_entity *entity, struct err *e)
{
    const bool *has = entity->has;

    for (enum quota_part part = 0; part < QUOTA_PART_COUNT; part++)
        if (has[part] && entity->names[part].size == 0)
            return err_set(e, RC_CONFIG, "Empty %s not supported", words[part]);
    if (!has[QUOTA_PART_IP])
        return has[QUOTA_PART_USER] || has[QUOTA_PART_CLIENT_ID]
                   ? RC_OK
                   : err_set(e, RC_CONFIG, "Invalid empty client quota entity");
    if (has[QUOTA_PART_USER] || has[QUOTA_PART_CLIENT_ID])
        return err_set(e, RC_CONFIG,
            "Invalid quota entity combination, IP entity should"
            "not be combined with User or ClientId");
    if (!is_address(entity->names[QUOTA_PART_IP]))
        return err_set(e, RC_CONFIG, "%.*s is not a valid IP or resolvable host.",
            entity->names[QUOTA_PART_IP].size, entity->names[QUOTA_PART_IP].data);
    return RC_OK;
}

enum rc
quotas_value_check(
    const struct quota_entity *entity, struct wire_string text, double value, struct err *e)
{
    enum quota_name name = quotas_name_find(text);
    enum quota_of of = entity->has[QUOTA_PART_IP] ? OF_ADDRESSES : OF_CLIENTS;
    const struct quota_row *row = &rows[name];

    if (name == QUOTA_COUNT || row->of != of)
        return err_set(e, RC_CONFIG, "Invalid configuration key %.*s",
            text.size < 0 ? 0 : text.size, text.data);
    /* What is no number is none that the catalog could be read with again. */
    if (!(value > 0))
        return err_set(e, RC_CONFIG, "Quota %s must be greater than 0", row->name);
    if (row->type == TYPE_DOUBLE)
        return RC_OK;
    if (row->type == TYPE_INT && value > INT32_MAX)
        return err_set(e, RC_CONFIG, "Proposed value for %s is too large for an INT.", row->name);
    if (value > (double)INT64_MAX)
        return err_set(e, RC_CONFIG, "Proposed value for %s is too large for a LONG.", row->name);
    if (fmod(value, 1.0) > FRACTION_MAX)
        return err_set(e, RC_CONFIG, "%s cannot be a fractional value.", row->name);
    return RC_OK;
}

/* --- keys ------------------------------------------------------------------------------------ */

void
quotas_entity_key(const struct quota_entity *entity, struct buf *out)
{
    for (enum quota_part part = 0; part < QUOTA_PART_COUNT; part++) {
        struct wire_string name = entity->names[part];
        uint8_t head[4] = {(uint8_t)part, NAME_DEFAULT};

        if (!entity->has[part])
            continue;
        if (name.size >= 0) {
            head[1] = NAME_GIVEN;
            head[2] = (uint8_t)(name.size >> 8);
            head[3] = (uint8_t)name.size;
        }
        buf_append(out, head, sizeof head);
        if (name.size > 0)
            buf_append(out, name.data, (size_t)name.size);
    }
}

/* The entity of a key, as views; false where it is none. */
static bool
key_read(const uint8_t *key, size_t size, struct quota_entity *entity)
{
    memset(entity, 0, sizeof *entity);
    while (size >= 4) {
        enum quota_part part = key[0];
        size_t length = key[1] == NAME_GIVEN ? (size_t)key[2] << 8 | key[3] : 0;

        if (part >= QUOTA_PART_COUNT || entity->has[part] || length > size - 4 ||
            (key[1] != NAME_GIVEN && key[1] != NAME_DEFAULT))
            return false;
        entity->has[part] = true;
        entity->names[part] = (struct wire_string){
            (const char *)key + 4, key[1] == NAME_GIVEN ? (int32_t)length : -1};
        key += 4 + length;
        size -= 4 + length;
    }
    return size == 0 && (entity->has[0] || entity->has[1] || entity->has[2]);
}

/* --- what is set ----------------------------------------------------------------------------- */

enum rc
quotas_set(struct quotas *quotas, const void *key, size_t key_size, enum quota_name name,
    double value, struct err *e)
{
    struct quota *quota = map_get(&quotas->by_entity, key, key_size);
    struct quota_entity entity;

    if (quota == NULL) {
        if (!key_read(key, key_size, &entity))
            return err_set(e, RC_CORRUPT, "a quota of %zu bytes that is of nobody", key_size);
        quota = xcalloc(1, sizeof *quota);
        quota->key = xmemdup(key, key_size);
        quota->key_size = key_size;
        REQUIRE(key_read(quota->key, key_size, &quota->entity));
        (void)map_put(&quotas->by_entity, key, key_size, quota);
    }
    quotas->set_count[name] += !quota->set[name];
    quota->set[name] = true;
    quota->values[name] = value;
    return RC_OK;
}

void
quotas_remove(struct quotas *quotas, const void *key, size_t key_size, enum quota_name name)
{
    struct quota *quota = map_get(&quotas->by_entity, key, key_size);
    bool any = false;

    if (quota == NULL)
        return;
    quotas->set_count[name] -= quota->set[name];
    quota->set[name] = false;
    for (enum quota_name other = 0; other < QUOTA_COUNT; other++)
        any = any || quota->set[other];
    if (!any)
        quota_free(map_remove(&quotas->by_entity, key, key_size));
}

const struct quota *
quotas_find(const struct quotas *quotas, const struct quota_entity *entity)
{
    const struct quota *quota;
    struct buf key;

    buf_init(&key, KEY_BYTES_MAX);
    quotas_entity_key(entity, &key);
    quota = map_get(&quotas->by_entity, key.data, key.size);
    buf_fini(&key);
    return quota;
}

const struct quota *
quotas_next(const struct quotas *quotas, size_t *position)
{
    return map_next(&quotas->by_entity, position, NULL, NULL);
}

/* What an entity has, where it has this quota. */
static const struct quota *
find_with(const struct quotas *quotas, const struct quota_entity *entity, enum quota_name name)
{
    const struct quota *quota = quotas_find(quotas, entity);

    return quota != NULL && quota->set[name] ? quota : NULL;
}

const struct quota *
quotas_in_force(const struct quotas *quotas, enum quota_name name, struct wire_string user,
    struct wire_string client_id)
{
    enum { NONE, DEFAULT, OWN };
    static const struct {
        int user;
        int client_id;
    } order[] = {{OWN, OWN}, {OWN, DEFAULT}, {OWN, NONE}, {DEFAULT, OWN}, {DEFAULT, DEFAULT},
        {DEFAULT, NONE}, {NONE, OWN}, {NONE, DEFAULT}};
    const struct quota *quota = NULL;

    if (quotas->set_count[name] == 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(order) && quota == NULL; i++) {
        struct quota_entity entity = {0};

        entity.has[QUOTA_PART_USER] = order[i].user != NONE;
        entity.names[QUOTA_PART_USER] = order[i].user == OWN ? user : of_all;
        entity.has[QUOTA_PART_CLIENT_ID] = order[i].client_id != NONE;
        entity.names[QUOTA_PART_CLIENT_ID] = order[i].client_id == OWN ? client_id : of_all;
        quota = find_with(quotas, &entity, name);
    }
    return quota;
}

const struct quota *
quotas_in_force_address(
    const struct quotas *quotas, enum quota_name name, struct wire_string address)
{
    struct quota_entity entity = {0};
    const struct quota *quota;

    if (quotas->set_count[name] == 0)
        return NULL;
    entity.has[QUOTA_PART_IP] = true;
    entity.names[QUOTA_PART_IP] = address;
    quota = find_with(quotas, &entity, name);
    if (quota == NULL && is_text(address, "127.0.0.1")) {
        entity.names[QUOTA_PART_IP] = (struct wire_string){LOCAL_NAME, sizeof LOCAL_NAME - 1};
        quota = find_with(quotas, &entity, name);
    }
    entity.names[QUOTA_PART_IP] = of_all;
    return quota != NULL ? quota : find_with(quotas, &entity, name);
}
