#include "lib/crypto/jaas.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/crypto/digest.h"

static const char *
space_skip(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

/* The next word, up to a blank or one of `stops`; NULL where there is none. */
static char *
word_read(const char **at, const char *stops)
{
    const char *start = space_skip(*at), *end = start;

    while (*end != '\0' && !isspace((unsigned char)*end) && strchr(stops, *end) == NULL)
        end++;
    *at = end;
    return end == start ? NULL : xmemdup(start, (size_t)(end - start));
}

/* A value, in quotes (with backslash escapes) or bare. */
static char *
value_read(const char **at)
{
    struct buf out;
    size_t size;
    char quote;

    *at = space_skip(*at);
    quote = **at;
    if (quote != '"' && quote != '\'')
        return word_read(at, ";");
    buf_init(&out, strlen(*at));
    for (++*at; **at != quote; ++*at) {
        if (**at == '\\' && (*at)[1] != '\0')
            ++*at;
        if (**at == '\0') {
            buf_fini(&out);
            return NULL;
        }
        buf_append_byte(&out, (uint8_t) * *at);
    }
    ++*at;
    return (char *)buf_take(&out, &size);
}

static void
option_add(struct jaas *jaas, char *name_take, char *value_take)
{
    jaas->options = xrealloc(jaas->options, jaas->count + 1, sizeof *jaas->options);
    jaas->options[jaas->count++] = (struct jaas_option){name_take, value_take};
}

static enum rc
options_read(struct jaas *jaas, const char *at, struct err *e)
{
    for (;;) {
        char *name, *value = NULL;

        at = space_skip(at);
        if (*at == ';')
            return *space_skip(at + 1) == '\0' ? RC_OK
                                               : err_set(e, RC_CONFIG, "goes on behind its ;");
        if (*at == '\0')
            return err_set(e, RC_CONFIG, "does not end with ;");
        name = word_read(&at, "=;");
        at = space_skip(at);
        if (name != NULL && *at == '=') {
            at++;
            value = value_read(&at);
        }
        if (value == NULL) {
            free(name);
            return err_set(e, RC_CONFIG, "has an option that is not name=\"value\"");
        }
        option_add(jaas, name, value);
    }
}

enum rc
jaas_read(const char *text, struct jaas *out, struct err *e)
{
    char *flag = NULL;
    enum rc rc;

    memset(out, 0, sizeof *out);
    out->module = word_read(&text, ";=");
    if (out->module != NULL)
        flag = word_read(&text, ";=");
    if (out->module == NULL)
        rc = err_set(e, RC_CONFIG, "names no login module");
    else if (flag == NULL)
        rc = err_set(e, RC_CONFIG, "lacks the word required");
    else
        rc = options_read(out, text, e);
    free(flag);
    if (rc != RC_OK)
        jaas_fini(out);
    return rc;
}

void
jaas_fini(struct jaas *jaas)
{
    for (size_t i = 0; i < jaas->count; i++) {
        digest_wipe(jaas->options[i].value, strlen(jaas->options[i].value));
        free(jaas->options[i].value);
        free(jaas->options[i].name);
    }
    free(jaas->options);
    free(jaas->module);
    memset(jaas, 0, sizeof *jaas);
}

const char *
jaas_get(const struct jaas *jaas, const char *name)
{
    for (size_t i = jaas->count; i-- > 0;)
        if (strcmp(jaas->options[i].name, name) == 0)
            return jaas->options[i].value;
    return NULL;
}
