/*
 * login_gate: what a connection that has not logged in gets to hear (SaslServerAuthenticator).
 *
 * A login that fails is answered, and its connection closed, only after
 * connection.failed.authentication.delay.ms, during which nothing is read: guessing is slow. What
 * cannot be a login at all is closed at once.
 */
#ifndef REFBROKER_API_LOGIN_GATE_H
#define REFBROKER_API_LOGIN_GATE_H

#include "refbroker/broker.h"

/* login_gate_fail ends a login for good and returns what the handler is to return: the answer that
 * stands in request->out goes out after the delay, or, where `answered` is false, none. */
enum h_result login_gate_fail(struct broker *broker, struct request *request, bool answered);

/* login_gate_refuse answers a request of another API, decoded already, in the middle of a login: 34
 * where its answer has a place for a code at the top, nothing otherwise; then the login has failed.
 */
enum h_result login_gate_refuse(struct broker *broker, struct request *request);

/* login_gate_token takes a whole frame for a token, as after SaslHandshake v0; so is the answer. */
enum h_result login_gate_token(struct broker *broker, struct request *request);

/* login_gate_tell notes in log and counters that a login has failed. */
void login_gate_tell(struct broker *broker, const struct request *request, const char *why);

#endif
