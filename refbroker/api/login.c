#include "refbroker/api/login.h"

#include <stdlib.h>
#include <string.h>

#include "gen/messages.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"
#include "refbroker/limits.h"

#define FAILED "Authentication failed: "
#define ACTS_AS_ANOTHER                                                                            \
    FAILED "Client requested an authorization id that is different from username"
#define PLAIN_PARTS 3

void
login_init(struct login *login, bool is_wanted)
{
    memset(login, 0, sizeof *login);
    login->state = is_wanted ? LOGIN_FIRST : LOGIN_OVER;
}

static void
scram_end(struct login *login)
{
    if (login->scram == NULL)
        return;
    scram_server_fini(login->scram);
    free(login->scram);
    login->scram = NULL;
}

void
login_fini(struct login *login)
{
    scram_end(login);
    free(login->user);
    login->user = NULL;
}

/* --- requests ----------------------------------------------------------------------------------
 */

enum login_verdict
login_judge(struct login *login, int16_t api_key)
{
    if (login->state == LOGIN_OVER)
        return LOGIN_SERVES;
    if (++login->asked > LIMIT_LOGIN_REQUESTS_MAX)
        return LOGIN_CLOSES;
    switch (login->state) {
    case LOGIN_FIRST:
        return api_key == KM_API_VERSIONS || api_key == KM_SASL_HANDSHAKE ? LOGIN_SERVES
                                                                          : LOGIN_CLOSES;
    case LOGIN_HANDSHAKE:
        return api_key == KM_SASL_HANDSHAKE ? LOGIN_SERVES : LOGIN_CLOSES;
    case LOGIN_TOKENS:
        return api_key == KM_SASL_AUTHENTICATE ? LOGIN_SERVES : LOGIN_REFUSES;
    default:
        return LOGIN_CLOSES;
    }
}

void
login_versions_told(struct login *login)
{
    if (login->state == LOGIN_FIRST)
        login->state = LOGIN_HANDSHAKE;
}

void
login_choose(struct login *login, enum sasl_mechanism mechanism, bool is_raw)
{
    login->mechanism = mechanism;
    login->state = is_raw ? LOGIN_RAW_TOKENS : LOGIN_TOKENS;
}

/* --- PLAIN (RFC 4616) --------------------------------------------------------------------------
 */

/* Their hashes are compared, so that the time tells nothing about the password. */
static bool
is_same_secret(const void *a, size_t a_size, const void *b, size_t b_size)
{
    uint8_t of_a[DIGEST_BYTES_MAX], of_b[DIGEST_BYTES_MAX];

    digest_compute(DIGEST_SHA256, a, a_size, of_a);
    digest_compute(DIGEST_SHA256, b, b_size, of_b);
    return digest_equal(of_a, of_b, digest_size(DIGEST_SHA256));
}

/* Whom to act as, the user, the password, with a zero between each. */
static enum rc
plain_token(
    struct login *login, const struct logins *logins, const char *data, size_t size, struct err *e)
{
    struct wire_string parts[PLAIN_PARTS + 1];
    size_t count = 0;
    const char *password;

    while (count <= PLAIN_PARTS) {
        const char *zero = size == 0 ? NULL : memchr(data, '\0', size);
        size_t length = zero == NULL ? size : (size_t)(zero - data);

        parts[count++] = (struct wire_string){data, (int32_t)length};
        if (zero == NULL)
            break;
        data += length + 1;
        size -= length + 1;
    }
    if (count != PLAIN_PARTS)
        return err_set(
            e, RC_DENIED, "Invalid SASL/PLAIN response: expected 3 tokens, got %zu", count);
    if (parts[1].size == 0)
        return err_set(e, RC_DENIED, FAILED "username not specified");
    if (parts[2].size == 0)
        return err_set(e, RC_DENIED, FAILED "password not specified");
    password = logins_plain_password(logins, parts[1].data, (size_t)parts[1].size);
    if (!is_same_secret(parts[2].data, (size_t)parts[2].size, password == NULL ? "" : password,
            password == NULL ? 0 : strlen(password)))
        return err_set(e, RC_DENIED, FAILED "Invalid username or password");
    if (parts[0].size > 0 && (parts[0].size != parts[1].size ||
                                 memcmp(parts[0].data, parts[1].data, (size_t)parts[1].size) != 0))
        return err_set(e, RC_DENIED, ACTS_AS_ANOTHER);
    login->user = xmemdup(parts[1].data, (size_t)parts[1].size);
    return RC_OK;
}

/* --- SCRAM -------------------------------------------------------------------------------------
 */

static enum rc
scram_first(struct login *login, const struct scram_users *users, const void *data, size_t size,
    struct buf *out, struct err *e)
{
    enum scram_mechanism mechanism =
        login->mechanism == SASL_SCRAM_SHA_256 ? SCRAM_SHA_256 : SCRAM_SHA_512;
    const struct scram_credential *credential;
    const struct scram_user *user = NULL;
    struct scram_server *scram = xcalloc(1, sizeof *scram);
    enum rc rc;

    login->scram = scram;
    scram_server_init(scram, scram_users_kind(mechanism));
    rc = scram_server_first(scram, data, size, e);
    if (scram->user != NULL)
        user = scram_users_find(
            users, (struct wire_string){scram->user, (int32_t)strlen(scram->user)});
    credential = user == NULL ? NULL : scram_users_get(user, (int8_t)mechanism);
    if (credential == NULL)
        return err_set(e, RC_PROTOCOL, "no such user");
    if (rc == RC_DENIED)
        return err_set(e, RC_DENIED, ACTS_AS_ANOTHER);
    if (rc == RC_OK)
        scram_server_challenge(scram, credential, NULL, out);
    return rc;
}

static enum rc
scram_final(struct login *login, const void *data, size_t size, struct buf *out, struct err *e)
{
    if (scram_server_final(login->scram, data, size, out, e) != RC_OK)
        return err_set(e, RC_PROTOCOL, "no proof of the password");
    login->user = xstrdup(login->scram->user);
    return RC_OK;
}

/* What is wrong is told to nobody, but where somebody asks to act as another user. */
static enum rc
scram_token(struct login *login, const struct scram_users *users, const void *data, size_t size,
    struct buf *out, struct err *e)
{
    enum rc rc = login->scram == NULL ? scram_first(login, users, data, size, out, e)
                                      : scram_final(login, data, size, out, e);

    if (rc == RC_OK || rc == RC_DENIED)
        return rc;
    return err_set(e, RC_DENIED,
        "Authentication failed during authentication due to invalid credentials with SASL "
        "mechanism %s",
        logins_mechanism_name(login->mechanism));
}

/* --- both ---------------------------------------------------------------------------------------
 */

enum rc
login_token(struct login *login, const struct logins *logins, const struct scram_users *users,
    const void *data, size_t size, struct buf *out, struct err *e)
{
    enum rc rc;

    if (size == 0)
        data = "";
    rc = login->mechanism == SASL_PLAIN ? plain_token(login, logins, data, size, e)
                                        : scram_token(login, users, data, size, out, e);
    if (rc != RC_OK) {
        login->state = LOGIN_FAILED;
        buf_clear(out);
    } else if (login->user != NULL) {
        login->state = LOGIN_OVER;
    }
    if (login->state == LOGIN_OVER || login->state == LOGIN_FAILED)
        scram_end(login);
    return rc;
}
