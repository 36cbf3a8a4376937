/*
 * scram_users: users with their SCRAM credentials (KIP-554), in memory, as they stand in the
 * catalog. Rules and messages are those of ScramControlManager.java.
 *
 * What is kept is what a server needs to check a password, and does not tell it (RFC 5802). Limits:
 * SCRAM_USERS_MAX users. Owned by the broker; not thread-safe.
 */
#ifndef REFBROKER_META_SCRAM_USERS_H
#define REFBROKER_META_SCRAM_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/crypto/scram.h"
#include "lib/wire/desc.h"

#define SCRAM_USERS_MAX 100000

/* The numbers of ScramMechanism. */
enum scram_mechanism { SCRAM_SHA_256 = 1, SCRAM_SHA_512 = 2, SCRAM_MECHANISM_COUNT = 2 };

struct scram_user {
    char *name;
    struct scram_credential *keys[SCRAM_MECHANISM_COUNT]; /* by mechanism - 1, or NULL */
};

struct scram_users {
    struct map by_name;
};

/* scram_users_kind is the digest of a mechanism that exists. */
enum digest_kind scram_users_kind(enum scram_mechanism mechanism);

void scram_users_init(struct scram_users *users);
void scram_users_fini(struct scram_users *users);

/* scram_users_find returns a user or NULL. */
const struct scram_user *scram_users_find(const struct scram_users *users, struct wire_string name);

/* scram_users_get returns a credential or NULL; mechanisms that do not exist are NULL, too. */
const struct scram_credential *scram_users_get(const struct scram_user *user, int8_t mechanism);

/* scram_users_next walks all users: start with *position = 0. */
const struct scram_user *scram_users_next(const struct scram_users *users, size_t *position);

/* scram_users_name_check and scram_users_iterations_check return Kafka's error code, and in *why
 * its words (static). */
int16_t scram_users_name_check(struct wire_string name, int8_t mechanism, const char **why);
int16_t scram_users_iterations_check(int32_t iterations, const char **why);

/* scram_users_credential makes what is kept of a salted password; the mechanism must exist.
 * RC_LIMIT for a salt of more than SCRAM_SALT_MAX bytes. */
MUST_CHECK enum rc scram_users_credential(enum scram_mechanism mechanism, int32_t iterations,
    struct wire_bytes salt, struct wire_bytes salted_password, struct scram_credential *out,
    struct err *e);

/* scram_users_set stores a copy, NULL takes it back; the user goes with the last one. */
void scram_users_set(struct scram_users *users, const char *name, enum scram_mechanism mechanism,
    const struct scram_credential *credential);

#endif
