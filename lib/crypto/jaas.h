/*
 * jaas: the line of sasl.jaas.config that names a login module and its options, as clients and
 * brokers have it: MODULE FLAG name=value name="value"...; (JaasConfig.java).
 *
 * Errors say what is wrong with the line and never repeat a value, since it may be a password.
 */
#ifndef LIB_CRYPTO_JAAS_H
#define LIB_CRYPTO_JAAS_H

#include <stddef.h>

#include "lib/base/err.h"

struct jaas_option {
    char *name;
    char *value;
};

struct jaas {
    char *module;
    struct jaas_option *options; /* in the order of the line */
    size_t count;
};

/* jaas_read reads one line with one module. RC_CONFIG for what is no such line, with words that go
 * on behind the config's name ("does not end with ;"); there is nothing to free then. */
MUST_CHECK enum rc jaas_read(const char *text, struct jaas *out, struct err *e);

/* jaas_fini wipes the values and frees. */
void jaas_fini(struct jaas *jaas);

/* jaas_get returns the value of an option, the last one where it comes twice, or NULL. */
const char *jaas_get(const struct jaas *jaas, const char *name);

#endif
