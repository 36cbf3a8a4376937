/*
 * acls: access rules (KIP-11, KIP-290), kept and described as by Kafka with its StandardAuthorizer.
 * Nobody is kept from anything by them here.
 *
 * Rules and messages are those of AclApis and AclControlManager. Numbers are those of the protocol:
 * ResourceType, PatternType, AclOperation, AclPermissionType. Limits: whoever adds rules by request
 * stops at ACLS_MAX, since what the catalog holds must always be read. Owned by the broker; not
 * thread-safe.
 */
#ifndef REFBROKER_META_ACLS_H
#define REFBROKER_META_ACLS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/wire/desc.h"

#define ACLS_MAX 100000

enum { ACL_ANY = 1 }; /* of all four numbers, in filters */
enum acl_pattern { ACL_PATTERN_MATCH = 2, ACL_PATTERN_LITERAL = 3, ACL_PATTERN_PREFIXED = 4 };

/* A rule, or a filter: there, null texts and ACL_ANY leave open what they stand for. */
struct acl {
    int8_t resource_type;
    int8_t pattern_type;
    int8_t operation;
    int8_t permission_type;
    struct wire_string resource;
    struct wire_string principal;
    struct wire_string host;
};

struct acl_entry {
    uint8_t *key; /* as acls_key makes it */
    size_t key_size;
    struct acl acl; /* views of key */
};

struct acls {
    struct map by_key;
};

void acls_init(struct acls *acls);
void acls_fini(struct acls *acls);

/* acls_check judges a new rule: Kafka's error code, and its words in e (RC_CONFIG; no text where
 * Kafka has none). */
int16_t acls_check(const struct acl *acl, struct err *e);

/* acls_key appends the bytes by which a rule is known, here and in the catalog. */
void acls_key(const struct acl *acl, struct buf *out);

/* acls_add keeps the rule of a key; one that is there stays. RC_CORRUPT where the key is none.
 * acls_remove takes it out. */
MUST_CHECK enum rc acls_add(struct acls *acls, const void *key, size_t key_size, struct err *e);
void acls_remove(struct acls *acls, const void *key, size_t key_size);

/* acls_match tells whether a rule is among those that a filter means. */
bool acls_match(const struct acl *filter, const struct acl *acl);

/* acls_next walks all rules: start with *position = 0. */
const struct acl_entry *acls_next(const struct acls *acls, size_t *position);

#endif
