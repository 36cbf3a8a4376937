#include "cli/top_grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

#define TEXT_BYTES_MAX 1024

void
top_grid_resize(struct top_grid *grid, int width, int height)
{
    grid->width = width < 1 ? 1 : width;
    grid->height = height < 1 ? 1 : height;
    free(grid->cells);
    grid->cells = xcalloc((size_t)grid->width * (size_t)grid->height, sizeof *grid->cells);
}

void
top_grid_fini(struct top_grid *grid)
{
    free(grid->cells);
    memset(grid, 0, sizeof *grid);
}

/* The bytes of the character at text; 1 for what is no UTF-8. */
static size_t
character_size(const char *text)
{
    unsigned char c = (unsigned char)*text;
    size_t size = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    for (size_t i = 1; i < size; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 1;
    return size;
}

int
top_grid_text(struct top_grid *grid, int x, int y, enum top_role role, const char *text)
{
    while (*text != '\0') {
        size_t size = character_size(text);

        if (x >= 0 && x < grid->width && y >= 0 && y < grid->height) {
            struct top_cell *cell = &grid->cells[y * grid->width + x];

            memset(cell->text, 0, sizeof cell->text);
            /* A name may hold anything; a terminal shall not obey it. */
            if ((unsigned char)*text < ' ' || *text == 0x7f || (size == 1 && (*text & 0x80)))
                cell->text[0] = '?';
            else
                memcpy(cell->text, text, size);
            cell->role = (uint8_t)role;
        }
        text += size;
        x++;
    }
    return x;
}

int
top_grid_printf(struct top_grid *grid, int x, int y, enum top_role role, const char *format, ...)
{
    char text[TEXT_BYTES_MAX];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    return top_grid_text(grid, x, y, role, text);
}

void
top_grid_name(struct top_grid *grid, int x, int y, int width, enum top_role role, const char *name)
{
    size_t size = strlen(name), keep = width > 1 ? (size_t)width - 1 : 0;

    if (size <= (size_t)width) {
        top_grid_text(grid, x, y, role, name);
        return;
    }
    x = top_grid_printf(grid, x, y, role, "%.*s~", (int)(keep - keep / 2), name);
    top_grid_text(grid, x, y, role, name + size - keep / 2);
}

void
top_grid_role(struct top_grid *grid, int y, enum top_role role)
{
    for (int x = 0; x < grid->width && y >= 0 && y < grid->height; x++)
        grid->cells[y * grid->width + x].role = (uint8_t)role;
}

void
top_grid_dump(const struct top_grid *grid, struct buf *out)
{
    int waiting = 0; /* empty rows that are written when another row follows */

    for (int y = 0; y < grid->height; y++) {
        int last = grid->width - 1;

        while (last >= 0 && (grid->cells[y * grid->width + last].text[0] == '\0' ||
                                grid->cells[y * grid->width + last].text[0] == ' '))
            last--;
        if (last < 0) {
            waiting++;
            continue;
        }
        for (; waiting > 0; waiting--)
            buf_append_text(out, "\n");
        for (int x = 0; x <= last; x++) {
            const char *text = grid->cells[y * grid->width + x].text;

            buf_append_text(out, *text == '\0' ? " " : text);
        }
        buf_append_text(out, "\n");
    }
}
