#include "audit/waivers.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/rules.h"
#include "lib/base/text_file.h"
#include "lib/base/xalloc.h"

#define BLANKS " \t"
#define DAY_MS INT64_C(86400000)

/* The next word of a line, of which *size bytes are it; *line moves behind it. */
static const char *
word_next(const char **line, size_t *size)
{
    const char *word = *line + strspn(*line, BLANKS);

    *size = strcspn(word, BLANKS);
    *line = word + *size;
    return word;
}

static bool
day_read(const char *text, int64_t *ends_ms)
{
    struct tm day = {0};
    const char *end = strptime(text, "%Y-%m-%d", &day);
    struct tm again;
    time_t at;

    if (end == NULL || *end != '\0' || strlen(text) != WAIVERS_DAY_BYTES - 1)
        return false;
    again = day;
    at = timegm(&again);
    /* The 31st of February becomes a day of March. */
    if (again.tm_mday != day.tm_mday)
        return false;
    *ends_ms = (int64_t)at * 1000 + DAY_MS;
    return true;
}

static enum rc
line_read(struct waivers *waivers, const char *line, struct waiver *waiver, struct err *e)
{
    const char **const words[] = {&waiver->rule, &waiver->topics, &waiver->until, &waiver->owner};
    const struct rules_rule *rule;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t size;
        const char *word = word_next(&line, &size);

        if (size == 0)
            return err_set(e, RC_CONFIG, "it takes RULE TOPICS UNTIL OWNER WHY");
        *words[i] = arena_dup(&waivers->arena, word, size);
        if (*words[i] == NULL)
            return err_set(e, RC_LIMIT, "too many waivers");
    }
    waiver->why = arena_strdup(&waivers->arena, line + strspn(line, BLANKS));
    if (waiver->why == NULL)
        return err_set(e, RC_LIMIT, "too many waivers");
    if (*waiver->why == '\0')
        return err_set(e, RC_CONFIG, "it does not say why: RULE TOPICS UNTIL OWNER WHY");
    if (!day_read(waiver->until, &waiver->ends_ms))
        return err_set(
            e, RC_CONFIG, "%s is no day; it takes one such as 2027-03-01", waiver->until);
    if (strcmp(waiver->rule, "*") == 0)
        return RC_OK;
    rule = rules_find(waiver->rule);
    if (rule == NULL)
        return err_set(
            e, RC_CONFIG, "no rule is called %s; kdl audit explain lists them", waiver->rule);
    waiver->rule = rule->id;
    return RC_OK;
}

static enum rc
text_read(struct waivers *waivers, char *text, struct err *e)
{
    unsigned number = 0;

    for (char *line = text; line != NULL;) {
        char *end = strchr(line, '\n');
        struct waiver waiver = {.line = ++number};
        enum rc rc;

        if (end != NULL)
            *end = '\0';
        line[strcspn(line, "\r")] = '\0';
        if (line[strspn(line, BLANKS)] != '\0' && line[strspn(line, BLANKS)] != '#') {
            rc = line_read(waivers, line, &waiver, e);
            if (rc != RC_OK)
                return err_note(e, "line %u", number);
            waivers->items = xrealloc(waivers->items, waivers->count + 1, sizeof *waivers->items);
            waivers->items[waivers->count++] = waiver;
        }
        line = end == NULL ? NULL : end + 1;
    }
    return RC_OK;
}

enum rc
waivers_read(const char *path, struct waivers *waivers, struct err *e)
{
    struct buf file;
    size_t size;
    char *text;
    enum rc rc;

    memset(waivers, 0, sizeof *waivers);
    arena_init(&waivers->arena, 2 * WAIVERS_BYTES_MAX);
    buf_init(&file, WAIVERS_BYTES_MAX);
    rc = text_file_read(path, NULL, &file, e);
    text = (char *)buf_take(&file, &size);
    if (rc == RC_OK) {
        if (strlen(text) != size)
            rc = err_set(e, RC_CONFIG, "it is no text");
        else
            rc = text_read(waivers, text, e);
        if (rc != RC_OK)
            rc = err_note(e, "%s", path);
    }
    free(text);
    return rc;
}

void
waivers_free(struct waivers *waivers)
{
    free(waivers->items);
    arena_fini(&waivers->arena);
}

static void
hits_mark(struct waivers *waivers, struct audit_hit *hits, const char *topic)
{
    for (struct audit_hit *hit = hits; hit != NULL; hit = hit->next) {
        hit->waiver = NULL;
        for (size_t i = 0; i < waivers->count && hit->waiver == NULL; i++) {
            struct waiver *waiver = &waivers->items[i];
            bool rule = *waiver->rule == '*' || strcmp(waiver->rule, hit->rule->id) == 0;

            if (!waiver->is_over && rule && fnmatch(waiver->topics, topic, 0) == 0) {
                hit->waiver = waiver;
                waiver->findings++;
            }
        }
    }
}

void
waivers_apply(struct waivers *waivers, struct audit_inventory *inventory, int64_t now_ms)
{
    for (size_t i = 0; i < waivers->count; i++) {
        waivers->items[i].findings = 0;
        waivers->items[i].is_over = now_ms >= waivers->items[i].ends_ms;
    }
    hits_mark(waivers, inventory->hits, "-");
    for (uint32_t t = 0; t < inventory->topic_count; t++)
        hits_mark(waivers, inventory->topics[t].hits, inventory->topics[t].name);
}
