#include "refbroker/meta/logins.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/jaas.h"

#define LISTENER "PLAINTEXT"
#define PREFIX "listener.name.plaintext."
#define MAP "listener.security.protocol.map"
#define MECHANISMS "sasl.enabled.mechanisms"
#define JAAS "sasl.jaas.config"
#define MODULES "org.apache.kafka.common.security."
#define USER "user_" /* what an option begins with that is a user of PLAIN */

static const struct {
    const char *name;
    const char *jaas; /* the config of its login module */
    const char *module;
} mechanisms[SASL_MECHANISM_COUNT] = {
    {"PLAIN", PREFIX "plain." JAAS, MODULES "plain.PlainLoginModule"},
    {"SCRAM-SHA-256", PREFIX "scram-sha-256." JAAS, MODULES "scram.ScramLoginModule"},
    {"SCRAM-SHA-512", PREFIX "scram-sha-512." JAAS, MODULES "scram.ScramLoginModule"},
};

/* --- lists ------------------------------------------------------------------------------------ */

struct word {
    const char *data;
    size_t size;
};

static struct word
trimmed(const char *data, size_t size)
{
    while (size > 0 && (unsigned char)*data <= ' ')
        data++, size--;
    while (size > 0 && (unsigned char)data[size - 1] <= ' ')
        size--;
    return (struct word){data, size};
}

/* The next element between commas; false at the end. */
static bool
element_take(const char **at, struct word *element)
{
    size_t size = strcspn(*at, ",");

    if (**at == '\0')
        return false;
    *element = trimmed(*at, size);
    *at += size + ((*at)[size] == ',');
    return true;
}

static bool
is_word(struct word word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.data, text, word.size) == 0;
}

/* --- the protocol ------------------------------------------------------------------------------
 */

static enum rc
protocol_read(const struct map *given, bool *wants_login, struct err *e)
{
    const char *at = map_get_text(given, MAP);
    struct word element;

    *wants_login = false;
    if (at == NULL)
        return RC_OK;
    while (element_take(&at, &element)) {
        const char *colon = memrchr(element.data, ':', element.size);
        struct word name, protocol;

        if (colon == NULL)
            return err_set(e, RC_CONFIG, MAP " wants NAME:PROTOCOL,..., not %.*s",
                (int)element.size, element.data);
        name = trimmed(element.data, (size_t)(colon - element.data));
        protocol = trimmed(colon + 1, (size_t)(element.data + element.size - colon - 1));
        if (name.size != strlen(LISTENER) || strncasecmp(name.data, LISTENER, name.size) != 0)
            continue;
        *wants_login = is_word(protocol, "SASL_PLAINTEXT");
        return *wants_login || is_word(protocol, "PLAINTEXT")
                   ? RC_OK
                   : err_set(e, RC_CONFIG,
                         MAP ": this broker does not speak %.*s (no TLS): use " LISTENER
                             ":SASL_PLAINTEXT, or " LISTENER ":PLAINTEXT without logins",
                         (int)protocol.size, protocol.data);
    }
    return err_set(e, RC_CONFIG,
        MAP " does not name " LISTENER ", the listener of this broker: add " LISTENER
            ":SASL_PLAINTEXT, or " LISTENER ":PLAINTEXT without logins");
}

/* --- mechanisms --------------------------------------------------------------------------------
 */

const char *
logins_mechanism_name(enum sasl_mechanism mechanism)
{
    return mechanisms[mechanism].name;
}

static enum sasl_mechanism
mechanism_find(struct word name)
{
    size_t i = 0;

    while (i < SASL_MECHANISM_COUNT && !is_word(name, mechanisms[i].name))
        i++;
    return (enum sasl_mechanism)i;
}

enum sasl_mechanism
logins_mechanism_find(const struct logins *logins, struct wire_string name)
{
    enum sasl_mechanism found = mechanism_find((struct word){name.data, (size_t)name.size});

    return found < SASL_MECHANISM_COUNT && logins->enabled[found] ? found : SASL_MECHANISM_COUNT;
}

