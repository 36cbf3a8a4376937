#include "cli/top_term.h"

#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include <curses.h>

#define ESCAPE 0x1b
#define ESCAPE_WAIT_MS 50 /* for the rest of an arrow key */

static bool colored;

enum rc
top_term_open(bool color, struct err *e)
{
    static const short colors[TOP_ROLES] = {
        -1, COLOR_CYAN, COLOR_YELLOW, -1, COLOR_GREEN, COLOR_RED, COLOR_BLUE};

    if (!isatty(STDOUT_FILENO) || getenv("TERM") == NULL)
        return err_set(
            e, RC_UNSUPPORTED, "there is no terminal here. kdl top --once prints a page as text.");
    setlocale(LC_ALL, "");
    if (newterm(NULL, stdout, stdin) == NULL)
        return err_set(e, RC_UNSUPPORTED, "the terminal %s is unknown. Set TERM, or use --once.",
            getenv("TERM"));
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    set_escdelay(ESCAPE_WAIT_MS);
    curs_set(0);
    colored = color && has_colors();
    if (colored) {
        start_color();
        use_default_colors();
        for (int i = 0; i < TOP_ROLES; i++)
            init_pair((short)(i + 1), colors[i], -1);
    }
    return RC_OK;
}

void
top_term_close(void)
{
    endwin();
}

void
top_term_size(int *width, int *height)
{
    getmaxyx(stdscr, *height, *width);
}

static attr_t
attributes_of(enum top_role role)
{
    attr_t attributes = colored ? (attr_t)COLOR_PAIR(role + 1) : A_NORMAL;

    if (role == TOP_SELECTED)
        attributes |= A_REVERSE;
    if (role == TOP_TITLE || role == TOP_HEAD || (role == TOP_BAD && !colored))
        attributes |= A_BOLD;
    return attributes;
}

void
top_term_show(const struct top_grid *grid)
{
    erase();
    for (int y = 0; y < grid->height; y++)
        for (int x = 0; x < grid->width; x++) {
            const struct top_cell *cell = &grid->cells[y * grid->width + x];

            attrset((int)attributes_of((enum top_role)cell->role));
            mvaddstr(y, x, cell->text[0] == '\0' ? " " : cell->text);
        }
    refresh();
}

enum top_key
top_term_key(int wait_ms, int *character)
{
    int key;

    timeout(wait_ms);
    key = getch();
    switch (key) {
    case ERR:
        return TOP_KEY_NONE;
    case KEY_UP:
        return TOP_KEY_UP;
    case KEY_DOWN:
        return TOP_KEY_DOWN;
    case KEY_PPAGE:
        return TOP_KEY_PAGE_UP;
    case KEY_NPAGE:
        return TOP_KEY_PAGE_DOWN;
    case '\t':
        return TOP_KEY_TAB;
    case '\r':
    case '\n':
    case KEY_ENTER:
        return TOP_KEY_ENTER;
    case KEY_BACKSPACE:
    case 0x7f:
    case '\b':
        return TOP_KEY_BACKSPACE;
    case ESCAPE:
        return TOP_KEY_ESCAPE;
    case KEY_RESIZE:
        return TOP_KEY_RESIZE;
    default:
        *character = key;
        return TOP_KEY_CHARACTER;
    }
}
