#include "lib/store/s3_xml.h"

#include <expat.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

struct reading {
    XML_Parser parser;
    s3_xml_fn *fn;
    void *arg;
    char place[S3_XML_PLACE_BYTES];
    size_t place_size;
    size_t depth;
    char text[S3_XML_TEXT_BYTES];
    size_t text_size;
    bool has_children; /* of the element that ended last, or of the one that is open */
    const char *refused;
};

static void
refuse(struct reading *r, const char *why)
{
    r->refused = why;
    (void)XML_StopParser(r->parser, XML_FALSE);
}

static void
element_start(void *arg, const char *name, const char **attributes)
{
    struct reading *r = arg;
    size_t size = strlen(name);

    (void)attributes;
    /* Expat may tell of a little more after it was stopped. */
    if (r->refused != NULL)
        return;
    if (r->depth == S3_XML_DEPTH_MAX || r->place_size + size + 2 > sizeof r->place) {
        refuse(r, "its elements are nested too deep");
        return;
    }
    if (r->depth++ > 0)
        r->place[r->place_size++] = '/';
    memcpy(r->place + r->place_size, name, size + 1);
    r->place_size += size;
    r->text_size = 0;
    r->has_children = false;
}

static void
element_end(void *arg, const char *name)
{
    struct reading *r = arg;

    if (r->refused != NULL)
        return;
    if (!r->has_children) {
        r->text[r->text_size] = '\0';
        r->fn(r->arg, r->place, r->text);
    }
    r->depth--;
    r->place_size -= strlen(name) + (r->depth > 0);
    r->place[r->place_size] = '\0';
    r->has_children = true;
}

static void
characters(void *arg, const char *text, int size)
{
    struct reading *r = arg;

    /* Between elements there are line ends and blanks, as many as the server likes. */
    if (r->has_children || r->refused != NULL)
        return;
    if (r->text_size + (size_t)size >= sizeof r->text) {
        refuse(r, "a text in it is too long");
        return;
    }
    memcpy(r->text + r->text_size, text, (size_t)size);
    r->text_size += (size_t)size;
}

static void
doctype_start(
    void *arg, const char *name, const char *system_id, const char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    refuse(arg, "it has a document type");
}

enum rc
s3_xml_read(const void *data, size_t size, s3_xml_fn *fn, void *arg, struct err *e)
{
    struct reading r = {.fn = fn, .arg = arg};
    enum XML_Status status;
    enum rc rc = RC_OK;

    if (size > INT_MAX)
        return err_set(e, RC_PROTOCOL, "an answer of %zu bytes", size);
    r.parser = XML_ParserCreate(NULL);
    if (r.parser == NULL)
        return err_set(e, RC_LIMIT, "no memory to read an answer");
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, element_start, element_end);
    XML_SetCharacterDataHandler(r.parser, characters);
    XML_SetStartDoctypeDeclHandler(r.parser, doctype_start);
    status = XML_Parse(r.parser, data, (int)size, 1);
    if (status != XML_STATUS_OK)
        rc = err_set(e, RC_PROTOCOL, "an answer cannot be read: %s",
            r.refused != NULL ? r.refused : XML_ErrorString(XML_GetErrorCode(r.parser)));
    XML_ParserFree(r.parser);
    return rc;
}
