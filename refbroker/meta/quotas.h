/*
 * quotas: which quotas are set, and which one holds for a client (KIP-13, KIP-55, KIP-546).
 *
 * An entity is a user, a client id, both, or an address; each by its name or as the default of all
 * that have none. Rules and messages are those of ClientQuotaControlManager.java, precedence that
 * of ClientQuotaManager. Values are kept as they are set; what they do is the business of
 * coord/quota_meters.
 *
 * Limits: names of 32767 bytes; whoever adds entities by request stops at QUOTAS_ENTITIES_MAX,
 * since what the catalog holds must always be read. Owned by the broker; not thread-safe.
 */
#ifndef REFBROKER_META_QUOTAS_H
#define REFBROKER_META_QUOTAS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/wire/desc.h"

#define QUOTAS_ENTITIES_MAX 100000

/* In the order of the words, in which Kafka's tools print them. */
enum quota_part { QUOTA_PART_CLIENT_ID, QUOTA_PART_IP, QUOTA_PART_USER, QUOTA_PART_COUNT };

enum quota_name {
#define QUOTA(name, text, type, of) QUOTA_##name,
#include "refbroker/meta/quotas.def"
#undef QUOTA
    QUOTA_COUNT
};

struct quota_entity {
    bool has[QUOTA_PART_COUNT];
    struct wire_string names[QUOTA_PART_COUNT]; /* size -1: the default */
};

struct quota {
    uint8_t *key; /* as quotas_entity_key makes it */
    size_t key_size;
    struct quota_entity entity; /* views of key */
    bool set[QUOTA_COUNT];
    double values[QUOTA_COUNT];
};

struct quotas {
    struct map by_entity;
    size_t set_count[QUOTA_COUNT]; /* entities that have this one */
};

void quotas_init(struct quotas *quotas);
void quotas_fini(struct quotas *quotas);

/* quotas_part_word is the word of a part ("client-id"); quotas_part_find finds it, or
 * QUOTA_PART_COUNT. */
const char *quotas_part_word(enum quota_part part);
enum quota_part quotas_part_find(struct wire_string word);

/* quotas_name_text is the name of a quota; quotas_name_find finds it, or QUOTA_COUNT. */
const char *quotas_name_text(enum quota_name name);
enum quota_name quotas_name_find(struct wire_string text);

/* quotas_entity_check tells what is wrong with an entity; RC_CONFIG. */
MUST_CHECK enum rc quotas_entity_check(const struct quota_entity *entity, struct err *e);

/* quotas_value_check tells whether a checked entity can have this value; RC_CONFIG. */
MUST_CHECK enum rc quotas_value_check(
    const struct quota_entity *entity, struct wire_string name, double value, struct err *e);

/* quotas_entity_key appends the bytes by which an entity is known, here and in the catalog. */
void quotas_entity_key(const struct quota_entity *entity, struct buf *out);

/* quotas_set stores a value of the entity with this key; quotas_remove takes it back. RC_CORRUPT
 * where the key is none. */
MUST_CHECK enum rc quotas_set(struct quotas *quotas, const void *key, size_t key_size,
    enum quota_name name, double value, struct err *e);
void quotas_remove(struct quotas *quotas, const void *key, size_t key_size, enum quota_name name);

/* quotas_find returns what an entity has, or NULL. */
const struct quota *quotas_find(const struct quotas *quotas, const struct quota_entity *entity);

/* quotas_next walks all entities: start with *position = 0. */
const struct quota *quotas_next(const struct quotas *quotas, size_t *position);

/* quotas_in_force returns the nearest entity that has a quota for this user and client id, or NULL:
 * both, the user with the default client id, the user; then the same of the default user; then the
 * client id, the default client id. */
const struct quota *quotas_in_force(const struct quotas *quotas, enum quota_name name,
    struct wire_string user, struct wire_string client_id);

/* quotas_in_force_address does so for an address in numbers: its own, then the default of all. The
 * one name of a host that can have a quota is this machine's own. */
const struct quota *quotas_in_force_address(
    const struct quotas *quotas, enum quota_name name, struct wire_string address);

#endif
