/* Inputs with the built-in prices, for tests of what is made of them. */
#ifndef TESTS_UNIT_PRICE_PRICE_INPUTS_H
#define TESTS_UNIT_PRICE_PRICE_INPUTS_H

#include "price/book.h"
#include "tests/unit/unit.h"

static inline void
price_inputs_init(struct inputs *inputs)
{
    struct err e;

    inputs_init(inputs);
    assert_int_equal(
        book_read(inputs, book_builtin(), strlen(book_builtin()), BOOK_BUILTIN, &e), RC_OK);
}

/* Makes an input known. */
static inline void
price_inputs_set(struct inputs *inputs, enum sheet_value input, double value)
{
    inputs_put(inputs, input, value, INPUTS_GIVEN, "test");
}

#endif
