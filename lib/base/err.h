/*
 * err: what went wrong, where, and how to say it.
 *
 * Functions that can fail return enum rc and fill a struct err that the caller owns. The origin
 * sets code, place and text (err_set); callers on the way up add what they were doing (err_note),
 * and never replace what is there. The boundary that ends the operation prints or logs it once.
 * NULL is allowed for every struct err.
 *
 * Limits: the text keeps at most ERR_TEXT_MAX - 1 bytes; what does not fit is cut at the end.
 */
#ifndef LIB_BASE_ERR_H
#define LIB_BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

#define ERR_TEXT_MAX 384

enum rc {
    RC_OK = 0,
#define ERR(name, text, retriable, exit) RC_##name,
#include "lib/base/errs.def"
#undef ERR
};

enum exit_code {
#define EXIT(name, code, meaning) EXIT_##name = (code),
#include "lib/base/exits.def"
#undef EXIT
};

struct err {
    enum rc code;
    int sys_errno; /* 0 where no system call was to blame */
    const char *file;
    int line;
    char text[ERR_TEXT_MAX];
};

/* err_set fills e and returns code, so that a function can end with `return err_set(...)`. */
#define err_set(e, code, ...) err_set_at((e), (code), 0, __FILE__, __LINE__, __VA_ARGS__)

/* err_set_errno is err_set for a failed system call: it keeps `number` and adds its meaning to the
 * text. */
#define err_set_errno(e, code, number, ...)                                                        \
    err_set_at((e), (code), (number), __FILE__, __LINE__, __VA_ARGS__)

enum rc err_set_at(struct err *e, enum rc code, int number, const char *file, int line,
    const char *format, ...) __attribute__((format(printf, 6, 7)));

#ifdef __clang_analyzer__
/* For clang-tidy only, which otherwise takes it for possible that err_set returns RC_OK. */
static inline enum rc
err_code(enum rc set, enum rc code)
{
    (void)set;
    return code;
}
#undef err_set
#define err_set(e, code, ...)                                                                      \
    err_code(err_set_at((e), (code), 0, __FILE__, __LINE__, __VA_ARGS__), (code))
#endif

/* err_note puts "what the caller was doing: " before the text and returns the code of e
 * (RC_INTERNAL for NULL). */
enum rc err_note(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* err_clear makes e say RC_OK. */
void err_clear(struct err *e);

/* err_name returns the constant's name without its prefix ("LIMIT"), err_text the words of
 * errs.def. Both are static. */
const char *err_name(enum rc code);
const char *err_text(enum rc code);

/* err_is_retriable tells whether the same call may succeed later. */
bool err_is_retriable(enum rc code);

/* err_exit_code returns the exit code of a command that ends with `code`. */
enum exit_code err_exit_code(enum rc code);

#endif
