#include "conformance/result.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

static const struct {
    const char *word;
    bool is_bad;
} verdicts[] = {
#define VERDICT(name, word, is_bad) {word, is_bad},
#include "conformance/verdicts.def"
#undef VERDICT
};

/* The texts and their names in JSON. */
static const struct {
    const char *name;
    size_t at;
} texts[] = {
    {"reason", offsetof(struct result, reason)},
    {"observed", offsetof(struct result, observed)},
    {"expected", offsetof(struct result, expected)},
    {"received", offsetof(struct result, received)},
    {"sent", offsetof(struct result, sent)},
    {"answer", offsetof(struct result, answer)},
    {"sent_hex", offsetof(struct result, sent_hex)},
    {"answer_hex", offsetof(struct result, answer_hex)},
};

static char *
text_get(const struct result *result, size_t i)
{
    char *text;

    memcpy(&text, (const char *)result + texts[i].at, sizeof text);
    return text;
}

void
result_fini(struct result *result)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(text_get(result, i));
    memset(result, 0, sizeof *result);
}

const char *
result_word(enum verdict verdict)
{
    return verdicts[verdict].word;
}

bool
result_is_bad(enum verdict verdict)
{
    return verdicts[verdict].is_bad;
}

struct jdoc *
result_to_json(const struct result *result)
{
    struct jdoc *json = jdoc_object();

    jdoc_set_text(json, "verdict", verdicts[result->verdict].word);
    jdoc_set_int(json, "duration_ms", result->duration_ms);
    if (result->was_silent)
        jdoc_set_bool(json, "was_silent", true);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (text_get(result, i) != NULL)
            jdoc_set_text(json, texts[i].name, text_get(result, i));
    return json;
}

enum rc
result_from_json(const struct jdoc *json, struct result *result, struct err *e)
{
    const char *word = jdoc_get_text(json, "verdict", "");
    size_t verdict = 0;

    memset(result, 0, sizeof *result);
    while (verdict < VERDICT_COUNT && strcmp(verdicts[verdict].word, word) != 0)
        verdict++;
    if (verdict == VERDICT_COUNT)
        return err_set(e, RC_CORRUPT, "no verdict in what a check reported");
    result->verdict = (enum verdict)verdict;
    result->duration_ms = jdoc_get_int(json, "duration_ms", 0);
    result->was_silent = jdoc_get_bool(json, "was_silent", false);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = jdoc_get_text(json, texts[i].name, NULL);
        char *copy = text == NULL ? NULL : xstrdup(text);

        memcpy((char *)result + texts[i].at, &copy, sizeof copy);
    }
    return RC_OK;
}
