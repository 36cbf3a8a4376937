#include "audit/redaction.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "audit/names.h"
#include "lib/base/buf.h"
#include "lib/crypto/digest.h"

#define NAMES_BYTES_MAX ((size_t)256 << 20)
#define NAME_BYTES_MAX ((size_t)1 << 20)
#define KEY_TEXT_BYTES (2 * REDACTION_KEY_BYTES + 1) /* with the newline */
#define SHORT_NUMBER_DIGITS 2                        /* a number that short tells nothing */
#define NUMBER_DIGITS 12

/* --- the key ---------------------------------------------------------------------------------- */

static int
nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
key_parse(const char *text, ssize_t size, unsigned char *key)
{
    if (size < KEY_TEXT_BYTES - 1)
        return false;
    for (size_t i = 0; i < REDACTION_KEY_BYTES; i++) {
        int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return size == KEY_TEXT_BYTES - 1 ||
           (size == KEY_TEXT_BYTES && text[KEY_TEXT_BYTES - 1] == '\n');
}

static enum rc
key_make(struct redaction *redaction, const char *path, struct err *e)
{
    char text[KEY_TEXT_BYTES + 1];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t written;

    if (fd < 0)
        return err_set_errno(e, RC_IO, errno, "%s", path);
    digest_random(redaction->key, sizeof redaction->key);
    digest_hex(redaction->key, sizeof redaction->key, text);
    text[KEY_TEXT_BYTES - 1] = '\n';
    written = write(fd, text, KEY_TEXT_BYTES);
    if (close(fd) != 0 || written != KEY_TEXT_BYTES)
        return err_set_errno(e, RC_IO, errno, "%s", path);
    return RC_OK;
}

enum rc
redaction_init(struct redaction *redaction, const char *path, struct err *e)
{
    char text[KEY_TEXT_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    arena_init(&redaction->arena, NAMES_BYTES_MAX);
    if (fd < 0 && errno == ENOENT)
        return key_make(redaction, path, e);
    if (fd < 0)
        return err_set_errno(e, RC_IO, errno, "%s", path);
    size = read(fd, text, sizeof text);
    close(fd);
    if (!key_parse(text, size, redaction->key))
        return err_set(e, RC_CONFIG,
            "%s is no key: it has to be a line of %d hex digits; name a file that is not there, "
            "and it is made",
            path, 2 * REDACTION_KEY_BYTES);
    return RC_OK;
}

void
redaction_fini(struct redaction *redaction)
{
    arena_fini(&redaction->arena);
    digest_wipe(redaction->key, sizeof redaction->key);
}

/* --- names ------------------------------------------------------------------------------------ */

static bool
is_number(const char *word, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (isdigit((unsigned char)word[i]) == 0)
            return false;
    return true;
}

/* A number begins with 0 where it did: numbers that programs count with do not. */
static void
number_append(const char *word, const uint8_t *hash, struct buf *out)
{
    buf_append_byte(out, word[0] == '0' ? '0' : (uint8_t)('1' + hash[0] % 9));
    for (int i = 1; i < NUMBER_DIGITS; i++)
        buf_append_byte(out, (uint8_t)('0' + hash[i] % 10));
}

static void
made_id_append(const struct redaction *redaction, const char *id, size_t size, struct buf *out)
{
    uint8_t hash[DIGEST_BYTES_MAX];
    const uint8_t *next = hash;

    digest_hmac(DIGEST_SHA256, redaction->key, sizeof redaction->key, id, size, hash);
    for (size_t i = 0; i < size; i++)
        buf_append_byte(out, (uint8_t)(id[i] == '-' ? '-' : "0123456789abcdef"[*next++ % 16]));
}

static void
word_append(const struct redaction *redaction, const char *word, size_t size, struct buf *out)
{
    uint8_t hash[DIGEST_BYTES_MAX];
    bool number = is_number(word, size);
    /* No vowels: what is made shall be no word. */
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz";

    if (names_is_word(word, size) || (number && size <= SHORT_NUMBER_DIGITS)) {
        buf_append(out, word, size);
        return;
    }
    digest_hmac(DIGEST_SHA256, redaction->key, sizeof redaction->key, word, size, hash);
    if (number) {
        number_append(word, hash, out);
        return;
    }
    for (int i = 0; i < REDACTION_WORD_LETTERS; i++)
        buf_append_byte(out, (uint8_t)alphabet[hash[i] % strlen(alphabet)]);
}

const char *
redaction_name(struct redaction *redaction, const char *name)
{
    const char *made;
    struct buf out;

    buf_init(&out, NAME_BYTES_MAX);
    while (*name != '\0') {
        size_t id = names_made_id(name), size = id > 0 ? id : names_word(name);

        if (size == 0)
            buf_append(&out, name++, 1);
        else if (id > 0)
            made_id_append(redaction, name, size, &out);
        else
            word_append(redaction, name, size, &out);
        name += size;
    }
    made = arena_strdup(&redaction->arena, buf_text(&out));
    buf_fini(&out);
    return made == NULL ? "" : made;
}
