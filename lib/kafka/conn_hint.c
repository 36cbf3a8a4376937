#include "lib/kafka/conn_hint.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/wire/kerr.h"

/* Puts a sentence behind what e says. */
static void __attribute__((format(printf, 2, 3))) complete(struct err *e, const char *format, ...)
{
    struct err old = *e;
    char hint[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, format);
    vsnprintf(hint, sizeof hint, format, ap);
    va_end(ap);
    (void)err_set(e, old.code, "%s. %s", old.text, hint);
    e->sys_errno = old.sys_errno;
}

void
conn_hint_tls(const struct conf_client *conf, enum tls_reason reason, struct err *e)
{
    const char *flag = conf->names->property_flag;

    switch (reason) {
    case TLS_REASON_NOT_TLS:
    case TLS_REASON_CLOSED:
        complete(e, "It seems to speak no TLS: try %s security.protocol=%s", flag,
            conf->with_sasl ? "SASL_PLAINTEXT" : "PLAINTEXT");
        break;
    case TLS_REASON_NOT_TRUSTED:
        complete(e, "Give the CA that signed it: %s ssl.ca.location=FILE", flag);
        break;
    case TLS_REASON_WRONG_HOST:
        complete(e,
            "Connect by a name that it is for, or do without the check: "
            "%s ssl.endpoint.identification.algorithm=none",
            flag);
        break;
    case TLS_REASON_WANTS_CERTIFICATE:
        complete(e,
            "Give one that it trusts: %s ssl.certificate.location=FILE %s ssl.key.location=FILE",
            flag, flag);
        break;
    case TLS_REASON_OTHER:
        break;
    }
}

void
conn_hint_closed(const struct conf_client *conf, struct err *e)
{
    const char *flag = conf->names->property_flag;

    complete(e,
        "It seems to want a login: try %s security.protocol=%s %s sasl.mechanism=... "
        "%s sasl.username=... (password in %sPASSWORD)",
        flag, conf->with_tls ? "SASL_SSL" : "SASL_PLAINTEXT", flag, flag, conf->names->variables);
}

enum rc
conn_hint_bytes(const struct conf_client *conf, const char *address, const uint8_t *data,
    size_t size, struct err *e)
{
    /* A TLS record: alert (or handshake), then version 3.x. */
    if (!conf->with_tls && size >= 2 && (data[0] == 0x15 || data[0] == 0x16) && data[1] == 3)
        return err_set(e, RC_PROTOCOL,
            "%s speaks TLS, and this connection is plain. Add %s security.protocol=%s (and a CA: "
            "%s ssl.ca.location=FILE)",
            address, conf->names->property_flag, conf->with_sasl ? "SASL_SSL" : "SSL",
            conf->names->property_flag);
    if (size >= 4 && memcmp(data, "HTTP", 4) == 0)
        return err_set(e, RC_PROTOCOL,
            "%s is a web server, no Kafka broker: it answers in HTTP. Check host and port",
            address);
    return err_set(e, RC_PROTOCOL,
        "%s does not answer as a Kafka broker does (its first bytes are %02x %02x %02x %02x). "
        "Check host and port",
        address, data[0], data[1], data[2], data[3]);
}

enum rc
conn_hint_mechanism(const struct conf_client *conf, const char *address,
    const struct km_sasl_handshake_response *response, struct err *e)
{
    struct buf offered;
    enum rc rc;

    if (response->error_code == KE_ILLEGAL_SASL_STATE)
        return err_set(e, RC_DENIED, "%s wants no login: use %s security.protocol=%s", address,
            conf->names->property_flag, conf->with_tls ? "SSL" : "PLAINTEXT");
    if (response->error_code != KE_UNSUPPORTED_SASL_MECHANISM)
        return err_set(e, RC_DENIED, "%s refuses the login: %s (%s)", address,
            kerr_name(response->error_code), kerr_meaning(response->error_code));
    buf_init(&offered, 200);
    for (int32_t i = 0; i < response->mechanisms.count; i++) {
        const struct wire_string *name = &response->mechanisms.items[i];

        buf_append_text(&offered, i > 0 ? ", " : "");
        for (int32_t k = 0; k < name->size; k++)
            buf_append_byte(
                &offered, (uint8_t)(isgraph((unsigned char)name->data[k]) ? name->data[k] : '?'));
    }
    rc = err_set(e, RC_DENIED,
        "%s does not offer SASL mechanism %s (it offers %s). Use "
        "%s sasl.mechanism=...",
        address, conf->mechanism, buf_text(&offered), conf->names->property_flag);
    buf_fini(&offered);
    return rc;
}

enum rc
conn_hint_denied(const struct conf_client *conf, const char *address,
    const struct km_sasl_authenticate_response *response, struct err *e)
{
    if (response->error_code == KE_SASL_AUTHENTICATION_FAILED)
        return err_set(e, RC_DENIED,
            "%s refuses user %.100s (%s): wrong user or password. Check %s sasl.username=USER and "
            "%sPASSWORD, or the file that sets them",
            address, conf->user, conf->mechanism, conf->names->property_flag,
            conf->names->variables);
    return err_set(e, RC_DENIED, "%s refuses the login of user %.100s: %s (%s)", address,
        conf->user, kerr_name(response->error_code), kerr_meaning(response->error_code));
}
