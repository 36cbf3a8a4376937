#include "refbroker/api/login_gate.h"

#include "lib/base/log.h"
#include "lib/wire/codec_bytes.h"
#include "lib/wire/kerr.h"
#include "refbroker/client.h"

static void
answer(struct broker *broker, struct request *request)
{
    broker_finish_as(broker, request, H_LAST);
}

static void
hang_up(struct broker *broker, struct request *request)
{
    broker_finish_as(broker, request, H_CLOSE);
}

enum h_result
login_gate_fail(struct broker *broker, struct request *request, bool answered)
{
    int64_t delay_ms = broker->options.login_refused_delay_ms;

    request->client->login.state = LOGIN_FAILED;
    if (delay_ms == 0)
        return answered ? H_LAST : H_CLOSE;
    broker_set_deadline(
        broker, request, env_now_ms(broker->env) + delay_ms, answered ? answer : hang_up);
    return H_PARK;
}

void
login_gate_tell(struct broker *broker, const struct request *request, const char *why)
{
    broker->stats.logins_refused_total++;
    log_info("LOGIN-REFUSED", "%s: %s; closed", request->client->client_host, why);
}

enum h_result
login_gate_refuse(struct broker *broker, struct request *request)
{
    int16_t *code = request_answer_member(request, "error_code");

    login_gate_tell(broker, request, "another request in the middle of a login");
    if (code != NULL)
        *code = KE_ILLEGAL_SASL_STATE;
    return login_gate_fail(broker, request, code != NULL);
}

enum h_result
login_gate_token(struct broker *broker, struct request *request)
{
    uint8_t length[FRAME_LENGTH_BYTES];
    struct buf token;
    struct err e;
    enum rc rc;

    buf_init(&token, LOGIN_TOKEN_BYTES_MAX);
    rc = login_token(&request->client->login, &broker->options.logins, &broker->scram_users,
        request->frame->data, request->frame->size, &token, &e);
    if (rc == RC_OK) {
        codec_bytes_put_int32(length, (int32_t)token.size);
        buf_append(&request->head, length, sizeof length);
        buf_append(&request->head, token.data, token.size);
        request->pieces = arena_array(&request->arena, 1, sizeof *request->pieces);
    }
    buf_fini(&token);
    if (rc != RC_OK) {
        login_gate_tell(broker, request, e.text);
        return login_gate_fail(broker, request, false);
    }
    if (request->pieces == NULL)
        return H_CLOSE;
    request->pieces[0] = (struct wire_fragment){request->head.data, request->head.size};
    request->piece_count = 1;
    return H_DONE;
}
