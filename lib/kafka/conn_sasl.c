#include "lib/kafka/conn_sasl.h"

#include <string.h>

#include "lib/base/xalloc.h"

void
conn_sasl_init(
    struct conn_sasl *sasl, const char *mechanism, const char *user, const char *password)
{
    enum digest_kind kind;

    memset(sasl, 0, sizeof *sasl);
    sasl->user = user;
    sasl->password = password;
    sasl->is_scram = scram_kind(mechanism, &kind) == RC_OK;
    REQUIRE(sasl->is_scram || strcmp(mechanism, "PLAIN") == 0);
    if (sasl->is_scram)
        scram_client_init(&sasl->scram, kind, user, password, NULL);
}

void
conn_sasl_fini(struct conn_sasl *sasl)
{
    if (sasl->is_scram)
        scram_client_fini(&sasl->scram);
    memset(sasl, 0, sizeof *sasl);
}

void
conn_sasl_first(struct conn_sasl *sasl, struct buf *out)
{
    sasl->step = 1;
    if (sasl->is_scram) {
        scram_client_first(&sasl->scram, out);
        return;
    }
    /* No identity to act as, the user, the password, each behind a zero byte. */
    buf_append_byte(out, 0);
    buf_append_text(out, sasl->user);
    buf_append_byte(out, 0);
    buf_append_text(out, sasl->password);
}

enum rc
conn_sasl_next(struct conn_sasl *sasl, const void *data, size_t size, struct buf *out, bool *done,
    struct err *e)
{
    *done = false;
    if (!sasl->is_scram) {
        *done = true;
        return RC_OK;
    }
    if (sasl->step++ == 1)
        return scram_client_final(&sasl->scram, data, size, out, e);
    *done = true;
    return scram_client_verify(&sasl->scram, data, size, e);
}
