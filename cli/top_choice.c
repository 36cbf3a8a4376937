#include "cli/top_choice.h"

#include <string.h>

static void
page_choose(struct top_choice *choice, int page)
{
    choice->page = (enum top_page)page;
    choice->selected = choice->first = 0;
}

/* Names of topics and groups are typed in ASCII; anything else is no character of a filter. */
static void
filter_type(struct top_choice *choice, int character)
{
    size_t size = strlen(choice->filter);

    if (character <= ' ' || character >= 0x7f || size + 1 == sizeof choice->filter)
        return;
    choice->filter[size] = (char)character;
    choice->filter[size + 1] = '\0';
}

static void
filter_key(struct top_choice *choice, enum top_key key, int character)
{
    size_t size = strlen(choice->filter);

    if (key == TOP_KEY_ENTER)
        choice->typing = false;
    else if (key == TOP_KEY_BACKSPACE && size > 0)
        choice->filter[size - 1] = '\0';
    else if (key == TOP_KEY_CHARACTER)
        filter_type(choice, character);
}

static bool
character_key(struct top_choice *choice, int character)
{
    bool had_help = choice->help;

    choice->help = false;
    switch (character) {
    case '?':
        choice->help = !had_help;
        return true;
    case 's':
        choice->by_name = !choice->by_name;
        return true;
    case 'p':
        choice->paused = !choice->paused;
        return true;
    case '/':
        choice->typing = true;
        choice->filter[0] = '\0';
        return true;
    case 'q':
        return false;
    default:
        if (character >= '1' && character < '1' + TOP_PAGES)
            page_choose(choice, character - '1');
        return true;
    }
}

bool
top_choice_key(struct top_choice *choice, enum top_key key, int character, int rows)
{
    switch (key) {
    case TOP_KEY_UP:
        choice->selected--;
        return true;
    case TOP_KEY_DOWN:
        choice->selected++;
        return true;
    case TOP_KEY_PAGE_UP:
        choice->selected -= rows;
        return true;
    case TOP_KEY_PAGE_DOWN:
        choice->selected += rows;
        return true;
    case TOP_KEY_TAB:
        page_choose(choice, (choice->page + 1) % TOP_PAGES);
        return true;
    case TOP_KEY_ESCAPE:
        choice->typing = choice->help = false;
        choice->filter[0] = '\0';
        return true;
    default:
        if (choice->typing)
            filter_key(choice, key, character);
        else if (key == TOP_KEY_CHARACTER)
            return character_key(choice, character);
        return true;
    }
}

bool
top_choice_shows(const struct top_choice *choice, const char *name)
{
    return strstr(name, choice->filter) != NULL;
}
