/*
 * logins: whether who connects has to log in, by which mechanisms, and the users of PLAIN (KIP-12,
 * KIP-43, KIP-103; PlainServerCallbackHandler). The users of SCRAM are those of scram_users.
 *
 * The broker has one listener, which is called PLAINTEXT as in a Kafka without settings. What it
 * speaks stands in listener.security.protocol.map, its mechanisms in sasl.enabled.mechanisms, with
 * or without listener.name.plaintext. in front, and the users of PLAIN in
 * listener.name.plaintext.plain.sasl.jaas.config. All of it holds from the start to the end of the
 * broker, as in Kafka, where a listener that is there does not follow changes either.
 */
#ifndef REFBROKER_META_LOGINS_H
#define REFBROKER_META_LOGINS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/wire/desc.h"

/* In the order of their names. */
enum sasl_mechanism {
    SASL_PLAIN,
    SASL_SCRAM_SHA_256,
    SASL_SCRAM_SHA_512,
    SASL_MECHANISM_COUNT,
};

struct logins {
    bool is_wanted;
    bool enabled[SASL_MECHANISM_COUNT];
    struct map plain_users; /* name -> password */
};

/* logins_read takes them from what was given at the start, name -> text. RC_CONFIG, in one line
 * that says what to do, for what this broker does not speak and what does not go together; `out`
 * wants logins_fini in any case. Passwords are repeated in no error. */
MUST_CHECK enum rc logins_read(const struct map *given, struct logins *out, struct err *e);

/* logins_fini wipes and frees. */
void logins_fini(struct logins *logins);

/* logins_mechanism_name is its name ("SCRAM-SHA-256"); logins_mechanism_find finds an enabled one,
 * or SASL_MECHANISM_COUNT. */
const char *logins_mechanism_name(enum sasl_mechanism mechanism);
enum sasl_mechanism logins_mechanism_find(const struct logins *logins, struct wire_string name);

/* logins_plain_password returns the password of a user of PLAIN, or NULL. */
const char *logins_plain_password(const struct logins *logins, const void *user, size_t size);

#endif