static enum rc
mechanisms_read(const struct map *given, struct logins *out, struct err *e)
{
    const char *at = map_get_text(given, PREFIX MECHANISMS);
    struct word element;

    if (at == NULL)
        at = map_get_text(given, MECHANISMS);
    if (at == NULL || *at == '\0')
        return err_set(e, RC_CONFIG,
            "logins want mechanisms: --set " MECHANISMS
            "=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512, or some of them (Kafka's default, GSSAPI, is not "
            "there)");
    while (element_take(&at, &element)) {
        enum sasl_mechanism mechanism = mechanism_find(element);

        if (mechanism == SASL_MECHANISM_COUNT)
            return err_set(e, RC_CONFIG,
                MECHANISMS ": this broker does not speak %.*s: use some of "
                           "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
                (int)element.size, element.data);
        out->enabled[mechanism] = true;
    }
    return RC_OK;
}

/* --- login modules -----------------------------------------------------------------------------
 */

/* Kafka passes over such a line without a mechanism's name, and then misses one. */
static enum rc
names_check(const struct map *given, struct err *e)
{
    const void *key;
    size_t size, position = 0;

    while (map_next(given, &position, &key, &size) != NULL) {
        struct word name = {key, size};
        bool is_known =
            size < strlen(JAAS) || memcmp(name.data + size - strlen(JAAS), JAAS, strlen(JAAS)) != 0;

        for (size_t i = 0; i < SASL_MECHANISM_COUNT; i++)
            is_known = is_known || is_word(name, mechanisms[i].jaas);
        if (!is_known)
            return err_set(e, RC_CONFIG,
                "%.*s: " JAAS " stands behind the names of listener and mechanism, as in " PREFIX
                "plain." JAAS,
                (int)size, name.data);
    }
    return RC_OK;
}

static void
users_take(const struct jaas *jaas, struct map *users)
{
    for (size_t i = 0; i < jaas->count; i++) {
        const struct jaas_option *option = &jaas->options[i];

        if (strncmp(option->name, USER, strlen(USER)) == 0)
            free(map_put_text(users, option->name + strlen(USER), xstrdup(option->value)));
    }
}

static enum rc
module_read(
    const struct map *given, enum sasl_mechanism mechanism, struct logins *out, struct err *e)
{
    const char *name = mechanisms[mechanism].jaas, *module = mechanisms[mechanism].module;
    const char *text = map_get_text(given, name);
    struct jaas jaas;
    struct err why;
    enum rc rc = RC_OK;

    if (text == NULL && mechanism == SASL_PLAIN)
        return err_set(e, RC_CONFIG,
            "PLAIN wants users: --set '%s=%s required user_NAME=\"PASSWORD\";'", name, module);
    if (text == NULL)
        return RC_OK;
    if (jaas_read(text, &jaas, &why) != RC_OK)
        return err_set(
            e, RC_CONFIG, "%s %s (it should begin with: %s required)", name, why.text, module);
    if (strcmp(jaas.module, module) != 0)
        rc = err_set(e, RC_CONFIG, "%s: this broker knows the login module %s, not %s", name,
            module, jaas.module);
    else if (mechanism == SASL_PLAIN)
        users_take(&jaas, &out->plain_users);
    jaas_fini(&jaas);
    return rc;
}

/* --- all of it ---------------------------------------------------------------------------------
 */

enum rc
logins_read(const struct map *given, struct logins *out, struct err *e)
{
    enum rc rc;

    memset(out, 0, sizeof *out);
    rc = protocol_read(given, &out->is_wanted, e);
    if (rc == RC_OK)
        rc = names_check(given, e);
    if (rc != RC_OK || !out->is_wanted)
        return rc;
    rc = mechanisms_read(given, out, e);
    for (size_t i = 0; i < SASL_MECHANISM_COUNT && rc == RC_OK; i++)
        if (out->enabled[i])
            rc = module_read(given, (enum sasl_mechanism)i, out, e);
    return rc;
}

static void
password_free(void *value)
{
    char *password = value;

    digest_wipe(password, strlen(password));
    free(password);
}

void
logins_fini(struct logins *logins)
{
    map_fini(&logins->plain_users, password_free);
}

const char *
logins_plain_password(const struct logins *logins, const void *user, size_t size)
{
    return map_get(&logins->plain_users, user, size);
}
