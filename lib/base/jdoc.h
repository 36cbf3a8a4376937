/*
 * jdoc: JSON values, read and written by jansson behind this header.
 *
 * A struct jdoc is owned by whoever made it until it is put into another (the _take functions) or
 * freed. Objects keep the order in which members were set. Text and names that are not valid UTF-8
 * (keys of Kafka records may hold anything) are written with each bad byte as U+FFFD; a number that
 * JSON does not have (infinite, none) is written as null.
 */
#ifndef LIB_BASE_JDOC_H
#define LIB_BASE_JDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct jdoc;

/* New and free. */
struct jdoc *jdoc_object(void);
struct jdoc *jdoc_array(void);
struct jdoc *jdoc_text(const char *text);
struct jdoc *jdoc_text_sized(const char *text, size_t size);
struct jdoc *jdoc_int(int64_t value);
struct jdoc *jdoc_real(double value);
struct jdoc *jdoc_bool(bool value);
struct jdoc *jdoc_null(void);
void jdoc_free(struct jdoc *json);

/* Build: `value` belongs to the container afterwards. */
void jdoc_set_take(struct jdoc *object, const char *name, struct jdoc *value);
void jdoc_add_take(struct jdoc *array, struct jdoc *value);

void jdoc_set_text(struct jdoc *object, const char *name, const char *text);
void jdoc_set_int(struct jdoc *object, const char *name, int64_t value);
void jdoc_set_bool(struct jdoc *object, const char *name, bool value);

/* Read: views that live as long as their container. A missing member or a wrong type gives NULL or
 * the fallback. */
const struct jdoc *jdoc_get(const struct jdoc *object, const char *name);
const struct jdoc *jdoc_at(const struct jdoc *array, size_t index);
size_t jdoc_count(const struct jdoc *container);
const char *jdoc_get_text(const struct jdoc *object, const char *name, const char *fallback);
int64_t jdoc_get_int(const struct jdoc *object, const char *name, int64_t fallback);
bool jdoc_get_bool(const struct jdoc *object, const char *name, bool fallback);
const char *jdoc_text_of(const struct jdoc *value, const char *fallback);
int64_t jdoc_int_of(const struct jdoc *value, int64_t fallback);
double jdoc_real_of(const struct jdoc *value, double fallback); /* of any number */

/* jdoc_next walks the members of an object: start with *iterator = NULL; returns the name or NULL
 * at the end. */
const char *jdoc_next(const struct jdoc *object, void **iterator, const struct jdoc **value);

/* jdoc_parse reads one JSON text of `size` bytes; RC_CORRUPT with line and column otherwise. */
MUST_CHECK enum rc jdoc_parse(const char *text, size_t size, struct jdoc **out, struct err *e);

/* jdoc_dump returns the text, indented by `indent` spaces (0 = one line), which the caller frees.
 */
char *jdoc_dump(const struct jdoc *json, unsigned indent);

#endif
