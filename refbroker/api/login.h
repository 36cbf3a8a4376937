/*
 * login: how far one connection has come in logging in, and what it may ask next (KIP-12, KIP-43,
 * KIP-84, KIP-152; SaslServerAuthenticator, PlainSaslServer, ScramSaslServer).
 *
 *     FIRST ── ApiVersions ──> HANDSHAKE ── SaslHandshake v1 ──> TOKENS ──> OVER
 *       └──────────── SaslHandshake ─┘   └─ SaslHandshake v0 ──> RAW_TOKENS ──> OVER
 *
 * A refused token ends in FAILED, from which nothing leads on. Where no login is wanted it is OVER
 * from the beginning. Kafka's words about a refusal are kept: they do not tell whether there is
 * such a user.
 *
 * Limits: LIMIT_LOGIN_REQUESTS_MAX requests until it is over, LIMIT_LOGIN_BYTES_MAX each.
 */
#ifndef REFBROKER_API_LOGIN_H
#define REFBROKER_API_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/scram.h"
#include "refbroker/meta/logins.h"
#include "refbroker/meta/scram_users.h"

#define LOGIN_TOKEN_BYTES_MAX (2 * SCRAM_MESSAGE_MAX) /* of ours */

enum login_state {
    LOGIN_OVER,
    LOGIN_FIRST,
    LOGIN_HANDSHAKE,
    LOGIN_TOKENS,     /* each in a SaslAuthenticate */
    LOGIN_RAW_TOKENS, /* each a frame by itself */
    LOGIN_FAILED,
};

struct login {
    enum login_state state;
    enum sasl_mechanism mechanism; /* once it is chosen */
    struct scram_server *scram;    /* between the tokens of SCRAM, else NULL */
    char *user;                    /* who logged in; NULL: nobody */
    int asked;
};

void login_init(struct login *login, bool is_wanted);
void login_fini(struct login *login);

/* What becomes of a request. */
enum login_verdict {
    LOGIN_SERVES,
    LOGIN_REFUSES, /* it is answered with 34, and the connection closed */
    LOGIN_CLOSES,  /* the connection is closed */
};

/* login_judge judges, and counts, a request that has a header. */
enum login_verdict login_judge(struct login *login, int16_t api_key);

/* login_versions_told follows an ApiVersions that was answered without an error, login_choose a
 * SaslHandshake with a mechanism that is enabled. */
void login_versions_told(struct login *login);
void login_choose(struct login *login, enum sasl_mechanism mechanism, bool is_raw);

/* login_token reads the client's next token and appends the answer, which may be empty, to `out`;
 * it is over then, or another token is awaited. RC_DENIED: it has failed, and `e` is what the
 * client may be told. */
MUST_CHECK enum rc login_token(struct login *login, const struct logins *logins,
    const struct scram_users *users, const void *data, size_t size, struct buf *out, struct err *e);

#endif
