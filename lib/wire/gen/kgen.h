/*
 * kgen: the generator behind lib/wire/schema. It runs at build time only.
 *
 * kgen_parse reads one .msg file into the model below, kgen_check refuses what the codec could not
 * interpret, kgen_emit writes the C header and source. The model lives until the process ends.
 */
#ifndef LIB_WIRE_GEN_KGEN_H
#define LIB_WIRE_GEN_KGEN_H

#include <stdbool.h>
#include <stdio.h>

#define KGEN_DEPTH_MAX 8

struct kgen_struct;

struct kgen_range {
    int min;
    int max;
};

struct kgen_field {
    char *name;
    char *type; /* element type of an array */
    bool is_array;
    struct kgen_range versions;
    struct kgen_range nullable;
    int tag;
    char *default_text; /* NULL: none */
    bool ignorable;
    bool inflexible;
    int line;
    struct kgen_struct *sub; /* resolved by kgen_check; NULL for scalars */
};

struct kgen_struct {
    char *name;   /* "" for the message itself */
    char *c_name; /* "km_fetch_request_topic", set by kgen_check */
    struct kgen_field *fields;
    int field_count;
    bool emitted;
    int line;
};

enum kgen_kind { KGEN_REQUEST, KGEN_RESPONSE, KGEN_DATA };

struct kgen_message {
    enum kgen_kind kind;
    char *name;
    const char *file;
    int key;
    struct kgen_range versions;
    int flexible_min; /* KGEN_VERSION_MAX: never */
    bool unstable;
    struct kgen_struct **structs; /* structs[0] is the message itself */
    int struct_count;
};

#define KGEN_VERSION_MAX 32767

struct kgen_model {
    struct kgen_message *messages;
    int message_count;
};

/* kgen_parse adds the messages of one file; on an error it prints "file:line: what" and returns
 * false. */
bool kgen_parse(struct kgen_model *model, const char *path);

/* kgen_check resolves names and refuses unknown types, doubled names, tags with gaps, recursion
 * deeper than KGEN_DEPTH_MAX, requests without a response. */
bool kgen_check(struct kgen_model *model);

/* kgen_emit_header and kgen_emit_source write the generated C. */
void kgen_emit_header(const struct kgen_model *model, FILE *out);
void kgen_emit_source(const struct kgen_model *model, FILE *out);

/* kgen_scalar returns the index of a scalar type in the table of types, or -1. */
int kgen_scalar(const char *type);

#endif
