/*
 * conn_login: what a connection says first: ApiVersions, then SASL; and SASL again before a login
 * expires (KIP-368).
 *
 * For conn.c only. It asks for requests to be sent through a function and tells its end through
 * another; a connection that breaks meanwhile is the conn's business.
 */
#ifndef LIB_KAFKA_CONN_LOGIN_H
#define LIB_KAFKA_CONN_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "gen/messages.h"
#include "lib/base/buf.h"
#include "lib/kafka/conf.h"
#include "lib/kafka/conn.h"
#include "lib/kafka/conn_sasl.h"
#include "lib/kafka/conn_versions.h"

typedef void conn_login_send_fn(void *arg, const struct conn_request *request);

/* e is RC_OK, or says with the broker's address why not. */
typedef void conn_login_end_fn(void *arg, const struct err *e);

struct conn_login {
    struct loop *loop;
    const struct conf_client *conf;
    const char *address;
    struct conn_versions *versions; /* filled from ApiVersions */
    conn_login_send_fn *send;
    conn_login_end_fn *end;
    void *arg;

    struct wire_range version; /* of the ApiVersions request under way */
    struct conn_sasl sasl;
    bool sasl_open;
    bool is_again;
    struct buf token;
    int64_t renew_us;
    union {
        struct km_api_versions_request versions;
        struct km_sasl_handshake_request handshake;
        struct km_sasl_authenticate_request authenticate;
    } request;
};

/* conn_login_init keeps what it is given, address included. */
void conn_login_init(struct conn_login *login, struct loop *loop, const struct conf_client *conf,
    const char *address, struct conn_versions *versions);

/* conn_login_fini wipes. */
void conn_login_fini(struct conn_login *login);

/* conn_login_start begins with ApiVersions, conn_login_again with SASL. */
void conn_login_start(struct conn_login *login);
void conn_login_again(struct conn_login *login);

/* conn_login_renew_us returns when, on the loop's clock, conn_login_again is due; 0: never. */
int64_t conn_login_renew_us(const struct conn_login *login);
bool conn_login_is_due(const struct conn_login *login);

#endif
