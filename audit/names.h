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
    NAMES_KINDS,
};

/* names_find puts the first pattern of each kind that a name fits into patterns; NULL where it fits
 * none. */
void names_find(const char *name, const char *patterns[NAMES_KINDS]);

/* names_is_word tells whether letters and digits are a word of names.def. */
bool names_is_word(const char *word, size_t size);

/* names_word returns the length of the word that a text begins with: letters and digits, and all of
 * UTF-8 beyond ASCII. */
size_t names_word(const char *text);

/* names_made_id returns the length of the id that a text begins with, where a program made it: a
 * hash as a word of 32 hex digits, or a UUID, in lower case; 0 where it is none. */
#define NAMES_HASH_CHARS 32
#define NAMES_UUID_CHARS 36
size_t names_made_id(const char *text);

#endif
