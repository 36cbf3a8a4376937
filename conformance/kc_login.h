/*
 * kc_login: logins of a check, token by token, at a target that was started with
 * kc_login_properties: its listener for clients wants SASL then, over plain TCP.
 *
 * Links are those of kc_link_new; SaslHandshake and SaslAuthenticate are sent and received on them
 * like any other request, so that a report shows them.
 */
#ifndef CONFORMANCE_KC_LOGIN_H
#define CONFORMANCE_KC_LOGIN_H

#include "conformance/kc_ask.h"

#define KC_LOGIN_USER "kdl" /* a user of PLAIN, who may do everything */
#define KC_LOGIN_PASSWORD "kdl-secret"

/* For CHECK_START. All checks that log in share them, so that the target is started once. */
extern const char *const kc_login_properties[];

struct kc_login {
    const char *mechanism;
    const char *user;
    const char *password;
};

/* The administrator's. */
extern const struct kc_login kc_login_admin;

/* kc_login_handshake chooses a mechanism; kc_login_token sends one token. */
const struct km_sasl_handshake_response *kc_login_handshake(
    struct kc *kc, struct link *link, const char *mechanism);
const struct km_sasl_authenticate_response *kc_login_token(
    struct kc *kc, struct link *link, const void *data, size_t size);

/* kc_login_try goes through a whole login and returns the code of its last answer. A server that
 * lets in and cannot prove that it knows the password fails the check ("server-unproven"). */
int16_t kc_login_try(struct kc *kc, struct link *link, const struct kc_login *login);

/* kc_login_link is a new link on which the administrator has logged in; it is preparation. */
struct link *kc_login_link(struct kc *kc, size_t broker);

/* kc_login_await tries on new links until the code is the wanted one, for ten seconds, since a
 * broker learns of users a moment later; another code than 0 and 58 fails at once. It returns the
 * last link. `what` names the code. */
struct link *kc_login_await(
    struct kc *kc, size_t broker, const struct kc_login *login, const char *what, int16_t wanted);

/* kc_login_set has the administrator set the password of a user of SCRAM, and kc_login_unset take
 * it back; both assert that it is done. */
void kc_login_set(struct kc *kc, struct link *admin, const struct kc_login *login);
void kc_login_unset(struct kc *kc, struct link *admin, const struct kc_login *login);

#endif
