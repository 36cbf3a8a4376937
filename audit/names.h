/*
 * names: topics recognised by what programs call them (names.def).
 */
#ifndef AUDIT_NAMES_H
#define AUDIT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum names_kind {
    NAMES_MIRROR_MAKER,
    NAMES_KSQL,
    NAMES_DEBEZIUM,
    NAMES_VENDOR,
    NAMES_SCHEMA_REGISTRY,
    NAMES_CONNECT,
    NAMES_ICEBERG_CONTROL,
    NAMES_DEAD_LETTERS,
    NAMES_REQUEST_REPLY,
};

/* names_pattern returns the first pattern of a kind that a name fits; NULL where it fits none. */
const char *names_pattern(enum names_kind kind, const char *name);

/* names_is_word tells whether letters and digits are a word of names.def. */
bool names_is_word(const char *word, size_t size);

/* names_word returns the length of the word that a text begins with: letters and digits, and all of
 * UTF-8 beyond ASCII. */
size_t names_word(const char *text);

#endif
