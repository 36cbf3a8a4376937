#include "refbroker/meta/scram_users.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

/* ScramControlManager.MAX_ITERATIONS */
#define ITERATIONS_MAX 16384

enum digest_kind
scram_users_kind(enum scram_mechanism mechanism)
{
    return mechanism == SCRAM_SHA_256 ? DIGEST_SHA256 : DIGEST_SHA512;
}

void
scram_users_init(struct scram_users *users)
{
    map_init(&users->by_name);
}

static void
user_free(void *value)
{
    struct scram_user *user = value;

    for (size_t i = 0; i < SCRAM_MECHANISM_COUNT; i++)
        free(user->keys[i]);
    free(user->name);
    free(user);
}

void
scram_users_fini(struct scram_users *users)
{
    map_fini(&users->by_name, user_free);
}

const struct scram_user *
scram_users_find(const struct scram_users *users, struct wire_string name)
{
    return name.size < 0 ? NULL : map_get(&users->by_name, name.data, (size_t)name.size);
}

const struct scram_credential *
scram_users_get(const struct scram_user *user, int8_t mechanism)
{
    return mechanism < SCRAM_SHA_256 || mechanism > SCRAM_SHA_512 ? NULL
                                                                  : user->keys[mechanism - 1];
}

const struct scram_user *
scram_users_next(const struct scram_users *users, size_t *position)
{
    return map_next(&users->by_name, position, NULL, NULL);
}

int16_t
scram_users_name_check(struct wire_string name, int8_t mechanism, const char **why)
{
    if (name.size <= 0) {
        *why = "Username must not be empty";
        return KE_UNACCEPTABLE_CREDENTIAL;
    }
    if (mechanism < SCRAM_SHA_256 || mechanism > SCRAM_SHA_512) {
        *why = "Unknown SCRAM mechanism";
        return KE_UNSUPPORTED_SASL_MECHANISM;
    }
    return KE_NONE;
}

int16_t
scram_users_iterations_check(int32_t iterations, const char **why)
{
    if (iterations >= SCRAM_ITERATIONS_MIN && iterations <= ITERATIONS_MAX)
        return KE_NONE;
    *why = iterations < SCRAM_ITERATIONS_MIN ? "Too few iterations" : "Too many iterations";
    return KE_UNACCEPTABLE_CREDENTIAL;
}

enum rc
scram_users_credential(enum scram_mechanism mechanism, int32_t iterations, struct wire_bytes salt,
    struct wire_bytes salted_password, struct scram_credential *out, struct err *e)
{
    enum digest_kind kind = scram_users_kind(mechanism);

    if (salt.size > 0 && (size_t)salt.size > SCRAM_SALT_MAX)
        return err_set(e, RC_LIMIT, "a salt of %d bytes", salt.size);
    if (salted_password.size <= 0)
        return err_set(e, RC_CONFIG, "an empty salted password");
    scram_credential_derive(out, kind, salted_password.data, (size_t)salted_password.size,
        salt.data, (size_t)salt.size, (uint32_t)iterations);
    return RC_OK;
}

void
scram_users_set(struct scram_users *users, const char *name, enum scram_mechanism mechanism,
    const struct scram_credential *credential)
{
    struct scram_user *user = map_get_text(&users->by_name, name);
    struct scram_credential **place;
    bool any = false;

    if (user == NULL && credential == NULL)
        return;
    if (user == NULL) {
        user = xcalloc(1, sizeof *user);
        user->name = xstrdup(name);
        map_put_text(&users->by_name, name, user);
    }
    place = &user->keys[mechanism - 1];
    free(*place);
    *place = credential == NULL ? NULL : xmemdup(credential, sizeof *credential);
    for (size_t i = 0; i < SCRAM_MECHANISM_COUNT; i++)
        any = any || user->keys[i] != NULL;
    if (!any)
        user_free(map_remove_text(&users->by_name, name));
}
