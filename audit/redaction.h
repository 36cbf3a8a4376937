/*
 * redaction: names that may leave the house, in place of those that may not.
 *
 * A name is changed word by word: letters and digits between other characters are a word, and each
 * becomes a few letters of its HMAC-SHA-256 with a key, the same for the same word. What facts and
 * rules know names by stays (names.def, Kafka's and Streams' own words), so that a redacted audit
 * comes to the same verdicts, application ids still begin the names of their topics, and a
 * transactional id its group's. Words of digits become other digits, UUIDs and hashes in hex others
 * of their kind, by whose shapes Flink and Streams are told apart. Nobody without the key can tell
 * a word from its letters; with it, `redaction_name` of a name finds it again.
 *
 * The key is a file of 32 bytes in hex, made (mode 0600) where it is not there; whoever keeps it
 * can compare later snapshots with this one.
 */
#ifndef AUDIT_REDACTION_H
#define AUDIT_REDACTION_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

#define REDACTION_KEY_BYTES 32
#define REDACTION_WORD_LETTERS 10

struct redaction {
    unsigned char key[REDACTION_KEY_BYTES];
    struct arena arena; /* of the names made */
};

/* redaction_init reads the key file, or makes it. redaction_fini forgets the key. */
MUST_CHECK enum rc redaction_init(struct redaction *redaction, const char *path, struct err *e);
void redaction_fini(struct redaction *redaction);

/* redaction_name returns what stands for a name; a view that lives as long as the redaction. ""
 * where its memory is used up. */
const char *redaction_name(struct redaction *redaction, const char *name);

#endif
