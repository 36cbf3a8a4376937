/*
 * explain: where a number is from: its formula, the numbers in it, and so on down to inputs with
 * their sources.
 */
#ifndef PRICE_EXPLAIN_H
#define PRICE_EXPLAIN_H

#include <stdio.h>

#include "price/inputs.h"

/* explain_value prints a formula and all that it is made of, each once; or an input and what is
 * made of it. */
void explain_value(const struct inputs *inputs, enum sheet_value value, FILE *out);

/* explain_all prints all formulas and all inputs, in the order of the tables. */
void explain_all(const struct inputs *inputs, FILE *out);

/* explain_number writes a number for people, in at most EXPLAIN_NUMBER_BYTES bytes: "25,920",
 * "0.0004". */
#define EXPLAIN_NUMBER_BYTES 40
void explain_number(double number, char *out);

#endif
